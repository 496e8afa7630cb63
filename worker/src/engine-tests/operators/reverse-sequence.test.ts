import { indexes, patterned } from '../../testing/metered-engine.js';
import { ints, random } from '../compare.js';
import type { TestTensor } from '../engine.js';
import { operatorContract, type ContractCase } from './contract.js';

function reversed(x: TestTensor, lengths: number[], time: number): ContractCase<'ReverseSequence'> {
  return {
    name: `[${x.dims.join()}] by ${lengths.join()}, time ${time}`,
    attributes: { time },
    inputs: [x, ints(lengths)],
    onnx: { type: 'ReverseSequence', attributes: { time_axis: time, batch_axis: 1 - time } },
    tolerance: 0,
  };
}

operatorContract(
  'ReverseSequence',
  [
    reversed(random([4, 3]), [1, 3, 4], 0),
    reversed(random([3, 4]), [4, 0, 2], 1),
    reversed(random([4, 2, 5]), [2, 4], 0),
    reversed(random([2, 3, 2, 3]), [3, 1], 1),
    reversed(random([3, 2, 0]), [3, 1], 0),
    reversed({ dtype: 'int64', dims: [3, 2], data: [1, 2, 3, 4, 5, 6] }, [2, 3], 0),
  ],
  [
    {
      name: 'elements',
      attributes: { time: 1 },
      inputs: [patterned([2, 60_000]), indexes([60_000, 777])],
    },
    {
      name: 'long parts',
      attributes: { time: 0 },
      inputs: [patterned([3, 2, 4_000_000]), indexes([3, 2])],
    },
  ],
);
