import { elementCount, type DTypeName } from '@canopy/protocol';
import { patterned } from '../../testing/metered-engine.js';
import { floats } from '../compare.js';
import type { TestTensor } from '../engine.js';
import { operatorContract, type ContractCase } from './contract.js';
import { forms, one, scales, zeros } from './quantized.js';

function dequantized(
  name: string,
  x: TestTensor,
  scale: TestTensor,
  zero: readonly number[] | undefined,
  { axis = 1, block = 0 } = {},
): ContractCase<'Dequantize'> {
  const zeros = zero && { dtype: x.dtype, dims: scale.dims, data: zero };
  return {
    name: `${name} of ${x.dtype}`,
    attributes: { axis: scale.dims.length === 0 ? 0 : axis, block },
    inputs: zeros ? [x, scale, zeros] : [x, scale],
    onnx: {
      type: 'DequantizeLinear',
      opset: 21,
      attributes: { axis, ...(block > 0 && { block_size: block }) },
      outputs: ['float32'],
    },
    tolerance: 0,
  };
}

function counted(dtype: DTypeName, dims: readonly number[], from = 0): TestTensor {
  const count = elementCount(dims);
  return { dtype, dims, data: Array.from({ length: count }, (_, i) => from + i) };
}

operatorContract(
  'Dequantize',
  [
    ...forms.map((form) =>
      dequantized('all', counted(form, [3, 17], form.startsWith('u') ? 200 : -20), one(0.3), [9]),
    ),
    dequantized('all', counted('int32', [23], 1 << 24), one(0.3), undefined),
    dequantized('no zero point', counted('int8', [4, 9], -18), floats([9], scales(9)), undefined),
    dequantized(
      'a scale a channel',
      counted('uint8', [2, 3, 19]),
      floats([3], scales(3)),
      zeros(3),
    ),
    dequantized(
      'a scale an inner place',
      counted('int16', [2, 19]),
      floats([19], scales(19)),
      zeros(19),
    ),
    dequantized('blocks', counted('int8', [3, 7]), floats([3, 2], scales(6)), zeros(6), {
      block: 4,
    }),
    dequantized('blocks', counted('uint8', [5, 9]), floats([3, 9], scales(27)), zeros(27), {
      axis: 0,
      block: 2,
    }),
    dequantized('nothing', counted('uint8', [0]), one(1), [0]),
  ],
  [
    {
      name: 'one scale',
      attributes: { axis: 0, block: 0 },
      inputs: [patterned([8_000_000], 'uint8'), patterned([])],
    },
  ],
);
