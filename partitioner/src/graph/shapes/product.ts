import type { Dim } from './dim.js';
import { broadcastDims, NotDerivable } from './facts.js';
import type { Operation } from './operation.js';

/** Shape of the product of two inputs as numpy's matmul has it; a vector is a row, or a column. */
export function productDims(op: Operation, left: readonly Dim[], right: readonly Dim[]): Dim[] {
  if (left.length === 0 || right.length === 0) throw new NotDerivable('a scalar is no matrix');
  const a = left.length === 1 ? [1, left[0]!] : left;
  const b = right.length === 1 ? [right[0]!, 1] : right;
  op.requireSame(a.at(-1)!, b.at(-2)!);
  return [
    ...broadcastDims(a.slice(0, -2), b.slice(0, -2)),
    ...(left.length === 1 ? [] : [a.at(-2)!]),
    ...(right.length === 1 ? [] : [b.at(-1)!]),
  ];
}

export function swapLast(dims: readonly Dim[]): Dim[] {
  return [...dims.slice(0, -2), dims.at(-1)!, dims.at(-2)!];
}
