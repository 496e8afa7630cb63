import { DType, type DTypeName } from '@canopy/protocol';
import { patterned } from '../../testing/metered-engine.js';
import { floats, random } from '../compare.js';
import type { TestTensor } from '../engine.js';
import { operatorContract, type ContractCase } from './contract.js';

type Form = 'int8' | 'uint8' | 'int16' | 'uint16';

/** X quantized with scales and zero points as given, which say the type. */
function quantized(
  name: string,
  x: TestTensor,
  scale: TestTensor,
  to: Form,
  zero: readonly number[] | undefined,
  { axis = 1, block = 0 } = {},
): ContractCase<'Quantize'> {
  const zeros = zero && { dtype: to, dims: scale.dims, data: zero };
  const isSingle = scale.dims.length === 0;
  return {
    name: `${name} to ${to}`,
    attributes: { to, axis: isSingle ? 0 : axis, block },
    inputs: zeros ? [x, scale, zeros] : [x, scale],
    onnx: {
      type: 'QuantizeLinear',
      opset: 21,
      attributes: {
        axis,
        ...(block > 0 && { block_size: block }),
        ...(!zeros && { output_dtype: DType[to] }),
      },
      outputs: [to],
    },
    tolerance: 0,
  };
}

const one = (value: number): TestTensor => floats([], [value]);
/** Halves, which are rounded to even, and what is beyond the bounds. */
const halves = floats(
  [23],
  [...Array(19).keys()].map((i) => i / 2 - 4).concat(1e9, -1e9, Infinity, -Infinity),
);
const scales = (count: number): number[] => Array.from({ length: count }, (_, i) => 0.01 + i / 300);
const zeros = (count: number): number[] => Array.from({ length: count }, (_, i) => i % 5);
const forms: readonly Form[] = ['int8', 'uint8', 'int16', 'uint16'];

operatorContract(
  'Quantize',
  [
    ...forms.flatMap((to) => [
      quantized('halves', halves, one(1), to, [3]),
      quantized('halves', halves, one(1), to, undefined),
      quantized('a scale an inner place', random([3, 17]), floats([17], scales(17)), to, zeros(17)),
    ]),
    quantized('NaN', floats([9], Array<number>(9).fill(NaN)), one(0.5), 'uint8', [7]),
    quantized('a scale a row', random([5, 13]), floats([5], scales(5)), 'int8', zeros(5), {
      axis: 0,
    }),
    quantized('a scale a channel', random([2, 3, 5, 7]), floats([3], scales(3)), 'uint8', zeros(3)),
    quantized('a negative axis', random([2, 3, 5]), floats([3], scales(3)), 'uint8', zeros(3), {
      axis: -2,
    }),
    quantized('a scalar', floats([], [0.7]), one(0.1), 'uint8', [1]),
    quantized('nothing', floats([0, 3], []), one(0.1), 'int8', [0]),
    quantized(
      'blocks along the last axis',
      random([3, 7]),
      floats([3, 2], scales(6)),
      'int8',
      zeros(6),
      { block: 4 },
    ),
    quantized(
      'blocks along the first',
      random([5, 9]),
      floats([3, 9], scales(27)),
      'uint8',
      zeros(27),
      {
        axis: 0,
        block: 2,
      },
    ),
  ],
  [
    {
      name: 'one scale',
      attributes: { to: 'uint8', axis: 0, block: 0 },
      inputs: [patterned([8_000_000]), patterned([])],
    },
    {
      name: 'short runs',
      attributes: { to: 'int8', axis: 1, block: 0 },
      inputs: [patterned([200_000, 3, 2]), patterned([3])],
    },
  ],
);

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
  const count = dims.reduce((product, size) => product * size, 1);
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

function dynamic(name: string, x: TestTensor): ContractCase<'DynamicQuantize'> {
  return {
    name,
    attributes: {},
    inputs: [x],
    onnx: { type: 'DynamicQuantizeLinear', outputs: ['uint8', 'float32', 'uint8'] },
    tolerance: 0,
  };
}

operatorContract(
  'DynamicQuantize',
  [
    dynamic('both signs', random([3, 37])),
    dynamic('above zero', floats([5], [1, 2, 3, 4, 5])),
    dynamic('below zero', floats([5], [-1, -2, -3, -4, -5])),
    dynamic('zeros', floats([4], [0, 0, 0, 0])),
    dynamic('one', floats([1], [0.25])),
  ],
  [{ name: 'many', attributes: {}, inputs: [patterned([4_000_000])], outputs: 3 }],
);
