import type { BinaryName, DTypeName } from '@canopy/protocol';
import { patterned } from '../../testing/metered-engine.js';
import { random } from '../compare.js';
import type { TestTensor } from '../engine.js';
import type { Attribute } from '../onnxruntime.js';
import { operatorContract, type ContractCase } from './contract.js';

const epilogue = { activation: 'none', alpha: 0, beta: 0, scale: 1, shift: 0 } as const;

function both(
  kind: BinaryName,
  type: string,
  a: TestTensor,
  b: TestTensor,
  output: DTypeName = a.dtype,
  attributes: Record<string, Attribute> = {},
): ContractCase<'Binary'> {
  return {
    name: `${kind} of ${a.dtype}[${a.dims.join()}] and [${b.dims.join()}]`,
    attributes: { kind, epilogue },
    inputs: [a, b],
    onnx: { type, attributes, outputs: [output], opset: 18 },
    tolerance: 1e-6,
  };
}

const of = (dtype: DTypeName, dims: number[], ...data: number[]): TestTensor => ({
  dtype,
  dims,
  data,
});
const arithmetic = { add: 'Add', sub: 'Sub', mul: 'Mul', div: 'Div' } as const;
const comparisons = { equal: 'Equal', less: 'Less', greaterOrEqual: 'GreaterOrEqual' } as const;
const wide: DTypeName[] = ['float64', 'uint32', 'uint64', 'int32', 'int64'];
const operands = (dtype: DTypeName): [TestTensor, TestTensor] => [
  of(dtype, [2, 3], 7, 100, 3, 0, 12, 9),
  of(dtype, [3], 3, 7, 9),
];
const small: DTypeName[] = ['int8', 'uint8', 'int16', 'uint16'];
const integers: DTypeName[] = ['int8', 'uint8', 'int16', 'uint16', 'int32', 'uint32', 'int64'];
const signed = (dtype: DTypeName): [TestTensor, TestTensor] => [
  of(dtype, [6], 7, -7, 7, -7, 6, 0),
  of(dtype, [6], 3, 3, -3, -3, 3, 5),
];

operatorContract(
  'Binary',
  [
    ...wide.flatMap((dtype) =>
      Object.entries(arithmetic).map(([kind, type]) =>
        both(kind as BinaryName, type, ...operands(dtype)),
      ),
    ),
    ...[...wide, ...small].flatMap((dtype) =>
      (['max', 'min'] as const)
        .filter(() => !['int16', 'uint16', 'uint8', 'int8'].includes(dtype))
        .map((kind) => both(kind, kind === 'max' ? 'Max' : 'Min', ...operands(dtype))),
    ),
    ...wide.flatMap((dtype) =>
      Object.entries(comparisons).map(([kind, type]) =>
        both(kind as BinaryName, type, ...operands(dtype), 'bool'),
      ),
    ),
    ...integers.map((dtype) => both('mod', 'Mod', ...operands(dtype))),
    ...(['int8', 'int16', 'int32', 'int64'] as const).flatMap((dtype) => [
      both('mod', 'Mod', ...signed(dtype)),
      both('fmod', 'Mod', ...signed(dtype), dtype, { fmod: 1 }),
    ]),
    both('fmod', 'Mod', random([5], 1, 9), random([5], 2, 3), 'float32', { fmod: 1 }),
    both('fmod', 'Mod', of('float64', [3], 5.5, -7.25, 1e9), of('float64', [], 0.75), 'float64', {
      fmod: 1,
    }),
    ...(['uint8', 'uint16', 'uint32', 'uint64'] as const).flatMap((dtype) => {
      const [a, b] = [of(dtype, [3], 16, 4, 129), of(dtype, [3], 1, 2, 3)];
      return [
        both('shiftLeft', 'BitShift', a, b, dtype, { direction: 'LEFT' }),
        both('shiftRight', 'BitShift', a, b, dtype, { direction: 'RIGHT' }),
      ].filter(() => dtype !== 'uint16');
    }),
    ...integers.flatMap((dtype) => [
      both('bitAnd', 'BitwiseAnd', ...operands(dtype)),
      both('bitOr', 'BitwiseOr', ...operands(dtype)),
      both('bitXor', 'BitwiseXor', ...operands(dtype)),
    ]),
    both('pow', 'Pow', of('float64', [4], 2, 0.5, 9, -2), of('float64', [4], 0.5, -3, 1.5, 3)),
    both('pow', 'Pow', of('int32', [4], 2, -3, 9, 7), of('int32', [4], 5, 3, 0, 1)),
    both('prelu', 'PRelu', of('float64', [3], 1, -2, -0.5), of('float64', [1], 0.25)),
    both('and', 'And', of('bool', [4], 0, 1, 1, 0), of('bool', [4], 0, 1, 0, 1)),
    both('equal', 'Equal', of('bool', [4], 0, 1, 1, 0), of('bool', [1], 1)),
  ],
  [
    {
      name: 'remainders of f32',
      attributes: { kind: 'fmod', epilogue },
      inputs: [patterned([100_000]), patterned([100_000])],
    },
    {
      name: 'products of f64',
      attributes: { kind: 'mul', epilogue },
      inputs: [patterned([400, 1000], 'float64'), patterned([1000], 'float64')],
    },
  ],
);
