import { patterned } from '../../testing/metered-engine.js';
import { random } from '../compare.js';
import type { TestTensor } from '../engine.js';
import { operatorContract, type ContractCase } from './contract.js';

const bools = (...data: number[]): TestTensor => ({ dtype: 'bool', dims: [data.length], data });

function compressed(x: TestTensor, condition: TestTensor, axis?: number): ContractCase<'Compress'> {
  return {
    name: `[${x.dims.join()}] where ${Array.from(condition.data).join('')} along ${axis}`,
    attributes: { axis: axis ?? 0, flat: axis === undefined },
    inputs: [x, condition],
    onnx: { type: 'Compress', attributes: axis === undefined ? {} : { axis } },
    tolerance: 0,
  };
}

const x = random([3, 4, 5]);

operatorContract(
  'Compress',
  [
    compressed(x, bools(1, 0, 1), 0),
    compressed(x, bools(0, 1), 1),
    compressed(x, bools(1, 1, 0, 0, 1), -1),
    compressed(x, bools(0, 1, 1, 0, 1, 0, 0, 1)),
    compressed(x, bools(0, 0, 0), 0),
    compressed(random([0, 3]), bools(1, 0, 1), 1),
    compressed({ dtype: 'int64', dims: [2, 2], data: [1, -2, 3, 4] }, bools(0, 1), 1),
    compressed({ dtype: 'uint8', dims: [4], data: [1, 2, 3, 4] }, bools(1, 0, 0, 1)),
  ],
  [
    {
      name: 'elements',
      attributes: { axis: 0, flat: true },
      inputs: [patterned([400_000]), patterned([400_000], 'bool')],
    },
    {
      name: 'long parts',
      attributes: { axis: 0, flat: false },
      inputs: [patterned([5, 4_000_000]), patterned([5], 'bool')],
    },
    {
      name: 'columns',
      attributes: { axis: 1, flat: false },
      inputs: [patterned([1000, 300]), patterned([300], 'bool')],
    },
  ],
);
