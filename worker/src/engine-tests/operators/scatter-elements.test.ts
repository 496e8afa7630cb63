import type { DTypeName, ScatterReductionName } from '@canopy/protocol';
import { patterned } from '../../testing/metered-engine.js';
import { ints, random } from '../compare.js';
import type { TestTensor } from '../engine.js';
import { operatorContract, type ContractCase } from './contract.js';
import { zeros } from './tensors.js';

function scattered(
  x: TestTensor,
  axis: number,
  indices: TestTensor,
  updates: TestTensor,
  reduction: ScatterReductionName = 'none',
): ContractCase<'ScatterElements'> {
  return {
    name: `${reduction} of ${x.dtype}[${x.dims.join()}] along ${axis}`,
    attributes: { axis, reduction },
    inputs: [x, indices, updates],
    onnx: { type: 'ScatterElements', opset: 18, attributes: { axis, reduction } },
    tolerance: 0,
  };
}

const whole = (dtype: DTypeName, dims: readonly number[]): TestTensor => ({
  dtype,
  dims,
  data: Array.from(random(dims, 5).data, (value) => Math.floor(Math.abs(value) * 9)),
});
const places = ints([0, 2, -1, 1, 1, 1, 2, 0], [4, 2]);
const reductions = ['none', 'add', 'mul', 'max', 'min'] as const;

operatorContract(
  'ScatterElements',
  [
    ...reductions.map((reduction) =>
      scattered(random([4, 3]), 1, places, random([4, 2], 2), reduction),
    ),
    ...(['int64', 'int32', 'uint8', 'float64'] as const).map((dtype) =>
      scattered(whole(dtype, [4, 3]), 1, places, whole(dtype, [4, 2]), 'add'),
    ),
    scattered(random([3, 2, 2]), 0, ints([0, -1, 1, 2], [2, 1, 2]), random([2, 1, 2], 2)),
    scattered(whole('bool', [3]), -1, ints([1]), { dtype: 'bool', dims: [1], data: [1] }),
    scattered(random([3, 2]), 1, ints([], [3, 0]), random([3, 0])),
  ],
  [
    {
      name: 'many',
      attributes: { axis: 1, reduction: 'add' },
      inputs: [patterned([500, 1000]), zeros('int64', [500, 1000]), patterned([500, 1000])],
    },
  ],
);
