import { patterned } from '../../testing/metered-engine.js';
import { ints, random } from '../compare.js';
import type { TestTensor } from '../engine.js';
import { operatorContract, type ContractCase } from './contract.js';
import { zeros } from './tensors.js';

function gathered(x: TestTensor, indices: TestTensor, batchDims = 0): ContractCase<'GatherND'> {
  return {
    name: `${x.dtype}[${x.dims.join()}] by [${indices.dims.join()}] behind ${batchDims}`,
    attributes: { batchDims },
    inputs: [x, indices],
    onnx: { type: 'GatherND', attributes: { batch_dims: batchDims } },
    tolerance: 0,
  };
}

operatorContract(
  'GatherND',
  [
    gathered(random([2, 3]), ints([0, 0, 1, 2], [2, 2])),
    gathered(random([2, 3, 4]), ints([1, 2, -2, 0], [2, 1, 2])),
    gathered(random([2, 3, 4]), ints([1, -1], [2, 1])),
    gathered(random([2, 3, 4]), ints([1, -1], [2, 1]), 1),
    gathered(random([2, 2, 3]), ints([0, 2, 1, 1], [2, 2, 1]), 2),
    gathered({ dtype: 'uint8', dims: [2, 3], data: [1, 2, 3, 4, 5, 6] }, ints([1, 1], [1, 2])),
    gathered({ dtype: 'int64', dims: [2, 3], data: [1, 2, 3, 4, 5, 6] }, ints([1], [1, 1])),
    gathered(random([2, 3]), ints([], [0, 2])),
  ],
  [
    {
      name: 'many',
      attributes: { batchDims: 0 },
      inputs: [patterned([1000, 8]), zeros('int64', [300_000, 1])],
    },
    {
      name: 'large blocks',
      attributes: { batchDims: 0 },
      inputs: [patterned([2, 4_000_000]), zeros('int64', [3, 1])],
    },
  ],
);
