import {
  elementCount,
  integers,
  numbers,
  UnaryKind,
  type DTypeName,
  type UnaryName,
} from '@canopy/protocol';
import { activationWork } from '../cost/work/elementwise.js';
import { plainWork } from '../cost/work/work.js';
import { floatAttribute, type GraphNode, stringAttribute } from '../graph/graph.js';
import { Compute } from '../graph/lower/compute.js';
import { epilogue, type Lower, type Lowering } from '../graph/lower/lowering.js';
import { keeps } from '../graph/rows/rule.js';
import { isAtLeastZero, maximum, multiply } from '../graph/shapes/dim.js';
import { onElement } from '../graph/shapes/elements.js';
import { likeFirst, type Rule } from '../graph/shapes/operation.js';
import type { ModelOperator, OperatorFamily } from './operator.js';

const floats: readonly DTypeName[] = ['float32', 'float64'];

function unaryTypes(kind: UnaryName): readonly DTypeName[] {
  switch (kind) {
    case 'not':
      return ['bool'];
    case 'bitwiseNot':
      return integers;
    case 'neg':
    case 'abs':
    case 'sign':
    case 'relu':
      return numbers;
    case 'erf':
    case 'gelu':
      return ['float32'];
    default:
      return floats;
  }
}

/** One operand; alpha and beta from the node. */
function unary(
  kind: UnaryName,
  parameters: (node: GraphNode, to: Lowering) => { alpha?: number; beta?: number } = () => ({}),
): Lower {
  return (node, to) => {
    to.requireType(node.inputs[0]!, ...unaryTypes(kind));
    const { alpha = 0, beta = 0 } = parameters(node, to);
    to.add('Unary', node, [node.inputs[0]!], [node.outputs[0]!], { kind, alpha, beta });
  };
}

function gelu(node: GraphNode, to: Lowering): void {
  const isTanh = stringAttribute(node, 'approximate', 'none') === 'tanh';
  unary(isTanh ? 'geluTanh' : 'gelu')(node, to);
}

/** Of integers by way of f32, as in onnxruntime. */
function shrink(node: GraphNode, to: Lowering): void {
  const [input, output] = [node.inputs[0]!, node.outputs[0]!];
  const kind = 'shrink';
  const beta = floatAttribute(node, 'lambd', 0.5);
  const attributes = { kind, alpha: floatAttribute(node, 'bias', 0), beta } as const;
  const dtype = to.dtype(input);
  if (floats.includes(dtype)) {
    to.add('Unary', node, [input], [output], attributes);
    return;
  }
  const [wide, result] = ['wide', 'shrunk'].map((name) =>
    to.temporary(`${node.name}/${name}`, 'float32', to.dims(input)),
  ) as [string, string];
  to.add('Cast', node, [input], [wide], { to: 'float32' });
  to.add('Unary', node, [wide], [result], attributes);
  to.add('Cast', node, [result], [output], { to: dtype });
}

/** A bias and gelu; in two steps, so that the bias can go into the product before it. */
function biasGelu(node: GraphNode, to: Lowering): void {
  const output = node.outputs[0]!;
  const sum = to.temporary(`${node.name}/biased`, 'float32', to.dims(output));
  to.add('Binary', node, node.inputs.slice(0, 2), [sum], { kind: 'add', epilogue: epilogue() });
  to.add('Unary', node, [sum], [output], { kind: 'gelu', alpha: 0, beta: 0 });
}

/** X and a bias?: gelu by tanh, which is x * sigmoid(a * x + b * x^3). */
function fastGelu(node: GraphNode, to: Lowering): void {
  const [input, bias = ''] = node.inputs as [string, string?];
  const compute = new Compute(node, to);
  const x = bias === '' ? input : compute.binary('add', input, bias);
  const factor = 2 * Math.sqrt(2 / Math.PI);
  const slope = compute.affine(compute.binary('mul', x, x), factor * 0.044715, factor);
  const gate = compute.unary('sigmoid', compute.binary('mul', x, slope));
  compute.binary('mul', x, gate, node.outputs[0]);
}

