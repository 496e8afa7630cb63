import { elementCount, type ReduceName } from '@canopy/protocol';
import { activationWork } from './elementwise.js';
import type { Work } from './work.js';

/** Runs of neighbouring axes, the last first; each leaves what the next one reduces. */
export function reduceWork(
  kind: ReduceName,
  input: readonly number[],
  axes: readonly number[],
): Work[] {
  const reduced = new Set(axes.length > 0 ? axes : input.keys());
  const work: Work[] = [];
  let inner = 1;
  let count = elementCount(input);
  for (let at = input.length; at > 0;) {
    while (at > 0 && !reduced.has(at - 1)) inner *= input[--at]!;
    const end = at;
    while (at > 0 && reduced.has(at - 1)) at--;
    if (at === end) break;
    const size = elementCount(input.slice(at, end));
    const outer = elementCount(input.slice(0, at));
    count = outer * inner;
    const vectors = Math.floor(inner / 4);
    work.push(
      inner === 1
        ? {
            kernel: `reduceRow.${kind === 'max' || kind === 'min' ? 'max' : 'sum'}`,
            counts: { row: outer, turn: outer * Math.floor(size / 16), rest: outer * (size % 16) },
          }
        : {
            kernel: 'reduceColumns',
            counts: {
              outer,
              column: outer * (vectors + Number(inner % 4 > 0)),
              vector: outer * size * vectors,
              tail: outer * size * Number(inner % 4 > 0),
            },
          },
    );
  }
  if (kind === 'mean') work.push(...activationWork('affine', count, false));
  if (kind === 'l2') work.push(...activationWork('sqrt', count, false));
  return work;
}
