import { indexes, patterned } from '../../testing/metered-engine.js';
import { floats, ints, random } from '../compare.js';
import type { TestTensor } from '../engine.js';
import { operatorContract, type ContractCase } from './contract.js';

function best(x: TestTensor, k: number, axis = -1, largest = true): ContractCase<'TopK'> {
  return {
    name: `${k} ${largest ? 'largest' : 'smallest'} of ${x.dtype}[${x.dims.join()}] along ${axis}`,
    attributes: { axis, largest },
    inputs: [x, ints([k])],
    onnx: {
      type: 'TopK',
      attributes: { axis, largest: Number(largest), sorted: 1 },
      outputs: [x.dtype, 'int64'],
    },
    tolerance: 0,
  };
}

const x = random([3, 4, 5]);
const ties = floats([2, 5], [1, 3, 3, 2, 3, -1, -1, -5, -5, 0]);
const whole = [3, -20, 7, 20, 1, 1];

operatorContract(
  'TopK',
  [
    best(x, 2),
    best(x, 3, 0, false),
    best(x, 4, 1),
    best(x, 1, 1),
    best(ties, 3),
    best(ties, 5, 1, false),
    best(random([100]), 100),
    best(random([1000]), 17, 0, false),
    best(floats([4], [Infinity, 1, -Infinity, 0]), 3),
    best({ dtype: 'float64', dims: [6], data: whole }, 3),
    best({ dtype: 'int64', dims: [2, 3], data: whole }, 2, 1),
    best({ dtype: 'int32', dims: [2, 3], data: whole }, 1, 0, false),
  ],
  [
    {
      name: 'one long row',
      attributes: { axis: 0, largest: true },
      inputs: [patterned([300_000]), indexes([60_000])],
      outputs: 2,
    },
    {
      name: 'columns',
      attributes: { axis: 0, largest: false },
      inputs: [patterned([8, 20_000]), indexes([3])],
      outputs: 2,
    },
  ],
);
