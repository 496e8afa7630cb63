import {
  BinaryKind,
  elementCount,
  integers,
  numbers,
  type BinaryName,
  type DTypeName,
} from '@canopy/protocol';
import { binaryEpilogueWork, binaryWork } from '../cost/work/elementwise.js';
import { intAttribute, stringAttribute, type GraphNode } from '../graph/graph.js';
import { epilogue, type Lower, type Lowering } from '../graph/lower/lowering.js';
import { broadcastRows } from '../graph/rows/rule.js';
import {
  add,
  floorDivide,
  isAtLeastZero,
  maximum,
  minimum,
  multiply,
  quotient,
  same,
  subtract,
} from '../graph/shapes/dim.js';
import { broadcastElements, type OnValues } from '../graph/shapes/elements.js';
import { broadcastDims } from '../graph/shapes/facts.js';
import type { Rule } from '../graph/shapes/operation.js';
import type { ModelOperator, OperatorFamily } from './operator.js';

function binaryTypes(kind: BinaryName): readonly DTypeName[] {
  if (kind === 'and' || kind === 'or' || kind === 'xor') return ['bool'];
  if (kind === 'equal') return [...numbers, 'bool'];
  return BinaryKind[kind] >= BinaryKind.shiftLeft || kind === 'mod' ? integers : numbers;
}

