import type { DTypeName } from '@canopy/protocol';
import type { Dim } from './dim.js';
import type { Facts } from './facts.js';
import type { Rule } from './operation.js';

/** What an operator makes of known elements; undefined where its result is not known. */
export type OnValues = (...operands: Dim[]) => Dim | undefined;

/** Most elements that are followed. */
export const mostValues = 1024;

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
export function placeIn(operand: Facts, sizes: readonly number[], index: number): number {
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
export function onElement(apply: OnValues): Rule {
  return (op) => {
    const values = valuesOf(op.dims(0), [op.facts(0)], apply);
    return [{ ...op.like(0), ...(values && { values }) }];
  };
}

/** Operands that are broadcast together. */
export function broadcastElements(dtype?: DTypeName, apply?: (kind: DTypeName) => OnValues): Rule {
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
