import type { DTypeName } from '@canopy/protocol';
import { broadcast, product, type Dim } from './dim.js';

/** What is known of a value without running the model. */
export interface Facts {
  dtype: DTypeName;
  dims: readonly Dim[];
  /**
   * Its elements in row-major order, where they follow from sizes and constants alone: the target of a
   * Reshape that was computed from shapes. An element that is not known is undefined. Whole numbers;
   * a bool is 0 or 1.
   */
  values?: readonly (Dim | undefined)[];
}

/** Thrown by a rule whose result depends on data: the model has to be run to know its sizes. */
export class NotDerivable extends Error {
  override readonly name = 'NotDerivable';
}

/** Shape of several values broadcast together as numpy does. */
export function broadcastDims(...shapes: (readonly Dim[])[]): Dim[] {
  const rank = Math.max(0, ...shapes.map((dims) => dims.length));
  return Array.from({ length: rank }, (_, axis) =>
    shapes.reduce<Dim>((size, dims) => broadcast(size, dims[axis - rank + dims.length] ?? 1), 1),
  );
}

/** Number of elements. */
export function elements(dims: readonly Dim[]): Dim {
  return product(dims);
}

/** An axis counted from the front. */
export function fromFront(axis: number, rank: number): number {
  return axis < 0 ? axis + rank : axis;
}
