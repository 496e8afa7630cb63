import type { Dim } from './dim.js';
import type { Facts } from './facts.js';
import type { Operation } from './operation.js';

/** Facts of the first input in another shape: its elements stay in their order. */
export function reshaped(op: Operation, dims: readonly Dim[]): Facts {
  const { dtype, values } = op.facts(0);
  return { dtype, dims, ...(values && { values }) };
}
