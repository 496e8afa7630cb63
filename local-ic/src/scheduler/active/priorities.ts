import { hasLongMessage } from '../next-execution.js';
import { PERCENT, ROUND, type Standing } from './standing.js';

/** Priorities beyond these shrink. */
const HIGHEST = 500 * PERCENT;
const LOWEST = -2000 * PERCENT;
/** What is left of the excess after a round. */
const KEPT_PERCENT = 80;

/** Charges a canister for the rounds in which it had a full turn: once they end, the first at once. */
export function charge(standing: Standing, round: number): void {
  const { canister, executedRounds } = standing;
  if (hasLongMessage(canister)) {
    if (standing.startRound === round && executedRounds === 1) standing.priority -= ROUND;
    return;
  }
  standing.startRound = undefined;
  if (executedRounds === 0) return;
  standing.priority -= ROUND * Math.max(executedRounds - 1, 1);
  standing.executedRounds = 0;
}

/** Brings a priority that is out of bounds nearer to them. */
export function decay(priority: number): number {
  const bound = priority > HIGHEST ? HIGHEST : priority < LOWEST ? LOWEST : priority;
  return bound + Math.trunc(((priority - bound) * KEPT_PERCENT) / 100);
}

/**
 * Gives out what was charged and not allocated: by compute allocation, then by id, in equal shares that
 * bring nobody above a thread together with its allocation, unless there is more for all.
 */
export function giveOut(free: number, standings: readonly Standing[]): void {
  if (free <= 0 || standings.length === 0) return;
  const allocationOf = ({ canister }: Standing): number =>
    canister.settings.computeAllocation * PERCENT;
  const ordered = [...standings].sort(
    (a, b) => allocationOf(b) - allocationOf(a) || (a.canister.key < b.canister.key ? -1 : 1),
  );
  const allocated = ordered.reduce((sum, standing) => sum + allocationOf(standing), 0);
  const cap = Math.max(ROUND, Math.ceil((free + allocated) / ordered.length));
  let left = free;
  ordered.forEach((standing, index) => {
    const share = Math.min(
      Math.floor(left / (ordered.length - index)),
      cap - allocationOf(standing),
    );
    standing.priority += share;
    left -= share;
  });
}

/** Settles a round: charges, allocates, and gives out the rest. */
export function settle(
  standings: readonly Standing[],
  round: number,
  isIdle: (standing: Standing) => boolean,
): void {
  const competing: Standing[] = [];
  let sum = 0;
  for (const standing of standings) {
    charge(standing, round);
    standing.priority = decay(
      standing.priority + standing.canister.settings.computeAllocation * PERCENT,
    );
    if (isIdle(standing) && standing.priority > 0) {
      standing.priority = Math.max(0, standing.priority - ROUND);
    } else {
      competing.push(standing);
    }
    sum += standing.priority;
  }
  giveOut(-sum, competing);
}
