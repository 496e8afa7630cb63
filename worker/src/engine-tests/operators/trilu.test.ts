import { patterned } from '../../testing/metered-engine.js';
import { ints, random } from '../compare.js';
import type { TestTensor } from '../engine.js';
import { operatorContract, type ContractCase } from './contract.js';

function triangle(x: TestTensor, upper: boolean, k?: number): ContractCase<'Trilu'> {
  return {
    name: `${upper ? 'upper' : 'lower'} of ${x.dtype}[${x.dims.join()}] from ${k}`,
    attributes: { upper },
    inputs: k === undefined ? [x] : [x, ints([k], [])],
    onnx: { type: 'Trilu', attributes: { upper: Number(upper) } },
    tolerance: 0,
  };
}

const square = random([5, 5]);
const longs: TestTensor = { dtype: 'int64', dims: [3, 4], data: [...Array(12).keys()] };

operatorContract(
  'Trilu',
  [
    triangle(square, true),
    triangle(square, false),
    triangle(random([2, 3, 7]), true, 2),
    triangle(random([2, 3, 7]), false, -1),
    triangle(random([7, 3]), true, -3),
    triangle(random([4, 4]), true, 99),
    triangle(random([4, 4]), false, -(2 ** 40)),
    triangle(random([2, 0, 3]), true),
    triangle(longs, false, 1),
    triangle({ dtype: 'bool', dims: [3, 3], data: Array<number>(9).fill(1) }, true),
  ],
  [
    { name: 'rows', attributes: { upper: true }, inputs: [patterned([6000, 1500])] },
    { name: 'two long rows', attributes: { upper: false }, inputs: [patterned([2, 8_000_000])] },
  ],
);
