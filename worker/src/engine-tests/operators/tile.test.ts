import { indexes, patterned } from '../../testing/metered-engine.js';
import { ints, random } from '../compare.js';
import type { TestTensor } from '../engine.js';
import { operatorContract, type ContractCase } from './contract.js';

function tiled(x: TestTensor, repeats: number[]): ContractCase<'Tile'> {
  return {
    name: `[${x.dims.join()}] by ${repeats.join()}`,
    attributes: {},
    inputs: [x, ints(repeats)],
    onnx: { type: 'Tile' },
    tolerance: 0,
  };
}

operatorContract(
  'Tile',
  [
    tiled(random([3]), [4]),
    tiled(random([2, 3]), [3, 2]),
    tiled(random([2, 1, 3]), [1, 5, 2]),
    tiled(random([2, 3]), [0, 2]),
    tiled(random([0, 3]), [2, 2]),
    tiled(random([]), []),
    tiled(random([1, 2, 1, 3, 2]), [2, 2, 2, 1, 3]),
    tiled({ dtype: 'uint8', dims: [2, 3], data: [1, 2, 3, 4, 5, 6] }, [2, 3]),
    tiled({ dtype: 'int64', dims: [2], data: [7, -8] }, [3]),
  ],
  [
    { name: 'rows', attributes: {}, inputs: [patterned([700, 300]), indexes([20, 10])] },
    { name: 'elements', attributes: {}, inputs: [patterned([1000, 1]), indexes([30, 300])] },
  ],
);
