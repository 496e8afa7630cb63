import type { ReduceName } from '@canopy/protocol';
import { indexes, patterned } from '../../testing/metered-engine.js';
import { ints, random } from '../compare.js';
import type { TestTensor } from '../engine.js';
import { operatorContract, type ContractCase } from './contract.js';

const types: Partial<Record<ReduceName, string>> = {
  sum: 'ReduceSum',
  mean: 'ReduceMean',
  max: 'ReduceMax',
  l2: 'ReduceL2',
};

function reduced(
  kind: ReduceName,
  x: TestTensor,
  axes: number[],
  keepDims = true,
  noop = false,
): ContractCase<'ReduceOver'> {
  return {
    name: `${kind} of ${x.dtype}[${x.dims.join()}] over ${axes.join()}, ${keepDims} ${noop}`,
    attributes: { kind, keepDims, noop },
    inputs: [x, ints(axes)],
    onnx: {
      type: types[kind]!,
      attributes: { keepdims: Number(keepDims), noop_with_empty_axes: Number(noop) },
      opset: 18,
    },
  };
}

const x = random([3, 4, 5]);
const data = [1.5, -2, 3, 4, 0.25, -6];

operatorContract(
  'ReduceOver',
  [
    reduced('sum', x, [1]),
    reduced('sum', x, [-1, 0], false),
    reduced('sum', x, []),
    reduced('sum', x, [], true, true),
    reduced('mean', x, [0, 2]),
    reduced('max', random([2, 0, 3]), [0], false),
    reduced('mean', { dtype: 'float64', dims: [2, 3], data }, [1]),
    reduced('l2', x, [2]),
    reduced('mean', { dtype: 'int32', dims: [2, 3], data: [1, 2, 4, 5, 6, 8] }, [1], false),
    reduced('max', { dtype: 'uint8', dims: [2, 3], data: [1, 200, 4, 5, 6, 8] }, [0]),
    reduced('max', { dtype: 'int8', dims: [2, 3], data: [1, -20, 4, -5, 6, 8] }, [0]),
  ],
  [
    {
      name: 'f64',
      attributes: { kind: 'max', keepDims: true, noop: false },
      inputs: [patterned([600, 1000], 'float64'), indexes([0])],
    },
  ],
);
