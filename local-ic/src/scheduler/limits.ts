import { limits } from '../costs/index.js';

/** Instruction limits and budgets of one kind of subnet (limits.json; system subnets differ). */
export interface SchedulerLimits {
  readonly message: number;
  readonly slice: number;
  readonly query: number;
  readonly installCode: number;
  readonly installCodeSlice: number;
  readonly inspectMessage: number;
  /** Largest message that is not sliced. */
  readonly messageWithoutSlices: number;
  readonly round: number;
  /** Budget of management calls in a round. */
  readonly managementRound: number;
  readonly overheadPerMessage: number;
  readonly overheadPerCanister: number;
  /** Each canister of the subnet costs every iteration this much. */
  readonly overheadPerHostedCanister: number;
  readonly threads: number;
  readonly maxPaused: number;
  /** Bytes of changed memory a canister may pay off in a round. */
  readonly heapDeltaPerRound: number;
  /** Changed bytes after which no more messages start in an iteration. */
  readonly heapDeltaPerIteration: number;
  /** Instructions of install_code that a canister may pay off in a round. */
  readonly installCodePerRound: number;
  /** Rounds after which priorities start anew. */
  readonly priorityResetRounds: number;
}

const { instructions, scheduler } = limits;
/** One part in so many of a round's budget is for management calls. */
const MANAGEMENT_SHARE = 16;

export const APPLICATION_LIMITS: SchedulerLimits = {
  message: instructions.perUpdateMessage,
  slice: instructions.perSlice,
  query: instructions.perQuery,
  installCode: instructions.perInstallCode,
  installCodeSlice: instructions.perSlice,
  inspectMessage: instructions.perInspectMessage,
  messageWithoutSlices: instructions.messageWithoutDts,
  round: instructions.perRoundPerThread,
  managementRound: instructions.perRoundPerThread / MANAGEMENT_SHARE,
  overheadPerMessage: instructions.overheadPerMessage,
  overheadPerCanister: instructions.overheadPerCanisterPerRound,
  overheadPerHostedCanister: 12_000,
  threads: scheduler.executionThreads,
  maxPaused: scheduler.maxPausedExecutions,
  heapDeltaPerRound: scheduler.heapDeltaPerCanisterPerRoundBytes,
  heapDeltaPerIteration: scheduler.heapDeltaPerIterationBytes,
  installCodePerRound: instructions.perSlice,
  priorityResetRounds: 24 * 3600,
};

/** System subnets run larger messages and ration nothing. */
export const SYSTEM_LIMITS: SchedulerLimits = {
  ...APPLICATION_LIMITS,
  message: 50_000_000_000,
  query: 50_000_000_000,
  heapDeltaPerRound: Number.MAX_SAFE_INTEGER,
  installCodePerRound: Number.MAX_SAFE_INTEGER,
};
