import { type DTypeName, elementCount, type UnaryName } from '@canopy/protocol';
import { activationWork } from '../cost/work/elementwise.js';
import { floatAttribute, type GraphNode, stringAttribute } from '../graph/graph.js';
import { epilogue, type Lower, type Lowering, UnsupportedNode } from '../graph/lower/lowering.js';
import { keeps } from '../graph/rows/rule.js';
import { isAtLeastZero, maximum, multiply } from '../graph/shapes/dim.js';
import { onElement } from '../graph/shapes/elements.js';
import { likeFirst, type Rule } from '../graph/shapes/operation.js';
import type { ModelOperator, OperatorFamily } from './operator.js';

function unaryTypes(kind: UnaryName): DTypeName[] {
  if (kind === 'not') return ['bool'];
  const forIntegers = kind === 'neg' || kind === 'abs' || kind === 'sign' || kind === 'relu';
  return forIntegers ? ['float32', 'int32', 'int64'] : ['float32'];
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
  if (stringAttribute(node, 'approximate', 'none') !== 'none') {
    throw new UnsupportedNode('is the tanh approximation', 'export with approximate="none"');
  }
  unary('gelu')(node, to);
}

/** A bias and gelu; in two steps, so that the bias can go into the product before it. */
function biasGelu(node: GraphNode, to: Lowering): void {
  const output = node.outputs[0]!;
  const sum = to.temporary(`${node.name}/biased`, 'float32', to.dims(output));
  to.add('Binary', node, node.inputs.slice(0, 2), [sum], { kind: 'add', epilogue: epilogue() });
  to.add('Unary', node, [sum], [output], { kind: 'gelu', alpha: 0, beta: 0 });
}

const float: readonly DTypeName[] = ['float32'];

/** A function of each element that has the name of the kind. */
function plain(kind: UnaryName, shape: Rule = likeFirst()): ModelOperator {
  return { shape, lower: unary(kind), types: unaryTypes(kind) };
}

const asItIs = onElement((value) => value);

export const unaryFamily: OperatorFamily = {
  model: {
    Relu: plain('relu'),
    HardSwish: plain('hardSwish'),
    HardSigmoid: {
      shape: likeFirst(),
      lower: unary('hardSigmoid', (node) => ({
        alpha: floatAttribute(node, 'alpha', 0.2),
        beta: floatAttribute(node, 'beta', 0.5),
      })),
      types: float,
    },
    Sigmoid: plain('sigmoid'),
    'com.microsoft.QuickGelu': {
      shape: likeFirst(),
      lower: unary('quickGelu', (node) => ({ alpha: floatAttribute(node, 'alpha', 1.702) })),
      types: float,
    },
    Gelu: { shape: likeFirst(), lower: gelu, types: float, limits: 'approximate="none"' },
    'com.microsoft.Gelu': plain('gelu'),
    'com.microsoft.BiasGelu': { shape: likeFirst(), lower: biasGelu, types: float },
    Tanh: plain('tanh'),
    LeakyRelu: {
      shape: likeFirst(),
      lower: unary('leakyRelu', (node) => ({ alpha: floatAttribute(node, 'alpha', 0.01) })),
      types: float,
    },
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
      work: ({ attributes, outputs }) =>
        activationWork(attributes.kind, elementCount(outputs[0]!), false),
    },
  },
};
