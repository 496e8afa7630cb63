import { createHash } from 'node:crypto';
import { ErrorCode, UserError } from '../errors.js';
import {
  defaultSettings,
  type CanisterSettings,
  type ChangeOrigin,
  type ManagementContext,
} from '../state/index.js';
import { decodeArgs, existing, originOf, reply, replyUnit, type Method } from './call.js';
import { failure, grouped } from './errors.js';
import { checkControllerCount, parseSettings, validateSettings } from './settings.js';
import {
  canisterIdRecord,
  createCanisterArgs,
  provisionalCreateArgs,
  provisionalTopUpArgs,
} from './types.js';

/** Cycles of a canister created without an amount, and of a top-up without one. */
const DEFAULT_PROVISIONAL_CYCLES = 100_000_000_000_000n;

/** `create_canister`: the attached cycles less the fee are the new canister's balance. */
export const createCanister: Method = (context, call) => {
  const args =
    call.arg.length === 0
      ? { settings: undefined, sender_canister_version: undefined }
      : decodeArgs(createCanisterArgs, call.arg);
  checkControllerCount(args.settings);
  const changes = parseSettings(context, args.settings);
  const fee = context.fees.canisterCreation;
  if (call.cycles < fee) {
    throw failure(
      ErrorCode.InsufficientCyclesForCreateCanister,
      `Creating a canister requires a fee of ${grouped(fee)} that is deducted from the canister's initial balance but only ${grouped(call.cycles)} cycles were received with the create_canister request.`,
      'Try sending more cycles with the request.',
      'create-canister-not-enough-cycles',
    );
  }
  const canister_id = create(context, {
    changes,
    cycles: call.cycles - fee,
    fee,
    sender: call.sender,
    origin: originOf(call, args.sender_canister_version),
  });
  return reply(canisterIdRecord, { canister_id }, { cyclesUsed: call.cycles });
};

/** `provisional_create_canister_with_cycles`: cycles out of nothing, for tests. */
export const provisionalCreateCanister: Method = (context, call) => {
  const args = decodeArgs(provisionalCreateArgs, call.arg);
  checkControllerCount(args.settings);
  const changes = parseSettings(context, args.settings);
  const canister_id = create(context, {
    changes,
    cycles: args.amount ?? DEFAULT_PROVISIONAL_CYCLES,
    sender: call.sender,
    origin: originOf(call, args.sender_canister_version),
    ...(args.specified_id === undefined ? {} : { specifiedId: args.specified_id }),
  });
  return reply(canisterIdRecord, { canister_id });
};

/** `provisional_top_up_canister` */
export const provisionalTopUp: Method = (context, call) => {
  const args = decodeArgs(provisionalTopUpArgs, call.arg);
  existing(context, args.canister_id).balance += args.amount;
  return replyUnit();
};

/** `deposit_cycles` */
export const depositCycles: Method = (context, call) => {
  const { canister_id } = decodeArgs(canisterIdRecord, call.arg);
  existing(context, canister_id).balance += call.cycles;
  const { data } = replyUnit() as { data: Uint8Array };
  return { kind: 'reply', data, cyclesUsed: call.cycles };
};

function create(
  context: ManagementContext,
  wanted: {
    changes: Partial<CanisterSettings>;
    cycles: bigint;
    sender: Uint8Array;
    origin: ChangeOrigin;
    specifiedId?: Uint8Array;
    /** Cycles that creating it took. */
    fee?: bigint;
  },
): Uint8Array {
  if (wanted.cycles >= 1n << 128n) {
    throw new UserError(
      ErrorCode.CanisterContractViolation,
      `Cycles amount expected to be in the range of [0..2^128-1], got ${grouped(wanted.cycles)}`,
    );
  }
  validateSettings(context, wanted.changes, undefined, wanted.cycles);
  const settings = { ...defaultSettings([wanted.sender]), ...wanted.changes };
  const { origin, cycles, specifiedId } = wanted;
  const canister = context.createCanister({
    settings,
    cycles,
    origin,
    ...(specifiedId === undefined ? {} : { specifiedId }),
  });
  canister.consumption.canister_creation += wanted.fee ?? 0n;
  return canister.id;
}

/**
 * Hash of environment variables in a canister's history: of the sorted hashes of each name's and
 * value's hash together.
 */
export function environmentVariablesHash(
  variables: CanisterSettings['environmentVariables'],
): Uint8Array {
  const sha256 = (...parts: (string | Uint8Array)[]): Buffer => {
    const hash = createHash('sha256');
    for (const part of parts) hash.update(part);
    return hash.digest();
  };
  const hashes = variables.map(({ name, value }) => sha256(sha256(name), sha256(value)));
  hashes.sort((a, b) => Buffer.compare(a, b));
  return new Uint8Array(sha256(...hashes));
}
