import { patterned } from '../../testing/metered-engine.js';
import { floats, ints } from '../compare.js';
import type { TestTensor } from '../engine.js';
import { operatorContract, type ContractCase } from './contract.js';

function different(x: TestTensor, sorted: boolean, axis?: number): ContractCase<'Unique'> {
  return {
    name: `of ${x.dtype}[${x.dims.join()}] along ${axis}, ${sorted}`,
    attributes: { axis: axis ?? 0, flat: axis === undefined, sorted },
    inputs: [x],
    onnx: {
      type: 'Unique',
      attributes: { sorted: Number(sorted), ...(axis !== undefined && { axis }) },
      outputs: [x.dtype, 'int64', 'int64', 'int64'],
    },
    tolerance: 0,
  };
}

const list = floats([9], [2, 1, 1, 3, 4, 3, -0.5, 2, 2]);
const matrix = floats([4, 3], [1, 0, 0, 1, 0, 0, 2, 3, 4, 1, 0, -1]);

operatorContract(
  'Unique',
  [
    different(list, true),
    different(list, false),
    different(matrix, true, 0),
    different(matrix, false, 0),
    different(matrix, true, 1),
    different(floats([2, 2, 2], [1, 1, 0, 1, 2, 1, 0, 1]), true, 2),
    different(floats([1], [5]), false),
    different(ints([3, -3, 3, 9, -3, 0, 9]), false),
    different(ints(Array.from({ length: 100 }, (_, i) => (i * 37) % 11)), true),
    different({ dtype: 'int8', dims: [4], data: [3, -3, 3, 2] }, true),
    different({ dtype: 'float64', dims: [4], data: [3, -3, 3, 2] }, false),
  ],
  [
    {
      name: 'a list',
      attributes: { axis: 0, flat: true, sorted: false },
      inputs: [patterned([60_000])],
      outputs: 4,
    },
    {
      name: 'rows',
      attributes: { axis: 0, flat: false, sorted: true },
      inputs: [patterned([300, 600], 'bool')],
      outputs: 4,
    },
  ],
);
