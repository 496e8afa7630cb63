import { IDL } from '@dfinity/candid';
import { toCanopyError } from '../errors.js';
import type { AgentTransport } from '../transport/agent.js';
import { managementCanister } from '../transport/management.js';
import { canisterArgument } from './canister-status.js';

/** A line of a canister's log. */
export interface LogLine {
  /** Nanoseconds since 1970. */
  time: bigint;
  text: string;
}

const record = IDL.Record({ timestamp_nanos: IDL.Nat64, content: IDL.Vec(IDL.Nat8) });
const reply = [IDL.Record({ canister_log_records: IDL.Vec(record) })];
interface Reply {
  canister_log_records: { timestamp_nanos: bigint; content: Uint8Array | number[] }[];
}

/** What a canister of the caller's printed, and why it trapped; the IC keeps the newest 4 KiB unless told otherwise. */
export async function canisterLogs(
  transport: AgentTransport,
  canister: string,
): Promise<LogLine[]> {
  try {
    const bytes = await transport.query(
      managementCanister,
      'fetch_canister_logs',
      canisterArgument(canister),
      { effectiveCanister: canister },
    );
    const [{ canister_log_records: records }] = IDL.decode(reply, bytes) as unknown as [Reply];
    return records.map(({ timestamp_nanos: time, content }) => ({
      time,
      text: new TextDecoder().decode(Uint8Array.from(content)),
    }));
  } catch (error) {
    throw toCanopyError(error, `asking for the log of canister ${canister}`);
  }
}
