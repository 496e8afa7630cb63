import { floats, ints, random } from '../compare.js';
import type { TestTensor } from '../engine.js';
import { operatorContract, type ContractCase } from './contract.js';
import { longs, zeros } from './tensors.js';

function plain(
  name: string,
  columns: TestTensor,
  sizes: readonly number[],
  block: readonly number[],
  attributes: { strides?: number[]; pads?: number[]; dilations?: number[] } = {},
): ContractCase<'Col2Im'> {
  const filled = (value: number, count = sizes.length) => Array<number>(count).fill(value);
  const { strides, pads, dilations } = attributes;
  return {
    name,
    attributes: {
      window: [
        ...block,
        ...(strides ?? filled(1)),
        ...(pads ?? filled(0, 2 * sizes.length)),
        ...(dilations ?? filled(1)),
      ],
    },
    inputs: [columns, ints(sizes)],
    onnx: {
      type: 'Col2Im',
      opset: 18,
      inputs: [columns, ints(sizes), ints(block)],
      attributes: {
        ...(strides && { strides }),
        ...(pads && { pads }),
        ...(dilations && { dilations }),
      },
    },
  };
}

const columns = random([2, 12, 12]);
const computedKernel: ContractCase<'Col2Im'> = {
  name: 'a computed kernel',
  attributes: { window: [1, 1, 1, 1, 0, 0, 0, 0, 1, 1] },
  inputs: [columns, ints([5, 4]), undefined, ints([2, 2])],
  onnx: { type: 'Col2Im', opset: 18, inputs: [columns, ints([5, 4]), ints([2, 2])] },
};

operatorContract(
  'Col2Im',
  [
    computedKernel,
    plain('blocks side by side', random([1, 5, 5]), [5, 5], [1, 5]),
    plain('overlapping', random([2, 12, 12]), [5, 4], [2, 2]),
    plain('pads', random([1, 9, 30]), [6, 5], [3, 3], { pads: [1, 1, 1, 1] }),
    plain('strides', random([1, 18, 4]), [5, 5], [3, 3], { strides: [2, 2] }),
    plain('dilations', random([1, 4, 15]), [6, 6], [2, 2], { dilations: [1, 3] }),
    plain('three dimensions', random([1, 10, 12]), [3, 4, 5], [1, 1, 5]),
    plain('one block', floats([1, 4, 1], [1, 2, NaN, Infinity]), [2, 2], [2, 2]),
  ],
  [
    {
      name: 'many channels',
      attributes: { window: [3, 3, 1, 1, 1, 1, 1, 1, 1, 1] },
      inputs: [zeros('float32', [1, 64 * 9, 128 * 128]), longs([128, 128])],
    },
  ],
);
