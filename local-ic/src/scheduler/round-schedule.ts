import type { Canister } from '../state/index.js';
import type { SchedulerLimits } from './limits.js';
import { hasLongMessage, nextExecution } from './next-execution.js';

/** Order of canisters for one round: long executions apart from new ones. */
export interface RoundSchedule {
  readonly longCores: number;
  readonly long: readonly Canister[];
  readonly fresh: readonly Canister[];
  readonly totalComputeAllocation: number;
}

/** Long executions first, those that must make progress before the others; then by priority. */
function compare(a: Canister, b: Canister): number {
  const mode = rank(b) - rank(a);
  if (mode !== 0) return mode;
  const long = Number(hasLongMessage(b)) - Number(hasLongMessage(a));
  if (long !== 0) return long;
  const priority = b.scheduler.accumulatedPriority - a.scheduler.accumulatedPriority;
  if (priority !== 0) return priority;
  return a.key < b.key ? -1 : 1;
}

function rank(canister: Canister): number {
  return canister.scheduler.longExecutionMode === 'prioritized' ? 1 : 0;
}

/** Sorts canisters by scheduling priority, highest first. */
export function byPriority(canisters: readonly Canister[]): Canister[] {
  return [...canisters].sort(compare);
}

/**
 * Orders the canisters of a subnet for a round. Cores are set aside for long executions by their
 * share of the compute capacity, one core's worth less than there are.
 */
export function planRound(
  canisters: readonly Canister[],
  round: number,
  limits: SchedulerLimits,
): RoundSchedule {
  const count = canisters.length;
  const multiplier = Math.max(1, limits.threads * count);
  if (round % limits.priorityResetRounds === 0) {
    for (const { scheduler, settings } of canisters) {
      scheduler.accumulatedPriority = settings.computeAllocation * multiplier;
      scheduler.priorityCredit = 0;
    }
  }
  const capacity = limits.threads >= 2 ? (limits.threads - 1) * 100 : 0;
  let totalComputeAllocation = 0;
  for (const { settings } of canisters) totalComputeAllocation += settings.computeAllocation;
  const free = Math.max(0, capacity - totalComputeAllocation) * limits.threads;
  let longAllocation = 0;
  let longCount = 0;
  for (const canister of canisters) {
    if (!hasLongMessage(canister)) continue;
    longAllocation += canister.settings.computeAllocation * multiplier + free;
    longCount++;
  }
  const longCores = Math.floor((longAllocation + 100 * multiplier - 1) / (100 * multiplier));
  const ordered = byPriority(canisters);
  const long = ordered.slice(0, longCount);
  for (const canister of long.slice(0, longCores))
    canister.scheduler.longExecutionMode = 'prioritized';
  return {
    longCores: Math.min(longCores, long.length),
    long,
    fresh: ordered.slice(longCount),
    totalComputeAllocation,
  };
}

/** The canisters of a schedule that can execute now; those over their heap delta sit out. */
export function activeSchedule(schedule: RoundSchedule, limits: SchedulerLimits): RoundSchedule {
  const ready = (canister: Canister): boolean =>
    canister.scheduler.heapDeltaDebit < limits.heapDeltaPerRound;
  const fresh = schedule.fresh.filter((canister) => {
    if (!ready(canister)) return false;
    const next = nextExecution(canister);
    return next === 'startNew' || next === 'continueLong';
  });
  const long = schedule.long.filter(
    (canister) => ready(canister) && nextExecution(canister) === 'continueLong',
  );
  return { ...schedule, fresh, long, longCores: Math.min(schedule.longCores, long.length) };
}

/** Deals canisters to threads: first the prioritized long ones, one each; the rest in turn. */
export function dealToThreads(schedule: RoundSchedule, threads: number): Canister[][] {
  const dealt: Canister[][] = Array.from({ length: threads }, () => []);
  const { longCores } = schedule;
  let index = 0;
  for (const canister of schedule.long.slice(0, longCores)) dealt[index++]!.push(canister);
  const others = Math.max(1, threads - longCores);
  for (const canister of schedule.fresh) {
    dealt[index]!.push(canister);
    index = longCores + ((index - longCores + 1) % others);
  }
  for (const canister of schedule.long.slice(longCores)) {
    dealt[index]!.push(canister);
    index = (index + 1) % threads;
  }
  return dealt;
}

/** Canisters at the front that have nothing to do count as fully executed. */
export function chargeIdle(
  schedule: RoundSchedule,
  fully: Set<Canister>,
  round: number,
  firstIteration: boolean,
): void {
  for (const canister of schedule.fresh) {
    const next = nextExecution(canister);
    if (next === 'none') noteExecution(canister, fully, round, firstIteration, 0);
    else if (next !== 'continueInstallCode') break;
  }
}

/**
 * Notes whether a canister had a full turn in the round: it has nothing left to do, it used a whole
 * slice, or it came first on its thread.
 */
export function noteExecution(
  canister: Canister,
  fully: Set<Canister>,
  round: number,
  firstIteration: boolean,
  rank: number,
): void {
  const next = nextExecution(canister);
  const full = next === 'none' || next === 'continueLong';
  if (!full && !(firstIteration && rank === 0)) return;
  canister.scheduler.lastFullExecutionRound = round;
  fully.add(canister);
}

/** Charges canisters that had a full turn, and spreads what they paid over all. */
export function settlePriorities(
  schedule: RoundSchedule,
  canisters: readonly Canister[],
  fully: ReadonlySet<Canister>,
  limits: SchedulerLimits,
): void {
  const count = canisters.length;
  const multiplier = Math.max(1, limits.threads * count);
  let charged = 0;
  for (const canister of fully) {
    charged += 100 * multiplier;
    canister.scheduler.priorityCredit += 100 * multiplier;
  }
  const allocated = schedule.totalComputeAllocation * multiplier;
  const free = Math.trunc((charged - allocated) / Math.max(1, count));
  for (const canister of canisters) {
    canister.scheduler.accumulatedPriority +=
      canister.settings.computeAllocation * multiplier + free;
    if (!hasLongMessage(canister)) applyPriorityCredit(canister);
  }
}

/** Takes the credit off a canister's priority, and ends its long execution's precedence. */
export function applyPriorityCredit(canister: Canister): void {
  const { scheduler } = canister;
  scheduler.accumulatedPriority -= scheduler.priorityCredit;
  scheduler.priorityCredit = 0;
  scheduler.longExecutionMode = 'opportunistic';
}
