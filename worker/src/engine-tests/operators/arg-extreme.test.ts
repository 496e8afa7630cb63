import { patterned } from '../../testing/metered-engine.js';
import { floats, random } from '../compare.js';
import type { TestTensor } from '../engine.js';
import { operatorContract, type ContractCase } from './contract.js';

function extreme(
  x: TestTensor,
  axis: number,
  largest = true,
  keepDims = true,
  last = false,
): ContractCase<'ArgExtreme'> {
  return {
    name: `${largest ? 'largest' : 'smallest'} of ${x.dtype}[${x.dims.join()}] along ${axis}, ${keepDims} ${last}`,
    attributes: { axis, largest, keepDims, last },
    inputs: [x],
    onnx: {
      type: largest ? 'ArgMax' : 'ArgMin',
      attributes: { axis, keepdims: Number(keepDims), select_last_index: Number(last) },
      outputs: ['int64'],
    },
    tolerance: 0,
  };
}

const x = random([3, 4, 5]);
const ties = floats([2, 4], [1, 3, 3, 2, -1, -1, -5, -5]);
const whole = [3, 200, 7, 200, 1, 1];

operatorContract(
  'ArgExtreme',
  [
    extreme(x, 0),
    extreme(x, 1, false, false),
    extreme(x, -1),
    extreme(ties, 1),
    extreme(ties, 1, true, false, true),
    extreme(ties, 1, false),
    extreme(ties, 1, false, true, true),
    extreme(floats([2, 2], [Infinity, -Infinity, -Infinity, -Infinity]), 0),
    extreme(random([2, 3, 0]), 1),
    extreme({ dtype: 'float64', dims: [6], data: whole }, 0),
    extreme({ dtype: 'int32', dims: [2, 3], data: whole }, 1),
    extreme({ dtype: 'int8', dims: [2, 3], data: [3, 100, 7, 100, 1, -1] }, 0, false),
    extreme({ dtype: 'uint8', dims: [2, 3], data: whole }, 1),
  ],
  [
    {
      name: 'one row',
      attributes: { axis: 0, largest: true, keepDims: true, last: false },
      inputs: [patterned([600_000])],
    },
    {
      name: 'long columns',
      attributes: { axis: 0, largest: false, keepDims: true, last: true },
      inputs: [patterned([20, 40_000])],
    },
    {
      name: 'rows',
      attributes: { axis: 1, largest: true, keepDims: false, last: false },
      inputs: [patterned([200_000, 3])],
    },
  ],
);
