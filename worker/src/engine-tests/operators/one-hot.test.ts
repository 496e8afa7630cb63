import { patterned, scalar } from '../../testing/metered-engine.js';
import { floats, ints } from '../compare.js';
import type { TestTensor } from '../engine.js';
import { operatorContract, type ContractCase } from './contract.js';

function hot(
  indices: TestTensor,
  depth: number,
  axis: number,
  values?: TestTensor,
): ContractCase<'OneHot'> {
  const both = values ?? floats([2], [0.5, 2]);
  return {
    name: `${both.dtype} of [${indices.dims.join()}], ${depth} along ${axis}`,
    attributes: { axis },
    inputs: [indices, ints([depth], []), both],
    onnx: { type: 'OneHot', attributes: { axis }, outputs: [both.dtype] },
    tolerance: 0,
  };
}

const indices = ints([0, 2, -1, 5, 3, -5], [2, 3]);

operatorContract(
  'OneHot',
  [
    hot(indices, 4, -1),
    hot(indices, 4, 0),
    hot(indices, 4, 1),
    hot(indices, 1, -2),
    hot(ints([], [0]), 3, 0),
    hot(indices, 4, 2, ints([-1, 9])),
  ],
  [
    {
      name: 'many',
      attributes: { axis: 1 },
      inputs: [patterned([300_000], 'int64'), scalar(40), patterned([2])],
    },
  ],
);
