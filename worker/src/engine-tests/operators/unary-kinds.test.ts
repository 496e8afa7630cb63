import type { DTypeName, UnaryName } from '@canopy/protocol';
import { patterned } from '../../testing/metered-engine.js';
import { random } from '../compare.js';
import type { TestTensor } from '../engine.js';
import type { Attribute } from '../onnxruntime.js';
import { operatorContract, type ContractCase } from './contract.js';

function kind(
  name: UnaryName,
  type: string,
  x: TestTensor,
  numbers: { alpha?: number; beta?: number } = {},
  attributes: Record<string, Attribute> = {},
): ContractCase<'Unary'> {
  const { alpha = 0, beta = 0 } = numbers;
  return {
    name: `${name} of ${x.dtype}[${x.dims.join()}]`,
    attributes: { kind: name, alpha, beta },
    inputs: [x],
    onnx: { type, attributes, opset: 20 },
    tolerance: 2e-6,
  };
}

const around = random([7, 3], 1, 3);
const within = random([13], 2, 0.99);
const above: TestTensor = { ...within, data: Array.from(within.data, (value) => 1.5 + value) };
const edges: TestTensor = {
  dtype: 'float32',
  dims: [8],
  data: [0, -0, NaN, Infinity, -Infinity, 80, -80, 1e-30],
};
const plain: [UnaryName, string][] = [
  ['asinh', 'Asinh'],
  ['atan', 'Atan'],
  ['cosh', 'Cosh'],
  ['sinh', 'Sinh'],
  ['tan', 'Tan'],
  ['softsign', 'Softsign'],
  ['mish', 'Mish'],
];
const doubles = (x: TestTensor): TestTensor => ({
  ...x,
  dtype: 'float64',
  data: Array.from(x.data),
});
const f64: [UnaryName, string][] = [
  ['exp', 'Exp'],
  ['log', 'Log'],
  ['sqrt', 'Sqrt'],
  ['abs', 'Abs'],
  ['neg', 'Neg'],
  ['floor', 'Floor'],
  ['ceil', 'Ceil'],
  ['round', 'Round'],
  ['sign', 'Sign'],
  ['reciprocal', 'Reciprocal'],
  ['sigmoid', 'Sigmoid'],
  ['tanh', 'Tanh'],
  ['sin', 'Sin'],
  ['cos', 'Cos'],
  ['relu', 'Relu'],
];
const whole = (dtype: DTypeName, ...data: number[]): TestTensor => ({
  dtype,
  dims: [data.length],
  data,
});

operatorContract(
  'Unary',
  [
    ...plain.map(([name, type]) => kind(name, type, around)),
    ...plain
      .filter(([name]) => name !== 'tan' && name !== 'softsign' && name !== 'mish')
      .map(([name, type]) => kind(name, type, edges)),
    kind('acos', 'Acos', within),
    kind('asin', 'Asin', within),
    kind('atanh', 'Atanh', within),
    kind('acosh', 'Acosh', above),
    kind('elu', 'Elu', around, { alpha: 1.5 }, { alpha: { float: 1.5 } }),
    kind(
      'selu',
      'Selu',
      around,
      { alpha: 1.25, beta: 2 },
      { alpha: { float: 1.25 }, gamma: { float: 2 } },
    ),
    kind('celu', 'Celu', around, { alpha: 0.5 }, { alpha: { float: 0.5 } }),
    kind('thresholdedRelu', 'ThresholdedRelu', around, { alpha: 0.5 }, { alpha: { float: 0.5 } }),
    kind(
      'shrink',
      'Shrink',
      around,
      { alpha: 0.25, beta: 1 },
      { bias: { float: 0.25 }, lambd: { float: 1 } },
    ),
    kind('geluTanh', 'Gelu', around, {}, { approximate: 'tanh' }),
    kind('tan', 'Tan', random([0, 2])),
    kind('mish', 'Mish', random([])),
    ...f64.map(([name, type]) =>
      kind(name, type, doubles(name === 'log' || name === 'sqrt' ? above : around)),
    ),
    kind('abs', 'Abs', whole('int8', 1, -5, 0, 127)),
    kind('neg', 'Neg', whole('int8', 1, -5, 0, 127)),
    kind('sign', 'Sign', whole('uint16', 1, 5, 0, 60000)),
    kind('sign', 'Sign', whole('int16', 1, -5, 0, 3000)),
    kind('abs', 'Abs', whole('int16', 1, -5, 0, 3000)),
    kind('bitwiseNot', 'BitwiseNot', whole('uint8', 0, 1, 200)),
    kind('bitwiseNot', 'BitwiseNot', whole('int32', 0, 1, -200)),
  ],
  [
    {
      name: 'mish',
      attributes: { kind: 'mish', alpha: 0, beta: 0 },
      inputs: [patterned([200_000])],
    },
    {
      name: 'f64',
      attributes: { kind: 'tanh', alpha: 0, beta: 0 },
      inputs: [patterned([150_000], 'float64')],
    },
  ],
);
