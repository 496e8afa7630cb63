import { patterned } from '../../testing/metered-engine.js';
import { random } from '../compare.js';
import type { TestTensor } from '../engine.js';
import { operatorContract, type ContractCase } from './contract.js';

function moved(x: TestTensor, block: number, columns: boolean): ContractCase<'DepthToSpace'> {
  return {
    name: `${x.dtype}[${x.dims.join()}] by ${block}${columns ? ', columns' : ''}`,
    attributes: { block, columns },
    inputs: [x],
    onnx: {
      type: 'DepthToSpace',
      attributes: { blocksize: block, mode: columns ? 'CRD' : 'DCR' },
    },
    tolerance: 0,
  };
}

operatorContract(
  'DepthToSpace',
  [
    moved(random([2, 8, 3, 5]), 2, false),
    moved(random([2, 8, 3, 5]), 2, true),
    moved(random([1, 9, 2, 2]), 3, true),
    moved(random([1, 2, 3, 4]), 1, false),
    moved(random([0, 4, 2, 2]), 2, false),
    moved({ dtype: 'float64', dims: [1, 4, 1, 2], data: [1, 2, 3, 4, 5, 6, 7, 8] }, 2, false),
  ],
  [
    {
      name: 'image',
      attributes: { block: 2, columns: true },
      inputs: [patterned([1, 64, 100, 100])],
    },
  ],
);
