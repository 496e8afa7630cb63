import { beforeAll, describe, expect, it } from 'vitest';
import { random } from '../compare.js';
import { Engine, type TestTensor } from '../engine.js';
import { operatorContract, type ContractCase } from './contract.js';

const flag = (value: boolean, dims: number[] = []): TestTensor => ({
  dtype: 'bool',
  dims,
  data: [Number(value)],
});

/** Where gives the same of two tensors of one shape. */
function chosen(value: boolean, x: TestTensor, y: TestTensor): ContractCase<'Select'> {
  return {
    name: `${value} of ${x.dtype}[${x.dims.join()}]`,
    attributes: {},
    inputs: [flag(value), x, y],
    onnx: { type: 'Where', outputs: [x.dtype] },
    tolerance: 0,
  };
}

const longs = (start: number): TestTensor => ({
  dtype: 'int64',
  dims: [2, 2],
  data: [start, start + 1, start + 2, start + 3],
});

operatorContract(
  'Select',
  [
    chosen(true, random([3, 5], 1), random([3, 5], 2)),
    chosen(false, random([3, 5], 1), random([3, 5], 2)),
    chosen(true, random([], 1), random([], 2)),
    chosen(false, random([0, 4], 1), random([0, 4], 2)),
    chosen(false, longs(1), longs(7)),
  ],
  [],
);

describe('Select', () => {
  let engine: Engine;
  beforeAll(async () => {
    engine = await Engine.create();
  });
  const x = random([2, 3], 1);

  it('gives values of any shape, the other of which is absent', () => {
    expect(engine.run('Select', [flag(true, [1]), x, undefined])[0]?.dims).toEqual([2, 3]);
    expect(engine.run('Select', [flag(false), random([4], 2), x])[0]?.dims).toEqual([2, 3]);
  });

  it.each([
    ['an absent value', [flag(false), x, undefined], /left out by a branch/],
    ['a condition that is none', [x, x, x], /bool of one element/],
    ['several conditions', [{ ...flag(true, [2]), data: [1, 1] }, x, x], /bool of one element/],
  ])('refuses %s', (_, inputs, text) => {
    expect(() => engine.run('Select', inputs)).toThrow(text);
  });
});
