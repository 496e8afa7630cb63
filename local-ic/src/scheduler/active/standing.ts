import { nextExecution, hasLongMessage } from '../next-execution.js';
import type { Canister } from '../../state/index.js';

/** Units of priority in a percent of a thread. */
export const PERCENT = 1_000_000;
/** What a round of a thread costs. */
export const ROUND = 100 * PERCENT;

/** How a canister stands with the scheduler. */
export interface Standing {
  readonly canister: Canister;
  /** Accumulated priority, in {@link PERCENT}; negative for one that had more than its share. */
  priority: number;
  /** Rounds of full execution that are not paid for yet: those of a long execution, mostly. */
  executedRounds: number;
  /** Round in which the long execution began. */
  startRound: number | undefined;
}

export function newStanding(canister: Canister): Standing {
  return { canister, priority: 0, executedRounds: 0, startRound: undefined };
}

/** Has a message or task, or a message under way. */
export function hasWork(canister: Canister): boolean {
  const next = nextExecution(canister);
  return next === 'startNew' || next === 'continueLong';
}

/** Whether a standing says no more than a new one would. */
export function isForgettable(standing: Standing): boolean {
  const { canister, priority, executedRounds } = standing;
  const { heapDeltaDebit, installCodeDebit } = canister.scheduler;
  return (
    nextExecution(canister) === 'none' &&
    executedRounds === 0 &&
    heapDeltaDebit === 0 &&
    installCodeDebit === 0 &&
    priority >= 0 &&
    priority <= ROUND
  );
}

function merit({ canister, priority }: Standing): number {
  return priority + canister.settings.computeAllocation * PERCENT;
}

function byId(a: Standing, b: Standing): number {
  return a.canister.key < b.canister.key ? -1 : 1;
}

/** Order of long executions: those that ran for more rounds first. */
function compareLong(a: Standing, b: Standing): number {
  return (
    Math.max(b.executedRounds, 1) - Math.max(a.executedRounds, 1) ||
    merit(b) - merit(a) ||
    (a.startRound ?? 0) - (b.startRound ?? 0) ||
    byId(a, b)
  );
}

/** The order of a schedule: long executions, then the others. */
export function compare(a: Standing, b: Standing): number {
  const long = Number(hasLongMessage(b.canister)) - Number(hasLongMessage(a.canister));
  if (long !== 0) return long;
  return hasLongMessage(a.canister) ? compareLong(a, b) : merit(b) - merit(a) || byId(a, b);
}