/** A function of each element with numbers from attributes: their names, and values where they are left out. */
function withNumbers(
  kind: UnaryName,
  alpha: [name: string, otherwise: number],
  beta?: [name: string, otherwise: number],
): ModelOperator {
  const lower = unary(kind, (node) => ({
    alpha: floatAttribute(node, ...alpha),
    ...(beta && { beta: floatAttribute(node, ...beta) }),
  }));
  return { shape: likeFirst(), lower, types: unaryTypes(kind) };
}

/** A function of each element that has the name of the kind. */
function plain(kind: UnaryName, shape: Rule = likeFirst()): ModelOperator {
  return { shape, lower: unary(kind), types: unaryTypes(kind) };
}

/** Instructions of an element of rare kinds or f64, and of an integer. */
const oneByOne = 100;
const integer = 25;

const asItIs = onElement((value) => value);

export const unaryFamily: OperatorFamily = {
  model: {
    Relu: plain('relu'),
    HardSwish: plain('hardSwish'),
    HardSigmoid: withNumbers('hardSigmoid', ['alpha', 0.2], ['beta', 0.5]),
    Sigmoid: plain('sigmoid'),
    'com.microsoft.QuickGelu': withNumbers('quickGelu', ['alpha', 1.702]),
    Swish: withNumbers('quickGelu', ['alpha', 1]),
    Gelu: { shape: likeFirst(), lower: gelu, types: ['float32'] },
    'com.microsoft.Gelu': plain('gelu'),
    'com.microsoft.BiasGelu': { shape: likeFirst(), lower: biasGelu, types: ['float32'] },
    'com.microsoft.FastGelu': { shape: likeFirst(), lower: fastGelu, types: ['float32'] },
    Tanh: plain('tanh'),
    LeakyRelu: withNumbers('leakyRelu', ['alpha', 0.01]),
    Elu: withNumbers('elu', ['alpha', 1]),
    Selu: withNumbers('selu', ['alpha', 1.6732632423543772], ['gamma', 1.0507009873554805]),
    Celu: withNumbers('celu', ['alpha', 1]),
    ThresholdedRelu: withNumbers('thresholdedRelu', ['alpha', 1]),
    Shrink: { shape: likeFirst(), lower: shrink, types: numbers },
    Softsign: plain('softsign'),
    Mish: plain('mish'),
    Acos: plain('acos'),
    Acosh: plain('acosh'),
    Asin: plain('asin'),
    Asinh: plain('asinh'),
    Atan: plain('atan'),
    Atanh: plain('atanh'),
    Cosh: plain('cosh'),
    Sinh: plain('sinh'),
    Tan: plain('tan'),
    BitwiseNot: plain('bitwiseNot'),
    Erf: plain('erf'),
    Exp: plain('exp'),
    Log: plain('log'),
    Sqrt: plain('sqrt'),
    Reciprocal: plain('reciprocal'),
    Neg: plain(
      'neg',
      onElement((value) => multiply(value, -1)),
    ),
    Abs: plain(
      'abs',
      onElement((value) => (isAtLeastZero(value) ? value : maximum(value, multiply(value, -1)))),
    ),
    Floor: plain('floor', asItIs),
    Ceil: plain('ceil', asItIs),
    Round: plain('round', asItIs),
    Sign: plain('sign'),
    Sin: plain('sin'),
    Cos: plain('cos'),
    Softplus: plain('softplus'),
    Not: plain(
      'not',
      onElement((value) => (typeof value === 'number' ? 1 - value : undefined)),
    ),
  },
  program: {
    Unary: {
      rows: keeps(() => true),
      work: ({ attributes, outputs, dtypes }) => {
        const elements = elementCount(outputs[0]!);
        if (UnaryKind[attributes.kind] >= UnaryKind.acos) return plainWork(elements * oneByOne);
        const typed = dtypes[0] !== 'float32' && dtypes[0] !== 'bool';
        if (typed) return plainWork(elements * (dtypes[0] === 'float64' ? oneByOne : integer));
        return activationWork(attributes.kind, elements, false);
      },
    },
  },
};