function binary(kind: BinaryName): Lower {
  return (node, to) => {
    to.requireType(node.inputs[0]!, ...binaryTypes(kind));
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

/**
 * The result has the type of the base. An exponent of another type is cast to it; whole numbers to powers
 * that are none go by way of f64.
 */
function power(node: GraphNode, to: Lowering): void {
  const [base, exponent] = node.inputs as [string, string];
  const dtype = to.dtype(base);
  const cast = (name: string, type: DTypeName): string => {
    if (to.dtype(name) === type) return name;
    const result = to.temporary(`${name}/${type}`, type, to.dims(name));
    to.add('Cast', node, [name], [result], { to: type });
    return result;
  };
  if (isReal(dtype) || !isReal(to.dtype(exponent))) {
    binary('pow')({ ...node, inputs: [base, cast(exponent, dtype)] }, to);
    return;
  }
  const inputs = [cast(base, 'float64'), cast(exponent, 'float64')];
  const result = to.temporary(`${node.name}/power`, 'float64', to.dims(node.outputs[0]!));
  binary('pow')({ ...node, inputs, outputs: [result] }, to);
  to.add('Cast', node, [result], [node.outputs[0]!], { to: dtype });
}

/** Sums divided by how many there are. */
function mean(node: GraphNode, to: Lowering): void {
  const output = node.outputs[0]!;
  const dtype = to.dtype(output);
  const sum = to.temporary(`${node.name}/sum`, dtype, to.dims(output));
  binary('add')({ ...node, outputs: [sum] }, to);
  const count = to.numbers(`${node.name}/count`, dtype, [], [node.inputs.length]);
  binary('div')({ ...node, inputs: [sum, count] }, to);
}

function mod(node: GraphNode, to: Lowering): void {
  const fmod = intAttribute(node, 'fmod', 0) === 1 || isReal(to.dtype(node.inputs[0]!));
  binary(fmod ? 'fmod' : 'mod')(node, to);
}

function shift(node: GraphNode, to: Lowering): void {
  const left = stringAttribute(node, 'direction', 'RIGHT') === 'LEFT';
  binary(left ? 'shiftLeft' : 'shiftRight')(node, to);
}

const isReal = (kind: DTypeName): boolean => kind.startsWith('float');

/** Whole numbers are divided towards 0. */
function divide(kind: DTypeName): OnValues {
  return (a, b) => {
    if (b === 0) return undefined;
    if (typeof a === 'number' && typeof b === 'number') {
      return isReal(kind) ? quotient(a, b) : Math.trunc(a / b);
    }
    if (isReal(kind)) return quotient(a, b);
    return isAtLeastZero(a) && isAtLeastZero(b) ? floorDivide(a, b) : undefined;
  };
}

/** `a` less a multiple of `b`, both 0 or more. */
const remainder: OnValues = (a, b) => {
  if (b === 0 || !isAtLeastZero(a) || !isAtLeastZero(b)) return undefined;
  return subtract(a, multiply(floorDivide(a, b), b));
};

/** A comparison, where the difference of its operands is a number or shows its sign. */
function compare(test: (difference: number) => boolean): OnValues {
  return (a, b) => {
    if (same(a, b)) return Number(test(0));
    const difference = subtract(a, b);
    return typeof difference === 'number' ? Number(test(difference)) : undefined;
  };
}

/** Sizes are not negative, so that one of them never equals -1. */
const equal: OnValues = (a, b) => {
  if (isAtLeastZero(a) && typeof b === 'number' && b < 0) return 0;
  if (isAtLeastZero(b) && typeof a === 'number' && a < 0) return 0;
  return compare((difference) => difference === 0)(a, b);
};

/** Operands of one type that are broadcast together. */
function plain(kind: BinaryName, shape: Rule): ModelOperator {
  return { shape, lower: binary(kind), types: binaryTypes(kind) };
}

function logical(kind: BinaryName, shape: Rule): ModelOperator {
  return { shape, lower: binary(kind), types: ['bool'] };
}

function comparison(kind: BinaryName, test: (difference: number) => boolean): ModelOperator {
  return plain(
    kind,
    broadcastElements('bool', () => compare(test)),
  );
}

export const binaryFamily: OperatorFamily = {
  model: {
    Add: plain(
      'add',
      broadcastElements(undefined, () => (a, b) => add(a, b)),
    ),
    Sub: plain(
      'sub',
      broadcastElements(undefined, () => (a, b) => subtract(a, b)),
    ),
    Mul: plain(
      'mul',
      broadcastElements(undefined, () => (a, b) => multiply(a, b)),
    ),
    Div: plain('div', broadcastElements(undefined, divide)),
    Pow: { shape: broadcastElements(), lower: power, types: numbers },
    Min: plain(
      'min',
      broadcastElements(undefined, () => (a, b) => minimum(a, b)),
    ),
    Max: plain(
      'max',
      broadcastElements(undefined, () => (a, b) => maximum(a, b)),
    ),
    Sum: plain(
      'add',
      broadcastElements(undefined, () => (a, b) => add(a, b)),
    ),
    Mean: { shape: broadcastElements(), lower: mean, types: ['float32', 'float64'] },
    Mod: { shape: broadcastElements(undefined, () => remainder), lower: mod, types: numbers },
    BitShift: { shape: broadcastElements(), lower: shift, types: integers },
    BitwiseAnd: plain('bitAnd', broadcastElements()),
    BitwiseOr: plain('bitOr', broadcastElements()),
    BitwiseXor: plain('bitXor', broadcastElements()),
    Equal: plain(
      'equal',
      broadcastElements('bool', () => equal),
    ),
    Less: comparison('less', (difference) => difference < 0),
    LessOrEqual: comparison('lessOrEqual', (difference) => difference <= 0),
    Greater: comparison('greater', (difference) => difference > 0),
    GreaterOrEqual: comparison('greaterOrEqual', (difference) => difference >= 0),
    And: logical(
      'and',
      broadcastElements('bool', () => minimum),
    ),
    Or: logical(
      'or',
      broadcastElements('bool', () => maximum),
    ),
    Xor: logical('xor', broadcastElements('bool')),
    PRelu: plain('prelu', broadcastElements()),
  },
  program: {
    Binary: {
      rows: broadcastRows,
      work: ({ attributes, inputs, outputs, dtypes }) => [
        ...binaryWork(attributes.kind, outputs[0]!, inputs.slice(0, 2), dtypes[0]!),
        ...binaryEpilogueWork(attributes.epilogue, elementCount(outputs[0]!)),
      ],
    },
  },
};
