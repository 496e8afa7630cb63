import { indexes, patterned, scalar } from '../../testing/metered-engine.js';
import { ints, random } from '../compare.js';
import type { TestTensor } from '../engine.js';
import { operatorContract, type ContractCase } from './contract.js';

function sums(
  x: TestTensor,
  axis: number,
  exclusive = false,
  reverse = false,
): ContractCase<'CumSum'> {
  return {
    name: `${x.dtype}[${x.dims.join()}] along ${axis}, ${exclusive} ${reverse}`,
    attributes: { exclusive, reverse },
    inputs: [x, ints([axis], [])],
    onnx: {
      type: 'CumSum',
      attributes: { exclusive: Number(exclusive), reverse: Number(reverse) },
    },
  };
}

const x = random([3, 4, 5]);
const doubles: TestTensor = { dtype: 'float64', dims: [2, 3], data: [0.5, 1, -2, 4, 1e-9, 3] };
const whole = [1, 2, -3, 4, 5, 6];

operatorContract(
  'CumSum',
  [
    sums(x, 0),
    sums(x, 1, true),
    sums(x, 2, false, true),
    sums(x, -1, true, true),
    sums(x, 1, true, true),
    sums(random([0, 3]), 0),
    sums(random([1]), 0, true),
    sums(doubles, 1),
    sums({ dtype: 'int32', dims: [2, 3], data: whole }, 0),
    sums({ dtype: 'int64', dims: [6], data: whole }, 0, false, true),
  ],
  [
    {
      name: 'one row',
      attributes: { exclusive: false, reverse: true },
      inputs: [patterned([600_000]), indexes([0])],
    },
    {
      name: 'columns',
      attributes: { exclusive: true, reverse: false },
      inputs: [patterned([10, 50_000]), scalar(0)],
    },
  ],
);
