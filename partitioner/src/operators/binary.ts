import { type BinaryName, type DTypeName, elementCount } from '@canopy/protocol';
import { binaryEpilogueWork, binaryWork } from '../cost/work/elementwise.js';
import type { GraphNode } from '../graph/graph.js';
import { epilogue, type Lower, type Lowering, UnsupportedNode } from '../graph/lower/lowering.js';
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

const numbers: readonly DTypeName[] = ['float32', 'int32', 'int64'];

/** Operands of one type that are broadcast together. */
function plain(kind: BinaryName, shape: Rule): ModelOperator {
  return { shape, lower: binary(kind), types: numbers, limits: 'operands of one type' };
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
    Pow: {
      shape: broadcastElements(),
      lower: power,
      types: numbers,
      limits: 'whole numbers to powers of whole numbers only',
    },
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
    Equal: {
      ...plain(
        'equal',
        broadcastElements('bool', () => equal),
      ),
      types: [...numbers, 'bool'],
    },
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
    PRelu: plain('prelu', (op) => [op.like(0)]),
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
