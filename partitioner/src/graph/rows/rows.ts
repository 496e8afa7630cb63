import { multiply, product, quotient, same, symbolsOf, type Dim } from '../shapes/dim.js';

/** How a value depends on the rows of a request. */
export type Rows =
  /** Not at all: neither on what is in them, nor on how many there are. */
  | { kind: 'none' }
  /** It is a list of sizes, some of them made of the number of rows. */
  | { kind: 'count' }
  /**
   * It is made of a part for each row, which depends on that row alone. The parts lie along an axis of
   * size `outer * rows * inner`, as if it were three axes.
   */
  | { kind: 'along'; axis: number; outer: Dim; inner: Dim }
  /** Rows depend on each other, or it cannot be told; why. */
  | { kind: 'mixed'; why: string };

export type Along = Extract<Rows, { kind: 'along' }>;

export const none: Rows = { kind: 'none' };

/** Rows along a whole axis, or one of which each row has `inner` in sequence. */
export function along(axis: number, outer: Dim = 1, inner: Dim = 1): Along {
  return { kind: 'along', axis, outer, inner };
}

/** Whether a size is made of the number of rows. */
export function counts(dim: Dim, rows: string): boolean {
  return symbolsOf(dim).has(rows);
}

/** Whether a value of this shape can have its rows there: no other size depends on their number. */
export function fits({ axis, outer, inner }: Along, dims: readonly Dim[], rows: Dim): boolean {
  const name = [...symbolsOf(rows)][0]!;
  const size = dims[axis];
  return (
    size !== undefined &&
    same(size, product([outer, rows, inner])) &&
    ![outer, inner, ...dims.toSpliced(axis, 1)].some((dim) => counts(dim, name))
  );
}

/**
 * Where rows lie in another shape of the same elements in the same order; undefined where they are no
 * parts of one axis there.
 */
export function afterReshape(
  { axis, outer, inner }: Along,
  from: readonly Dim[],
  to: readonly Dim[],
  rows: Dim,
): Along | undefined {
  const before = multiply(product(from.slice(0, axis)), outer);
  const behind = multiply(inner, product(from.slice(axis + 1)));
  for (const at of to.keys()) {
    const newOuter = quotient(before, product(to.slice(0, at)));
    const newInner = quotient(behind, product(to.slice(at + 1)));
    if (newOuter === undefined || newInner === undefined) continue;
    const found = along(at, newOuter, newInner);
    if (fits(found, to, rows)) return found;
  }
  return undefined;
}

/** Rows of a value whose parts are all alike, from its shape; undefined where they are along no axis. */
export function uniform(dims: readonly Dim[], rows: Dim): Along | undefined {
  const name = [...symbolsOf(rows)][0]!;
  const axis = dims.findIndex((dim) => counts(dim, name));
  const inner = axis < 0 ? undefined : quotient(dims[axis]!, rows);
  if (inner === undefined) return undefined;
  const found = along(axis, 1, inner);
  return fits(found, dims, rows) ? found : undefined;
}
