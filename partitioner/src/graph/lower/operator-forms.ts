/**
 * The operators that workers run, for people: with which element types, and in which forms. A test holds
 * its names against those that are lowered; who changes a form there changes its line here.
 */

export interface OperatorForm {
  /** Element types it works on: of its first input, where inputs differ. */
  types: readonly string[];
  /** What is not taken of the operator as ONNX defines it; empty where all is. */
  limits: string;
}

const float = ['float32'];
const numbers = ['float32', 'int32', 'int64'];
const bool = ['bool'];
const most = ['float32', 'int32', 'int64', 'bool', 'uint8', 'int8'];
const any = ['any'];

const form = (types: readonly string[], limits = ''): OperatorForm => ({ types, limits });

function all(names: string, types: readonly string[], limits = ''): Record<string, OperatorForm> {
  return Object.fromEntries(names.split(' ').map((name) => [name, form(types, limits)]));
}

const images =
  'images [batch, channels, height, width]; auto_pad SAME_* with strides only of fixed sizes';
const filters = `constant filter of 4 dimensions, constant bias; ${images}`;
const matrices = 'of 2 dimensions or more';
const constantAxes = 'constant axes';

export const operatorForms: Readonly<Record<string, OperatorForm>> = {
  ...all('Relu Neg Abs Sign', numbers),
  ...all(
    'HardSwish HardSigmoid Sigmoid Tanh LeakyRelu Erf Exp Log Sqrt Reciprocal Floor Ceil Round Sin Cos Softplus',
    float,
  ),
  Clip: form(float, 'constant min and max'),
  Gelu: form(float, 'approximate="none"'),
  ...all('com.microsoft.QuickGelu com.microsoft.Gelu com.microsoft.BiasGelu', float),
  Not: form(bool),
  ...all(
    'Add Sub Mul Div Min Max Sum Less LessOrEqual Greater GreaterOrEqual PRelu',
    numbers,
    'operands of one type',
  ),
  Pow: form(numbers, 'whole numbers to powers of whole numbers only'),
  Equal: form([...numbers, 'bool'], 'operands of one type'),
  ...all('And Or Xor', bool),
  Cast: form(most, 'to one of these types'),

  Conv: form(float, filters),
  'com.microsoft.FusedConv': form(float, filters),
  MaxPool: form(float, `first output only; ${images}`),
  AveragePool: form(float, images),
  ...all('GlobalAveragePool GlobalMaxPool', float, 'images [batch, channels, height, width]'),
  BatchNormalization: form(float, 'constant parameters'),

  ...all('MatMul com.microsoft.FusedMatMul', float, matrices),
  ...all('Gemm com.microsoft.FusedGemm', float, `${matrices}; beta = 1 with a computed bias`),

  Softmax: form(float),
  LayerNormalization: form(float, 'first output only'),
  'com.microsoft.SkipLayerNormalization': form(float, 'first and last outputs only'),
  ...all('ReduceSum ReduceMax ReduceMin ReduceProd', numbers, constantAxes),
  ...all('ReduceMean ReduceSumSquare ReduceL2', float, constantAxes),

  ...all(
    'Transpose Reshape Shape Gather Slice Concat Squeeze Unsqueeze Flatten Expand Where Range Identity',
    any,
  ),
  ConstantOfShape: form(['float32', 'int32', 'int64', 'bool']),
  Pad: form(any, 'modes constant, reflect and edge; no axes input'),
  Split: form(any, 'sizes of the parts constant, or left out'),
  Dropout: form(any, 'first output only; does nothing, as in inference'),
};
