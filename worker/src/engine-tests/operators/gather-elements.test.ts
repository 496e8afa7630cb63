import { patterned } from '../../testing/metered-engine.js';
import { random } from '../compare.js';
import type { TestTensor } from '../engine.js';
import { operatorContract, type ContractCase } from './contract.js';
import { zeros } from './tensors.js';

function gathered(
  x: TestTensor,
  axis: number,
  indices: TestTensor,
): ContractCase<'GatherElements'> {
  return {
    name: `${x.dtype}[${x.dims.join()}] along ${axis}`,
    attributes: { axis },
    inputs: [x, indices],
    onnx: { type: 'GatherElements', attributes: { axis } },
    tolerance: 0,
  };
}

const indices = (dims: readonly number[], size: number, dtype: 'int64' | 'int32' = 'int64') => ({
  dtype,
  dims,
  data: Array.from(random(dims, 3).data, (value) => Math.floor(value * size)),
});
const long: TestTensor = { dtype: 'int64', dims: [3, 4], data: [...Array(12).keys()] };

operatorContract(
  'GatherElements',
  [
    gathered(random([3, 4]), 0, indices([2, 4], 3)),
    gathered(random([3, 4]), 1, indices([3, 7], 4)),
    gathered(random([3, 4, 5]), -2, indices([2, 6, 3], 4, 'int32')),
    gathered(long, 1, indices([3, 2], 4)),
    gathered({ dtype: 'bool', dims: [4], data: [1, 0, 1, 0] }, 0, indices([6], 4)),
    gathered({ dtype: 'float16', dims: [4], data: [1, 2, 3, 4] }, 0, indices([3], 4)),
    gathered(random([3, 4]), 1, indices([3, 0], 4)),
  ],
  [
    {
      name: 'many',
      attributes: { axis: 1 },
      inputs: [patterned([1000, 1000]), zeros('int32', [1000, 1000])],
    },
  ],
);
