import { limits, type Profile } from '../costs/index.js';

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
  /** Of a message that its canister cannot pay for. */
  readonly overheadOfSkippedMessage: number;
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
  /** Storage and compute allocation are charged in rounds whose number this divides. */
  readonly roundsBetweenCharges: number;
  /** Rounds after which priorities start anew. */
  readonly priorityResetRounds: number;
}

const { instructions, scheduler } = limits;
/** One part in so many of a round's budget is for management calls. */
const MANAGEMENT_SHARE = 16;

/** System subnets run larger messages and ration nothing. */
const system = {
  message: 50_000_000_000,
  query: 50_000_000_000,
  heapDeltaPerRound: Number.MAX_SAFE_INTEGER,
  installCodePerRound: Number.MAX_SAFE_INTEGER,
} as const;

function applicationLimits(profile: Profile): SchedulerLimits {
  const { roundInstructions, messageWithoutSlices } = profile.limits;
  const { overheadOfSkippedMessage, roundsBetweenCharges } = profile.scheduler;
  return {
    message: instructions.perUpdateMessage,
    slice: instructions.perSlice,
    query: instructions.perQuery,
    installCode: instructions.perInstallCode,
    installCodeSlice: instructions.perSlice,
    inspectMessage: instructions.perInspectMessage,
    messageWithoutSlices,
    round: roundInstructions,
    managementRound: roundInstructions / MANAGEMENT_SHARE,
    overheadPerMessage: instructions.overheadPerMessage,
    overheadOfSkippedMessage,
    overheadPerCanister: instructions.overheadPerCanisterPerRound,
    overheadPerHostedCanister: 12_000,
    threads: scheduler.executionThreads,
    maxPaused: scheduler.maxPausedExecutions,
    heapDeltaPerRound: scheduler.heapDeltaPerCanisterPerRoundBytes,
    heapDeltaPerIteration: scheduler.heapDeltaPerIterationBytes,
    installCodePerRound: instructions.perSlice,
    roundsBetweenCharges,
    priorityResetRounds: 24 * 3600,
  };
}

const known = new Map<Profile, Readonly<Record<'application' | 'system', SchedulerLimits>>>();

/** The limits of a profile on one kind of subnet. */
export function limitsOf(profile: Profile, isSystem = false): SchedulerLimits {
  let limitsOfBoth = known.get(profile);
  if (limitsOfBoth === undefined) {
    const application = applicationLimits(profile);
    limitsOfBoth = { application, system: { ...application, ...system } };
    known.set(profile, limitsOfBoth);
  }
  return isSystem ? limitsOfBoth.system : limitsOfBoth.application;
}
