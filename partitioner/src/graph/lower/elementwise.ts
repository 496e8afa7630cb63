import type { BinaryName, DTypeName, UnaryName } from '@canopy/protocol';
import { scalarFloat } from '../constant.js';
import { floatAttribute, intAttribute, stringAttribute, type GraphNode } from '../graph.js';
import { broadcastDims } from '../shapes/facts.js';
import { readDType } from '../../onnx/read-tensor.js';
import { epilogue, UnsupportedNode, type Lower, type Lowering } from './lowering.js';

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

function binary(kind: BinaryName): Lower {
  return (node, to) => {
    const logical = kind === 'and' || kind === 'or' || kind === 'xor';
    const equality = kind === 'equal';
    if (logical) to.requireType(node.inputs[0]!, 'bool');
    else if (equality) to.requireType(node.inputs[0]!, 'float32', 'int32', 'int64', 'bool');
    else to.requireType(node.inputs[0]!, 'float32', 'int32', 'int64');
    // min and max take any number of inputs: two at a time.
    const [first, ...rest] = node.inputs;
    if (rest.length === 0) {
      to.add('Identity', node, [first!], [node.outputs[0]!], {});
      return;
    }
    let left = first!;
    rest.forEach((right, index) => {
      const both = broadcastDims(to.dims(left), to.dims(right));
      const output =
        index === rest.length - 1
          ? node.outputs[0]!
          : to.temporary(`${node.name}/part`, to.dtype(left), both);
      to.add('Binary', node, [left, right], [output], { kind, epilogue: epilogue() });
      left = output;
    });
  };
}

/** The result has the type of the base; an exponent of another type is cast to it. */
function power(node: GraphNode, to: Lowering): void {
  const [base, exponent] = node.inputs as [string, string];
  const dtype = to.dtype(base);
  to.requireType(exponent, 'float32', 'int32', 'int64');
  if (to.dtype(exponent) === dtype) {
    binary('pow')(node, to);
    return;
  }
  if (dtype !== 'float32' && to.dtype(exponent) === 'float32') {
    throw new UnsupportedNode(
      `raises ${dtype} to powers in float32`,
      'cast its first input to float32 in the model',
    );
  }
  const cast = to.temporary(`${exponent}/${dtype}`, dtype, to.dims(exponent));
  to.add('Cast', node, [exponent], [cast], { to: dtype });
  binary('pow')({ ...node, inputs: [base, cast] }, to);
}

const largestFloat = 3.4028234663852886e38;

/** Bounds as attributes until operator set 10, as inputs since. */
function clipBounds(node: GraphNode, to: Lowering): { alpha: number; beta: number } {
  const bound = (index: number, attribute: string, otherwise: number): number => {
    const input = node.inputs[index];
    if (input === undefined || input === '') return floatAttribute(node, attribute, otherwise);
    const value = scalarFloat(to.constant(input));
    if (value === undefined) {
      throw new UnsupportedNode('its bounds are computed', 'make min and max constants');
    }
    return value;
  };
  return { alpha: bound(1, 'min', -largestFloat), beta: bound(2, 'max', largestFloat) };
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

function cast(node: GraphNode, to: Lowering): void {
  const target = readDType(intAttribute(node, 'to', 1), node.op, node.name);
  to.requireType(node.inputs[0]!, 'float32', 'int32', 'int64', 'bool', 'uint8', 'int8');
  to.requireType(node.outputs[0]!, 'float32', 'int32', 'int64', 'bool', 'uint8', 'int8');
  to.add('Cast', node, [node.inputs[0]!], [node.outputs[0]!], { to: target });
}

export const elementwise: Record<string, Lower> = {
  Relu: unary('relu'),
  Clip: unary('clip', clipBounds),
  HardSwish: unary('hardSwish'),
  HardSigmoid: unary('hardSigmoid', (node) => ({
    alpha: floatAttribute(node, 'alpha', 0.2),
    beta: floatAttribute(node, 'beta', 0.5),
  })),
  Sigmoid: unary('sigmoid'),
  'com.microsoft.QuickGelu': unary('quickGelu', (node) => ({
    alpha: floatAttribute(node, 'alpha', 1.702),
  })),
  Gelu: gelu,
  'com.microsoft.Gelu': unary('gelu'),
  'com.microsoft.BiasGelu': biasGelu,
  Tanh: unary('tanh'),
  LeakyRelu: unary('leakyRelu', (node) => ({ alpha: floatAttribute(node, 'alpha', 0.01) })),
  Erf: unary('erf'),
  Exp: unary('exp'),
  Log: unary('log'),
  Sqrt: unary('sqrt'),
  Reciprocal: unary('reciprocal'),
  Neg: unary('neg'),
  Abs: unary('abs'),
  Floor: unary('floor'),
  Ceil: unary('ceil'),
  Round: unary('round'),
  Sign: unary('sign'),
  Sin: unary('sin'),
  Cos: unary('cos'),
  Softplus: unary('softplus'),
  Not: unary('not'),
  Add: binary('add'),
  Sub: binary('sub'),
  Mul: binary('mul'),
  Div: binary('div'),
  Pow: power,
  Min: binary('min'),
  Max: binary('max'),
  Sum: binary('add'),
  Equal: binary('equal'),
  Less: binary('less'),
  LessOrEqual: binary('lessOrEqual'),
  Greater: binary('greater'),
  GreaterOrEqual: binary('greaterOrEqual'),
  And: binary('and'),
  Or: binary('or'),
  Xor: binary('xor'),
  PRelu: binary('prelu'),
  Cast: cast,
};
