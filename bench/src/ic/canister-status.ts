import { IDL } from '@dfinity/candid';
import { Principal } from '@dfinity/principal';
import type { Memory } from '../results/schema.js';

const argument = IDL.Record({ canister_id: IDL.Principal });
/** The fields that are read; others are skipped. */
const reply = IDL.Record({
  cycles: IDL.Nat,
  memory_metrics: IDL.Record({ wasm_memory_size: IDL.Nat, stable_memory_size: IDL.Nat }),
});
interface Reply {
  cycles: bigint;
  memory_metrics: { wasm_memory_size: bigint; stable_memory_size: bigint };
}

export interface CanisterStatus {
  cycles: bigint;
  memory: Memory;
}

/**
 * Asks the management canister for `canister_status` by query, which only controllers may and which
 * costs nothing. Null where the IC does not answer it by query, as some replicas do not.
 */
export async function canisterStatus(
  query: (method: string, arg: Uint8Array) => Promise<Uint8Array>,
  canister: string,
): Promise<CanisterStatus | null> {
  const arg = IDL.encode([argument], [{ canister_id: Principal.fromText(canister) }]);
  let bytes: Uint8Array;
  try {
    bytes = await query('canister_status', arg);
  } catch {
    return null;
  }
  const [status] = IDL.decode([reply], bytes) as unknown as [Reply];
  const { wasm_memory_size, stable_memory_size } = status.memory_metrics;
  return {
    cycles: status.cycles,
    memory: { heapBytes: Number(wasm_memory_size), stableBytes: Number(stable_memory_size) },
  };
}
