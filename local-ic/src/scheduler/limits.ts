import { MESSAGE_INSTRUCTION_LIMIT } from '../state/index.js';

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

const B = 1_000_000_000;

export const APPLICATION_LIMITS: SchedulerLimits = {
  message: MESSAGE_INSTRUCTION_LIMIT,
  slice: 2 * B,
  query: 5 * B,
  installCode: 300 * B,
  installCodeSlice: 2 * B,
  inspectMessage: 200_000_000,
  messageWithoutSlices: 5 * B,
  round: 7 * B,
  managementRound: (7 * B) / 16,
  overheadPerMessage: 2_000_000,
  overheadPerCanister: 8_000_000,
  overheadPerHostedCanister: 12_000,
  threads: 4,
  maxPaused: 4,
  heapDeltaPerRound: 75 * 1024 * 1024,
  heapDeltaPerIteration: 200_000_000,
  installCodePerRound: 2 * B,
  priorityResetRounds: 24 * 3600,
};

/** System subnets run larger messages and ration nothing. */
export const SYSTEM_LIMITS: SchedulerLimits = {
  ...APPLICATION_LIMITS,
  message: 50 * B,
  query: 50 * B,
  messageWithoutSlices: 5 * B,
  heapDeltaPerRound: Number.MAX_SAFE_INTEGER,
  installCodePerRound: Number.MAX_SAFE_INTEGER,
};
