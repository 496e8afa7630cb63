import { indexes, patterned } from '../../testing/metered-engine.js';
import { ints, random } from '../compare.js';
import type { TestTensor } from '../engine.js';
import { operatorContract, type ContractCase } from './contract.js';

function products(
  x: TestTensor,
  axis: number,
  exclusive = false,
  reverse = false,
): ContractCase<'CumProd'> {
  return {
    name: `${x.dtype}[${x.dims.join()}] along ${axis}, ${exclusive} ${reverse}`,
    attributes: { exclusive, reverse },
    inputs: [x, ints([axis], [])],
    onnx: {
      type: 'CumProd',
      opset: 26,
      attributes: { exclusive: Number(exclusive), reverse: Number(reverse) },
    },
  };
}

const x = random([3, 4, 5]);
const whole = [1, 2, -3, 4, 5, 6];

operatorContract(
  'CumProd',
  [
    products(x, 0),
    products(x, 1, true),
    products(x, -1, false, true),
    products(random([0, 3]), 0),
    products({ dtype: 'float64', dims: [2, 3], data: [0.5, 1, -2, 4, 1e-9, 3] }, 1, true, true),
    products({ dtype: 'int32', dims: [2, 3], data: whole }, 0),
    products({ dtype: 'int64', dims: [6], data: whole }, 0, true),
  ],
  [
    {
      name: 'one row',
      attributes: { exclusive: false, reverse: true },
      inputs: [patterned([600_000]), indexes([0])],
    },
  ],
);
