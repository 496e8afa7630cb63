import { floats } from '../compare.js';
import type { TestTensor } from '../engine.js';
import { bytes, byteTypes, one } from './bytes.js';
import { operatorContract, type ContractCase } from './contract.js';
import { zeros } from './tensors.js';

type Kind = 'add' | 'mul';

function quantized(
  kind: Kind,
  a: TestTensor,
  b: TestTensor,
  [aScale, bScale, scale]: readonly [number, number, number],
): ContractCase<'QuantizedBinary'> {
  const floatOf = (value: number): TestTensor => one('float32', value);
  const shift = a.dtype === 'uint8' ? 128 : 0;
  const zero = (value: number): TestTensor => one(a.dtype, value + shift);
  const left = [floatOf(aScale), zero(3)];
  const right = [floatOf(bScale), zero(-5)];
  const result = [floatOf(scale), zero(-9)];
  return {
    name: `${kind} of ${a.dtype}[${a.dims.join()}] and [${b.dims.join()}], ${aScale}, ${bScale}, ${scale}`,
    attributes: { kind },
    inputs: [a, b, ...left, ...right, ...result],
    onnx: {
      type: kind === 'add' ? 'QLinearAdd' : 'QLinearMul',
      domain: 'com.microsoft',
      inputs: [a, ...left, b, ...right, ...result],
      outputs: [a.dtype],
    },
    tolerance: 0,
  };
}

const scales = [
  [0.013, 0.021, 0.03],
  [0.5, 0.25, 0.5],
  [0.0071, 0.9, 0.44],
] as const;
/** Scales of products. */
const wider = scales.map(([a, b, c]) => [a, b, c * b * 30] as const);

operatorContract(
  'QuantizedBinary',
  byteTypes.flatMap((type) => {
    const [a, b] = [bytes(type, [3, 4, 257]), bytes(type, [3, 4, 257], 2)];
    return [
      ...scales.map((some) => quantized('add', a, b, some)),
      ...wider.map((some) => quantized('mul', a, b, some)),
      quantized('add', a, bytes(type, [], 2), scales[0]),
      quantized('add', bytes(type, [1]), b, scales[2]),
      quantized('mul', a, bytes(type, [4, 1], 2), wider[0]!),
      quantized('add', bytes(type, [0, 3]), bytes(type, [3]), scales[0]),
      quantized('mul', bytes(type, [3]), bytes(type, [3], 2), wider[1]!),
    ];
  }),
  [
    {
      name: 'many',
      attributes: { kind: 'add' },
      inputs: [zeros('uint8', [3_000_000]), zeros('uint8', [3_000_000]), ...ones()],
    },
  ],
);

function ones() {
  const scale = {
    dtype: 'float32',
    dims: [],
    bytes: new Uint8Array(floats([], [1]).data.length * 4),
  } as const;
  new DataView(scale.bytes.buffer).setFloat32(0, 1, true);
  const zero = zeros('uint8', []);
  return [scale, zero, scale, zero, scale, zero];
}
