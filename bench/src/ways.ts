import type { Plan } from '@canopy/protocol';
import type { Way } from './results/schema.js';

/** Settings in which the ways to run a model differ. */
export interface WaySettings {
  /** Instructions after which a worker ends its message and continues in another. */
  instructionBudget: number;
  microBatchRows: number;
  paced: boolean;
}

/** Just under what an update message may take, 40 B: the replica slices, not the worker. */
export const unslicedBudget = 39_000_000_000;

export const wayNames: Record<Way, string> = {
  a: 'a, one canister',
  b: 'b, one at a time',
  c: 'c, all at once',
  d: 'd, Canopy',
};

/** Settings of a way; `plan` gives those of Canopy. */
export function waySettings(way: Way, plan: Plan): WaySettings {
  if (way === 'd') {
    const { instructionBudget, microBatchRows } = plan;
    return { instructionBudget, microBatchRows, paced: true };
  }
  return { instructionBudget: unslicedBudget, microBatchRows: 1, paced: false };
}
