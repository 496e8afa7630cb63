import type { Canister, Subnet } from '../state/index.js';
import type { SchedulerLimits } from './limits.js';
import {
  activeSchedule,
  byPriority,
  chargeIdle,
  dealToThreads,
  noteExecution,
  planRound,
  settlePriorities,
  type RoundSchedule,
} from './round-schedule.js';
import type { RoundScheduler } from './round-scheduler.js';

/** The scheduler of 2025: one order a round, in which all canisters of the subnet compete. */
export class AllCanistersScheduler implements RoundScheduler {
  private schedule!: RoundSchedule;
  private round = 0;
  private firstIteration = true;
  private readonly fully = new Set<Canister>();

  constructor(
    private readonly subnet: Subnet,
    private readonly limits: SchedulerLimits,
  ) {}

  startRound(round: number): void {
    this.round = round;
    this.fully.clear();
    this.schedule = planRound(this.subnet.sortedCanisters(), round, this.limits);
  }

  startIteration(first: boolean): Canister[][] {
    this.firstIteration = first;
    chargeIdle(this.schedule, this.fully, this.round, first);
    return dealToThreads(activeSchedule(this.schedule, this.limits), this.limits.threads);
  }

  noteTurn(canister: Canister, rank: number): void {
    noteExecution(canister, this.fully, this.round, this.firstIteration, rank);
  }

  finishRound(): void {
    settlePriorities(this.schedule, this.subnet.sortedCanisters(), this.fully, this.limits);
  }

  byPriority(canisters: readonly Canister[]): Canister[] {
    return byPriority(canisters);
  }

  noteAborted(): void {
    // An aborted execution keeps its place.
  }
}
