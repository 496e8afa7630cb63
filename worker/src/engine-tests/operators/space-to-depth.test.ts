import { patterned } from '../../testing/metered-engine.js';
import { random } from '../compare.js';
import type { TestTensor } from '../engine.js';
import { operatorContract, type ContractCase } from './contract.js';

function moved(x: TestTensor, block: number): ContractCase<'SpaceToDepth'> {
  return {
    name: `${x.dtype}[${x.dims.join()}] by ${block}`,
    attributes: { block },
    inputs: [x],
    onnx: { type: 'SpaceToDepth', attributes: { blocksize: block } },
    tolerance: 0,
  };
}

operatorContract(
  'SpaceToDepth',
  [
    moved(random([2, 3, 4, 6]), 2),
    moved(random([1, 2, 6, 3]), 3),
    moved(random([1, 2, 3, 4]), 1),
    moved(random([0, 4, 2, 2]), 2),
    moved({ dtype: 'float64', dims: [1, 1, 2, 4], data: [1, 2, 3, 4, 5, 6, 7, 8] }, 2),
  ],
  [{ name: 'image', attributes: { block: 2 }, inputs: [patterned([1, 16, 200, 200])] }],
);
