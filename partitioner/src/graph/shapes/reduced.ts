import type { Dim } from './dim.js';
import { type Facts, fromFront } from './facts.js';
import type { Operation } from './operation.js';

/** Dims with some axes taken out, or left as 1. */
export function without(dims: readonly Dim[], axes: readonly number[], keep: boolean): Dim[] {
  const gone = new Set(axes.map((axis) => fromFront(axis, dims.length)));
  return dims.flatMap((dim, axis) => (gone.has(axis) ? (keep ? [1] : []) : [dim]));
}

/** Facts of a reduction: without the axes of an attribute or input. */
export function reduced(op: Operation): Facts {
  const dims = op.dims(0);
  const given = op.numbersOf('axes', 1) ?? [];
  if (given.length === 0 && op.int('noop_with_empty_axes', 0) === 1) return op.like(0);
  const axes = given.length > 0 ? given : dims.map((_, axis) => axis);
  return { dtype: op.dtype(0), dims: without(dims, axes, op.int('keepdims', 1) === 1) };
}
