import type { Canister, Subnet } from '../../state/index.js';
import type { SchedulerLimits } from '../limits.js';
import { hasLongMessage, nextExecution } from '../next-execution.js';
import type { RoundScheduler } from '../round-scheduler.js';
import { settle } from './priorities.js';
import { compare, hasWork, isForgettable, newStanding, ROUND, type Standing } from './standing.js';
import { deal, longThreads } from './threads.js';

/**
 * The scheduler of 2026: canisters that have work compete, in an order made anew for each iteration
 * (docs/scheduler-2026.md has its rules and where they come from).
 */
export class ActiveCanistersScheduler implements RoundScheduler {
  private readonly standings = new Map<string, Standing>();
  private readonly fully = new Set<Standing>();
  /** Canisters that were in a long execution when the round began. */
  private readonly longAtStart = new Set<Canister>();
  private round = 0;
  private firstIteration = true;

  constructor(
    private readonly subnet: Subnet,
    private readonly limits: SchedulerLimits,
  ) {}

  startRound(round: number): void {
    this.round = round;
    this.fully.clear();
    this.longAtStart.clear();
    for (const canister of this.subnet.canisters.values()) {
      if (hasLongMessage(canister)) this.longAtStart.add(canister);
    }
  }

  startIteration(first: boolean): Canister[][] {
    this.firstIteration = first;
    this.refresh();
    if (first) {
      for (const standing of this.standings.values()) {
        if (this.isRationed(standing.canister)) standing.priority -= ROUND;
      }
    }
    const schedule = [...this.standings.values()].filter(({ canister }) => this.mayRun(canister));
    schedule.sort(compare);
    const long = schedule.filter(({ canister }) => hasLongMessage(canister));
    const { threads } = this.limits;
    const forLong = longThreads(totals(long), totals(schedule), threads);
    const dealt = deal(long, schedule.slice(long.length), forLong, threads);
    return dealt.map((standings) => standings.map(({ canister }) => canister));
  }

  noteTurn(canister: Canister, rank: number): void {
    const standing = this.standings.get(canister.key)!;
    const isLong = hasLongMessage(canister);
    if (isLong) standing.startRound ??= this.round;
    const isFull =
      (this.firstIteration && rank === 0) ||
      nextExecution(canister) === 'none' ||
      isLong ||
      this.longAtStart.has(canister);
    if (isFull) this.fully.add(standing);
  }

  finishRound(): void {
    for (const standing of this.fully) standing.executedRounds++;
    settle([...this.standings.values()], this.round, ({ canister }) => !hasWork(canister));
  }

  byPriority(canisters: readonly Canister[]): Canister[] {
    return canisters
      .map((canister) => this.standingOf(canister))
      .sort(compare)
      .map(({ canister }) => canister);
  }

  noteAborted(canister: Canister): void {
    this.standingOf(canister).executedRounds = 0;
  }

  private standingOf(canister: Canister): Standing {
    let standing = this.standings.get(canister.key);
    if (standing?.canister !== canister) {
      standing = newStanding(canister);
      this.standings.set(canister.key, standing);
    }
    return standing;
  }

  /** Takes up canisters that have work or debts, and forgets those that are idle and even. */
  private refresh(): void {
    for (const canister of this.subnet.canisters.values()) {
      const { heapDeltaDebit, installCodeDebit } = canister.scheduler;
      if (hasWork(canister) || heapDeltaDebit > 0 || installCodeDebit > 0) {
        this.standingOf(canister);
      }
    }
    for (const [key, standing] of this.standings) {
      const isGone = this.subnet.canisters.get(key) !== standing.canister;
      if (isGone || (!this.fully.has(standing) && isForgettable(standing))) {
        this.standings.delete(key);
      }
    }
  }

  /** Owes more than a round pays off. */
  private isRationed({ scheduler }: Canister): boolean {
    return (
      scheduler.heapDeltaDebit >= this.limits.heapDeltaPerRound ||
      scheduler.installCodeDebit >= this.limits.installCodePerRound
    );
  }

  private mayRun(canister: Canister): boolean {
    const endedLong = this.longAtStart.has(canister) && !hasLongMessage(canister);
    return hasWork(canister) && !this.isRationed(canister) && !endedLong;
  }
}

function totals(standings: readonly Standing[]): { count: number; allocation: number } {
  const allocation = standings.reduce(
    (sum, { canister }) => sum + canister.settings.computeAllocation,
    0,
  );
  return { count: standings.length, allocation };
}
