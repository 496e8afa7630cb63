import { DType, type DTypeName } from '@canopy/protocol';
import { beforeAll, describe, expect, it } from 'vitest';
import { patterned } from '../../testing/metered-engine.js';
import { Engine, type TestTensor } from '../engine.js';
import { onnxruntime } from '../onnxruntime.js';
import { operatorContract, type ContractCase } from './contract.js';

/** All types that onnxruntime's JavaScript takes. */
const types: DTypeName[] = [
  ...(['float32', 'float64', 'float16', 'bool', 'int8', 'uint8'] as const),
  ...(['int16', 'uint16', 'int32', 'uint32', 'int64', 'uint64'] as const),
];
const isFloat = (type: DTypeName): boolean => type.startsWith('float');

/** Numbers that hold in all types of the kind. */
function values(from: DTypeName, to: DTypeName): number[] {
  if (from === 'bool') return [0, 1, 1];
  const signed = !from.startsWith('u');
  const whole = [0, 1, 2, 100, 127, ...(signed ? [-1, -2, -128] : [255])];
  const wide = /8$/.test(from) ? [] : [300, 1000, 30000, ...(signed ? [-129, -30000] : [60000])];
  const real = isFloat(from) ? [0.5, 1.5, -2.5, -0.5, 0.1, 1e-6, 2049, 2051] : [];
  const special = isFloat(from) && isFloat(to) ? [NaN, Infinity, -Infinity, 65519, 65504] : [];
  return [...whole, ...wide, ...real, ...special];
}

function cast(from: DTypeName, to: DTypeName): ContractCase<'Cast'> {
  const data = values(from, to);
  return {
    name: `${from} to ${to}`,
    attributes: { to },
    inputs: [{ dtype: from, dims: [data.length], data }],
    onnx: { type: 'Cast', attributes: { to: DType[to] }, outputs: [to] },
    tolerance: 0,
  };
}

operatorContract(
  'Cast',
  types.flatMap((from) => types.map((to) => cast(from, to))),
  [{ name: 'to float16', attributes: { to: 'float16' }, inputs: [patterned([400_000])] }],
);

describe('numbers out of reach', () => {
  let engine: Engine;
  beforeAll(async () => {
    engine = await Engine.create();
  });

  it.each(['int8', 'uint8', 'int16', 'uint16', 'int32', 'int64', 'uint64'] as const)(
    'become of %s what they do in onnxruntime',
    async (to) => {
      const data = [128, 300, -129, 70000, -40000, 2 ** 31, -5e9, 5e9, 1e19, -1e19, 2e19];
      const input: TestTensor = { dtype: 'float64', dims: [13], data: [...data, NaN, Infinity] };
      const [expected] = await onnxruntime({
        type: 'Cast',
        inputs: [input],
        attributes: { to: DType[to] },
        outputs: [to],
      });
      expect(engine.run('Cast', [input], [DType[to]])[0]).toEqual(expected);
    },
  );

  it('bfloat16 is the nearest, half to even', () => {
    const data = [1, 1.00390625, 1.01171875, -3.14159, 3.4e38, NaN, Infinity, 1e-40];
    const [stored] = engine.run('Cast', [{ dtype: 'float32', dims: [8], data }], [DType.bfloat16]);
    expect(stored!.data).toEqual([
      1,
      1,
      1.015625,
      -3.140625,
      Infinity,
      NaN,
      Infinity,
      expect.any(Number),
    ]);
    const [back] = engine.run('Cast', [stored!], [DType.float32]);
    expect(back!.data).toEqual(stored!.data);
  });
});
