import { describe, expect, it } from 'vitest';
import { encodeAttributes, packInt8 } from '@canopy/protocol';
import { zeros } from './tensors.js';
import { bytes, byteTypes, one, type ByteType } from './bytes.js';
import { floats } from '../compare.js';
import { Engine, type TestTensor } from '../engine.js';
import { onnxruntime } from '../onnxruntime.js';
import { operatorContract, type ContractCase } from './contract.js';

const unpacked = { to: 'int32', unsigned: false, k: 0, n: 0 } as const;

/** A product whose right side is a tensor. */
function product(
  a: TestTensor,
  b: TestTensor,
  aZero?: TestTensor,
  bZero?: TestTensor,
): ContractCase<'IntegerLinear'> {
  return {
    name: `${a.dtype}[${a.dims.join()}] x ${b.dtype}[${b.dims.join()}]`,
    attributes: unpacked,
    inputs: [a, b, aZero, bZero],
    onnx: { type: 'MatMulInteger', outputs: ['int32'] },
    tolerance: 0,
  };
}

const columnScales = (n: number): TestTensor =>
  floats(
    [n],
    Array.from({ length: n }, (_, i) => 0.0005 + i / 50_000),
  );

/** A product whose results are bytes again. */
function requantized(type: ByteType, a: TestTensor, b: TestTensor): ContractCase<'IntegerLinear'> {
  const n = b.dims.at(-1)!;
  const scale = columnScales(n);
  const [aScale, scaleOut] = [0.03, 0.011].map(Math.fround) as [number, number];
  const factors = Array.from(scale.data, (value) => Math.fround(aScale * value) / scaleOut);
  const columnZeros: TestTensor = {
    dtype: b.dtype,
    dims: [n],
    data: Array.from({ length: n }, (_, i) => i % 7),
  };
  const aZero = one(a.dtype, 3);
  const zero = one(type, 100);
  return {
    name: `to ${type} of ${a.dtype}[${a.dims.join()}] x ${b.dtype}[${b.dims.join()}]`,
    attributes: { ...unpacked, to: type },
    inputs: [a, b, aZero, columnZeros, undefined, floats([n], factors), zero],
    onnx: {
      type: 'QLinearMatMul',
      opset: 21,
      inputs: [
        a,
        one('float32', aScale),
        aZero,
        b,
        scale,
        columnZeros,
        one('float32', scaleOut),
        zero,
      ],
      outputs: [type],
    },
    tolerance: 0,
  };
}

/** With the scale of the left side in the factors, or by itself. */
function toFloats(a: TestTensor, b: TestTensor, apart = false): ContractCase<'IntegerLinear'> {
  const n = b.dims.at(-1)!;
  const scale = columnScales(n);
  const aScale = one('float32', 0.25);
  const factors = floats(
    [n],
    Array.from(scale.data, (value) => (apart ? value : 0.25 * value)),
  );
  const offset = floats(
    [n],
    Array.from({ length: n }, (_, i) => i / 3 - 1),
  );
  const [aZero, bZero] = [one(a.dtype, 100), one(b.dtype, 5)];
  return {
    name: `to floats${apart ? ', scaled,' : ''} of ${a.dtype}[${a.dims.join()}] x ${b.dtype}[${b.dims.join()}]`,
    attributes: { ...unpacked, to: 'float32' },
    inputs: [a, b, aZero, bZero, undefined, factors, undefined, offset, ...(apart ? [aScale] : [])],
    onnx: {
      type: 'MatMulIntegerToFloat',
      domain: 'com.microsoft',
      inputs: [a, b, aScale, scale, aZero, bZero, offset],
      outputs: ['float32'],
    },
    tolerance: 0,
  };
}

operatorContract(
  'IntegerLinear',
  [
    ...byteTypes.flatMap((left) =>
      byteTypes.flatMap((right) => [
        product(bytes(left, [3, 5]), bytes(right, [5, 7], 2)),
        product(bytes(left, [17, 33]), bytes(right, [33, 6], 2), one(left, 77), one(right, 13)),
      ]),
    ),
    product(bytes('uint8', [1, 300]), bytes('int8', [300, 1030], 2), one('uint8', 128)),
    product(bytes('uint8', [2, 3, 4, 5]), bytes('uint8', [3, 5, 2], 2), one('uint8', 9)),
    product(bytes('uint8', [4, 5]), bytes('int8', [2, 3, 5, 2], 2)),
    product(bytes('uint8', [5]), bytes('int8', [5, 2], 2), one('uint8', 1)),
    product(bytes('uint8', [0, 5]), bytes('int8', [5, 2], 2)),
    requantized('uint8', bytes('uint8', [9, 40]), bytes('uint8', [40, 11], 2)),
    requantized('int8', bytes('int8', [3, 21]), bytes('int8', [21, 5], 2)),
    toFloats(bytes('uint8', [6, 70]), bytes('int8', [70, 10], 2)),
    toFloats(bytes('uint8', [1, 8]), bytes('uint8', [8, 3], 2)),
    toFloats(bytes('uint8', [19, 70]), bytes('uint8', [70, 37], 2), true),
  ],
  [
    {
      name: 'a matrix to pack',
      attributes: unpacked,
      inputs: [zeros('uint8', [2, 1500]), zeros('int8', [1500, 900])],
    },
    {
      name: 'rows',
      attributes: { ...unpacked, k: 64, n: 64 },
      inputs: [zeros('uint8', [9000, 64]), zeros('int8', [4096])],
    },
  ],
);

describe('packed weights', () => {
  it.each(byteTypes)('of %s give what those that are not packed give', async (type) => {
    const engine = await Engine.create();
    const [k, n] = [300, 11];
    const [a, b] = [bytes('uint8', [5, k]), bytes(type, [k, n], 2)];
    const shift = type === 'uint8' ? 128 : 0;
    const packed = packInt8(k, n, (row, column) => b.data[row * n + column]! - shift);
    const weights: TestTensor = { dtype: 'int8', dims: [packed.length], data: packed };
    const zero = one('uint8', 4);
    const words = encodeAttributes('IntegerLinear', { to: 'int32', unsigned: shift > 0, k, n });
    const found = engine.run('IntegerLinear', [a, weights, zero], words);
    const expected = await onnxruntime({
      type: 'MatMulInteger',
      inputs: [a, b, zero],
      outputs: ['int32'],
    });
    expect(found).toEqual(expected);
  });

  it('of another size are refused', async () => {
    const engine = await Engine.create();
    const words = encodeAttributes('IntegerLinear', { ...unpacked, k: 16, n: 4 });
    const run = (...inputs: TestTensor[]) => engine.run('IntegerLinear', inputs, words);
    const weights = (count: number): TestTensor => bytes('int8', [count]);
    expect(() => run(bytes('uint8', [2, 16]), weights(63))).toThrow('weights of 64 bytes');
    expect(() => run(bytes('uint8', [2, 15]), weights(64))).toThrow('weights of 64 bytes');
    expect(() => run(floats([16], Array<number>(16).fill(0)), weights(64))).toThrow(
      'int8 or uint8',
    );
    expect(() => run(bytes('uint8', [2, 16]), weights(64), bytes('uint8', [2]))).toThrow(
      'one number',
    );
  });
});
