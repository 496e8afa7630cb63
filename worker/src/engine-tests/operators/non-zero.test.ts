import { patterned } from '../../testing/metered-engine.js';
import { floats, random } from '../compare.js';
import type { TestTensor } from '../engine.js';
import { operatorContract, type ContractCase } from './contract.js';

function places(x: TestTensor): ContractCase<'NonZero'> {
  return {
    name: `${x.dtype}[${x.dims.join()}]`,
    attributes: {},
    inputs: [x],
    onnx: { type: 'NonZero', outputs: ['int64'] },
    tolerance: 0,
  };
}

operatorContract(
  'NonZero',
  [
    places(floats([2, 4], [0, 1, -0, NaN, 1e-45, 0, -3, 0])),
    places(random([2, 3, 4])),
    places(floats([3], [0, 0, 0])),
    places(floats([0, 2], [])),
    places({ dtype: 'bool', dims: [2, 3], data: [0, 1, 1, 0, 0, 1] }),
    places({ dtype: 'int64', dims: [3], data: [0, -1, 5] }),
    places({ dtype: 'uint8', dims: [3], data: [0, 128, 5] }),
  ],
  [{ name: 'many', attributes: {}, inputs: [patterned([500, 500], 'int64')] }],
);
