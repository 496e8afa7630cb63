import { product, type Dim } from '../dim.js';
import { NotDerivable, type Facts } from '../facts.js';
import { rulesFor, type Operation, type Rule } from '../operation.js';

/** Dims of the first input with some axes taken out, or left as 1. */
function without(op: Operation, axes: readonly number[], keep: boolean): Dim[] {
  const dims = op.dims(0);
  const gone = new Set(axes.map((axis) => op.fromFront(axis, dims.length)));
  return dims.flatMap((dim, axis) => (gone.has(axis) ? (keep ? [1] : []) : [dim]));
}

function reduced(op: Operation): Facts {
  const dims = op.dims(0);
  const given = op.numbersOf('axes', 1) ?? [];
  if (given.length === 0 && op.int('noop_with_empty_axes', 0) === 1) return op.like(0);
  const axes = given.length > 0 ? given : dims.map((_, axis) => axis);
  return { dtype: op.dtype(0), dims: without(op, axes, op.int('keepdims', 1) === 1) };
}

/** The product of a whole list of known numbers: how exporters count elements. */
const reduceProduct: Rule = (op) => {
  const facts = reduced(op);
  const values = op.facts(0).values;
  const whole = facts.dims.every((dim) => dim === 1);
  if (!whole || !values?.every((value) => value !== undefined)) return [facts];
  return [{ ...facts, values: [product(values)] }];
};

const argument: Rule = (op) => {
  const axis = op.axis('axis', 0, op.rank(0));
  return [{ dtype: 'int64', dims: without(op, [axis], op.int('keepdims', 1) === 1) }];
};

/** `k` is an attribute until operator set 9, an input since. */
const topK: Rule = (op) => {
  const rank = op.rank(0);
  const axis = op.axis('axis', -1, rank);
  const given = op.attribute('k');
  const k = given?.kind === 'int' ? given.value : (op.facts(1).values?.[0] ?? op.open(0, axis));
  const dims = op.dims(0).with(axis, k);
  return [
    { dtype: op.dtype(0), dims },
    { dtype: 'int64', dims },
  ];
};

export const reduction: Record<string, Rule> = {
  ...rulesFor(
    (op) => [reduced(op)],
    ...['ReduceMean', 'ReduceSum', 'ReduceMax', 'ReduceMin', 'ReduceSumSquare', 'ReduceL1'],
    ...['ReduceL2', 'ReduceLogSum', 'ReduceLogSumExp'],
  ),
  ReduceProd: reduceProduct,
  ...rulesFor(argument, 'ArgMax', 'ArgMin'),
  TopK: topK,
  Unique: () => {
    throw new NotDerivable('the number of different elements depends on them');
  },
};
