import { DType } from '@canopy/protocol';
import { patterned } from '../../testing/metered-engine.js';
import { floats, random } from '../compare.js';
import type { TestTensor } from '../engine.js';
import { operatorContract, type ContractCase } from './contract.js';
import { forms, one, scales, zeros } from './quantized.js';

/** X quantized with scales and zero points as given, which say the type. */
function quantized(
  name: string,
  x: TestTensor,
  scale: TestTensor,
  to: (typeof forms)[number],
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

/** Halves, which are rounded to even, and what is beyond the bounds. */
const halves = floats(
  [23],
  [...Array(19).keys()].map((i) => i / 2 - 4).concat(1e9, -1e9, Infinity, -Infinity),
);

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
