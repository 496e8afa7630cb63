import { patterned } from '../../testing/metered-engine.js';
import { ints, random } from '../compare.js';
import type { TestTensor } from '../engine.js';
import type { ScatterReductionName } from '@canopy/protocol';
import { operatorContract, type ContractCase } from './contract.js';
import { zeros } from './tensors.js';

function scattered(
  x: TestTensor,
  indices: TestTensor,
  updates: TestTensor,
  reduction: ScatterReductionName = 'none',
): ContractCase<'ScatterND'> {
  return {
    name: `${reduction} of ${x.dtype}[${x.dims.join()}] by [${indices.dims.join()}]`,
    attributes: { reduction },
    inputs: [x, indices, updates],
    onnx: { type: 'ScatterND', opset: 18, attributes: { reduction } },
    tolerance: 0,
  };
}

const twice = ints([1, -3, 1], [3, 1]);
const reductions = ['none', 'add', 'mul', 'max', 'min'] as const;
const long = (dims: number[], data: number[]): TestTensor => ({ dtype: 'int64', dims, data });

operatorContract(
  'ScatterND',
  [
    ...reductions.map((reduction) =>
      scattered(random([4, 5]), twice, random([3, 5], 2), reduction),
    ),
    scattered(random([2, 3, 4]), ints([0, 2, -1, 1], [2, 2]), random([2, 4], 2)),
    scattered(long([4], [1, 2, 3, 4]), ints([3, 0], [2, 1]), long([2], [9, 8]), 'max'),
    scattered(random([2, 2]), ints([1, 1], [1, 2]), random([1])),
    scattered(random([2, 2]), ints([], [0, 1]), random([0, 2])),
  ],
  [
    {
      name: 'many',
      attributes: { reduction: 'none' },
      inputs: [patterned([100]), zeros('int64', [300_000, 1]), patterned([300_000])],
    },
    {
      name: 'large blocks',
      attributes: { reduction: 'add' },
      inputs: [patterned([2, 2_000_000]), zeros('int64', [2, 1]), patterned([2, 2_000_000])],
    },
  ],
);
