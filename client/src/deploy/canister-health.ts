import { IDL } from '@dfinity/candid';
import { CanopyError, toCanopyError } from '../errors.js';
import { toHex } from '../sha256.js';
import type { Transport } from '../transport/transport.js';
import { canisterArgument } from './canister-status.js';

/** What a canister's controllers are told of it. */
export interface CanisterHealth {
  status: 'running' | 'stopping' | 'stopped';
  /** Hex hash of its module, if it has one. */
  moduleHash?: string;
  memoryBytes: number;
  cycles: bigint;
  /** Cycles that storage takes in a day. */
  idlePerDay: bigint;
  /** Below so many cycles it is frozen. */
  freezingCycles: bigint;
  /** Days until it is frozen if nobody asks it; undefined where it burns nothing. */
  daysLeft?: number;
}

const result = IDL.Record({
  status: IDL.Variant({ running: IDL.Null, stopping: IDL.Null, stopped: IDL.Null }),
  module_hash: IDL.Opt(IDL.Vec(IDL.Nat8)),
  memory_size: IDL.Nat,
  cycles: IDL.Nat,
  idle_cycles_burned_per_day: IDL.Nat,
  settings: IDL.Record({ freezing_threshold: IDL.Nat }),
});
interface Result {
  status: object;
  module_hash: [] | [Uint8Array | number[]];
  memory_size: bigint;
  cycles: bigint;
  idle_cycles_burned_per_day: bigint;
  settings: { freezing_threshold: bigint };
}
const secondsPerDay = 86_400n;

/** Asks for a canister of the caller's. Throws {@link CanopyError} where it is not there, or not the caller's. */
export async function canisterHealth(
  transport: Transport,
  canister: string,
): Promise<CanisterHealth> {
  const what = `asking for canister ${canister}`;
  if (!transport.manage) {
    throw new CanopyError('rejected', `${what}: not possible over this way to the IC`);
  }
  let told: Result;
  try {
    const reply = await transport.manage('canister_status', canisterArgument(canister), canister);
    [told] = IDL.decode([result], reply) as unknown as [Result];
  } catch (error) {
    throw toCanopyError(error, what);
  }
  const { cycles, idle_cycles_burned_per_day: idlePerDay, module_hash: hash } = told;
  const freezingCycles = (idlePerDay * told.settings.freezing_threshold) / secondsPerDay;
  const spare = cycles > freezingCycles ? cycles - freezingCycles : 0n;
  return {
    status: Object.keys(told.status)[0] as CanisterHealth['status'],
    ...(hash.length > 0 && { moduleHash: toHex(Uint8Array.from(hash[0]!)) }),
    memoryBytes: Number(told.memory_size),
    cycles,
    idlePerDay,
    freezingCycles,
    ...(idlePerDay > 0n && { daysLeft: Math.floor(Number(spare) / Number(idlePerDay)) }),
  };
}

/** Whether a canister cannot answer: it is stopped, or frozen. */
export function isSilent({ status, cycles, freezingCycles }: CanisterHealth): boolean {
  return status !== 'running' || cycles <= freezingCycles;
}
