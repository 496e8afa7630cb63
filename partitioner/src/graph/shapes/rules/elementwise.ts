import type { DTypeName } from '@canopy/protocol';
import { readDType } from '../../../onnx/read-tensor.js';
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
  type Dim,
} from '../dim.js';
import type { Facts } from '../facts.js';
import { likeFirst, rulesFor, type Rule } from '../operation.js';

/** What an operator makes of known elements; undefined where its result is not known. */
type OnValues = (...operands: Dim[]) => Dim | undefined;

/** Most elements that are followed. */
const mostValues = 1024;

/** Elements of a result of these dims, from operands that are broadcast. */
function valuesOf(
  dims: readonly Dim[],
  operands: readonly Facts[],
  apply: OnValues,
): Facts['values'] {
  if (!operands.every(({ values }) => values)) return undefined;
  const sizes = dims.filter((dim) => typeof dim === 'number');
  const count = sizes.reduce((total, size) => total * size, 1);
  if (sizes.length !== dims.length || count > mostValues) return undefined;
  return Array.from({ length: count }, (_, index) => {
    const parts = operands.map((operand) => operand.values![placeIn(operand, sizes, index)]);
    return parts.every((part) => part !== undefined) ? apply(...parts) : undefined;
  });
}

/** Place of the element of an operand that goes into element `index` of the whole. */
function placeIn(operand: Facts, sizes: readonly number[], index: number): number {
  let place = 0;
  let step = 1;
  let rest = index;
  for (let axis = sizes.length - 1; axis >= 0; axis--) {
    const at = rest % sizes[axis]!;
    rest = Math.floor(rest / sizes[axis]!);
    const own = axis - (sizes.length - operand.dims.length);
    if (own < 0) continue;
    const size = operand.dims[own] as number;
    if (size !== 1) place += at * step;
    step *= size;
  }
  return place;
}

/** One operand. */
function unary(apply: OnValues): Rule {
  return (op) => {
    const values = valuesOf(op.dims(0), [op.facts(0)], apply);
    return [{ ...op.like(0), ...(values && { values }) }];
  };
}

/** Operands that are broadcast together. */
function broadcasting(dtype?: DTypeName, apply?: (kind: DTypeName) => OnValues): Rule {
  return (op) => {
    const all = op.node.inputs.map((_, input) => input);
    const dims = op.broadcast(...all);
    const kind = op.dtype(0);
    const facts: Facts = { dtype: dtype ?? kind, dims };
    if (!apply) return [facts];
    // Two at a time: some take any number of operands.
    let result = op.facts(0);
    for (const input of all.slice(1)) {
      const values = valuesOf(dims, [result, op.facts(input)], apply(kind));
      result = { ...facts, ...(values && { values }) };
    }
    return [{ ...result, dtype: facts.dtype, dims }];
  };
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

const where: Rule = (op) => {
  const dims = op.broadcast(0, 1, 2);
  const choose = (place: number): Dim | undefined => {
    const at = (input: number): Dim | undefined => {
      const facts = op.facts(input);
      return facts.values?.[placeIn(facts, dims as number[], place)];
    };
    const condition = at(0);
    return condition === undefined ? undefined : at(condition === 0 ? 2 : 1);
  };
  const facts: Facts = { dtype: op.dtype(1), dims };
  if (!op.facts(0).values || !dims.every((dim) => typeof dim === 'number')) return [facts];
  const count = dims.reduce((total, size) => total * size, 1);
  if (count > mostValues) return [facts];
  return [{ ...facts, values: Array.from({ length: count }, (_, place) => choose(place)) }];
};

/** Whole numbers stay what they are, whatever type they get; a bool is 0 or 1. */
const cast: Rule = (op) => {
  const dtype = readDType(op.int('to', 1), op.node.op, op.node.name);
  const { values } = op.facts(0);
  const known = values?.map((value) => {
    if (dtype !== 'bool' || value === undefined) return value;
    return typeof value === 'number' ? Number(value !== 0) : undefined;
  });
  return [{ ...op.like(0, dtype), ...(known && { values: known }) }];
};

const castLike: Rule = (op) => [op.like(0, op.dtype(1))];

const clip: Rule = (op) => {
  const bound = (input: number): Dim | undefined =>
    op.has(input) ? op.facts(input).values?.[0] : undefined;
  const [low, high] = [bound(1), bound(2)];
  const known = (op.has(1) ? low !== undefined : true) && (op.has(2) ? high !== undefined : true);
  if (!known || op.opset < 11) return [op.like(0)];
  return unary((value) => {
    const raised = low === undefined ? value : maximum(value, low);
    return high === undefined ? raised : minimum(raised, high);
  })(op);
};

const asItIs = unary((value) => value);

export const elementwise: Record<string, Rule> = {
  ...rulesFor(
    likeFirst(),
    ...['Relu', 'HardSwish', 'HardSigmoid', 'Sigmoid', 'Tanh', 'LeakyRelu', 'Elu', 'Selu', 'Celu'],
    ...['ThresholdedRelu', 'Softplus', 'Softsign', 'Mish', 'Gelu', 'Shrink', 'Swish', 'Erf', 'Exp'],
    ...['Log', 'Sqrt', 'Reciprocal', 'Sign', 'Sin', 'Cos', 'Tan', 'Asin', 'Acos', 'Atan', 'Sinh'],
    ...['Cosh', 'Asinh', 'Acosh', 'Atanh', 'BitwiseNot', 'Bernoulli'],
    ...['com.microsoft.QuickGelu', 'com.microsoft.Gelu', 'com.microsoft.BiasGelu'],
    ...['com.microsoft.FastGelu', 'com.microsoft.BiasSplitGelu'],
  ),
  ...rulesFor(asItIs, 'Floor', 'Ceil', 'Round', 'Identity'),
  ...rulesFor(likeFirst('bool'), 'IsNaN', 'IsInf'),
  Neg: unary((value) => multiply(value, -1)),
  Abs: unary((value) => (isAtLeastZero(value) ? value : maximum(value, multiply(value, -1)))),
  Not: unary((value) => (typeof value === 'number' ? 1 - value : undefined)),
  Clip: clip,
  Add: broadcasting(undefined, () => (a, b) => add(a, b)),
  Sum: broadcasting(undefined, () => (a, b) => add(a, b)),
  Sub: broadcasting(undefined, () => (a, b) => subtract(a, b)),
  Mul: broadcasting(undefined, () => (a, b) => multiply(a, b)),
  Div: broadcasting(undefined, divide),
  Mod: broadcasting(undefined, () => remainder),
  Min: broadcasting(undefined, () => (a, b) => minimum(a, b)),
  Max: broadcasting(undefined, () => (a, b) => maximum(a, b)),
  Mean: broadcasting(),
  Pow: broadcasting(),
  ...rulesFor(broadcasting(), 'BitShift', 'BitwiseAnd', 'BitwiseOr', 'BitwiseXor'),
  Equal: broadcasting('bool', () => equal),
  Less: broadcasting('bool', () => compare((difference) => difference < 0)),
  LessOrEqual: broadcasting('bool', () => compare((difference) => difference <= 0)),
  Greater: broadcasting('bool', () => compare((difference) => difference > 0)),
  GreaterOrEqual: broadcasting('bool', () => compare((difference) => difference >= 0)),
  And: broadcasting('bool', () => minimum),
  Or: broadcasting('bool', () => maximum),
  Xor: broadcasting('bool'),
  PRelu: broadcasting(),
  Where: where,
  Cast: cast,
  CastLike: castLike,
  Dropout: (op) => [op.like(0), op.like(0, 'bool')],
};
