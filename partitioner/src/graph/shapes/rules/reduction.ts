import { NotDerivable } from '../facts.js';
import { type Rule, rulesFor } from '../operation.js';
import { reduced, without } from '../reduced.js';

const argument: Rule = (op) => {
  const axis = op.axis('axis', 0, op.rank(0));
  return [{ dtype: 'int64', dims: without(op.dims(0), [axis], op.int('keepdims', 1) === 1) }];
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
  ...rulesFor((op) => [reduced(op)], 'ReduceL1', 'ReduceLogSum', 'ReduceLogSumExp'),
  ...rulesFor(argument, 'ArgMax', 'ArgMin'),
  TopK: topK,
  Unique: () => {
    throw new NotDerivable('the number of different elements depends on them');
  },
};
