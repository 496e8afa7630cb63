import type { Dim } from './dim.js';
import { type Facts, NotDerivable } from './facts.js';
import type { Operation } from './operation.js';

/** Dims of the first input with some axes taken out, or left as 1. */
export function without(op: Operation, axes: readonly number[], keep: boolean): Dim[] {
  const dims = op.dims(0);
  const gone = new Set(axes.map((axis) => op.fromFront(axis, dims.length)));
  return dims.flatMap((dim, axis) => (gone.has(axis) ? (keep ? [1] : []) : [dim]));
}

/** Facts of a reduction: without the axes of an attribute or input. */
export function reduced(op: Operation): Facts {
  const dims = op.dims(0);
  const count = op.has(1) && !op.facts(1).values ? op.dims(1)[0] : undefined;
  if (count !== undefined && count !== 0) return computed(op, count);
  const given = count === 0 ? [] : (op.numbersOf('axes', 1) ?? []);
  if (given.length === 0 && op.int('noop_with_empty_axes', 0) === 1) return op.like(0);
  const axes = given.length > 0 ? given : dims.map((_, axis) => axis);
  return { dtype: op.dtype(0), dims: without(op, axes, op.int('keepdims', 1) === 1) };
}

/** Which axes go is only known while running: how many sizes are left is, where `count` is. */
function computed(op: Operation, count: Dim): Facts {
  const keep = op.int('keepdims', 1) === 1;
  if (!keep && typeof count !== 'number') throw new NotDerivable('the number of axes is computed');
  const rank = op.rank(0) - (keep ? 0 : (count as number));
  const dims = Array.from({ length: rank }, (_, axis) => op.open(0, axis));
  return { dtype: op.dtype(0), dims };
}
