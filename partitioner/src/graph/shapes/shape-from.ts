import type { Dim } from './dim.js';
import { NotDerivable } from './facts.js';
import type { Operation } from './operation.js';

/** Sizes of an output whose shape is an input, its known elements as they are. */
export function shapeFrom(op: Operation, input: number): Dim[] {
  const [rank] = op.dims(input);
  if (typeof rank !== 'number') throw new NotDerivable('the number of dimensions is computed');
  const { values } = op.facts(input);
  return Array.from({ length: rank }, (_, axis) => values?.[axis] ?? op.open(0, axis));
}
