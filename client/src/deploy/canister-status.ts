import { IDL } from '@dfinity/candid';
import { Principal } from '@dfinity/principal';
import { CallRejected, toCanopyError } from '../errors.js';
import { toHex } from '../sha256.js';
import type { Transport } from '../transport/transport.js';

/** What the IC says of a canister. */
export type CanisterStatus =
  /** No canister has this id. */
  | { kind: 'missing' }
  /** It is managed by others than the caller. */
  | { kind: 'foreign' }
  /** The caller manages it; whether it is stopped, or about to be, and hex hash of its module, if it has one. */
  | { kind: 'managed'; isStopped: boolean; moduleHash?: string };

const canisterArgs = IDL.Record({ canister_id: IDL.Principal });
/** The fields that are read; the others are passed over. */
const statusResult = IDL.Record({
  status: IDL.Variant({ running: IDL.Null, stopping: IDL.Null, stopped: IDL.Null }),
  module_hash: IDL.Opt(IDL.Vec(IDL.Nat8)),
});

/** Reject code of a call to a canister that does not exist. */
const destinationInvalid = 3;

/** Encodes the argument of the management canister's methods about one canister. */
export function canisterArgument(canister: string): Uint8Array {
  return IDL.encode([canisterArgs], [{ canister_id: Principal.fromText(canister) }]);
}

function refusal(error: unknown): CanisterStatus | undefined {
  const text = error instanceof Error ? error.message : String(error);
  if (error instanceof CallRejected && error.rejectCode === destinationInvalid) {
    return { kind: 'missing' };
  }
  // What an HTTP endpoint answers for ids that no subnet has.
  if (text.includes('canister_not_found')) return { kind: 'missing' };
  if (error instanceof CallRejected && /only controllers/i.test(text)) return { kind: 'foreign' };
  return undefined;
}

/**
 * Asks the IC for a canister. Undefined of transports that cannot ask the management canister. Throws
 * `CanopyError` where there is no answer.
 */
export async function canisterStatus(
  transport: Transport,
  canister: string,
): Promise<CanisterStatus | undefined> {
  if (!transport.manage) return undefined;
  try {
    const reply = await transport.manage('canister_status', canisterArgument(canister), canister);
    const [{ module_hash: hash, status }] = IDL.decode([statusResult], reply) as unknown as [
      { module_hash: [] | [Uint8Array | number[]]; status: object },
    ];
    const isStopped = !('running' in status);
    return hash.length === 0
      ? { kind: 'managed', isStopped }
      : { kind: 'managed', isStopped, moduleHash: toHex(Uint8Array.from(hash[0])) };
  } catch (error) {
    const known = refusal(error);
    if (known) return known;
    throw toCanopyError(error, `asking for canister ${canister}`);
  }
}
