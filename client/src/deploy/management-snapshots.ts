import { IDL } from '@dfinity/candid';
import { Principal } from '@dfinity/principal';
import { fromHex, toHex } from '../sha256.js';
import type { Transport } from '../transport/transport.js';

const blob = IDL.Vec(IDL.Nat8);
const takeArgs = IDL.Record({ canister_id: IDL.Principal, replace_snapshot: IDL.Opt(blob) });
const takeResult = IDL.Record({ id: blob });
const snapshotArgs = IDL.Record({ canister_id: IDL.Principal, snapshot_id: blob });

/** A transport that reaches the management canister. */
export type ManagingTransport = Transport & Required<Pick<Transport, 'manage'>>;

/** Takes a snapshot of a canister, in the place of an earlier one where that is given; hex of its id. */
export async function takeSnapshot(
  transport: ManagingTransport,
  canister: string,
  earlier: string | undefined,
): Promise<string> {
  const replaced = earlier === undefined ? [] : [fromHex(earlier)];
  const args = { canister_id: Principal.fromText(canister), replace_snapshot: replaced };
  const arg = IDL.encode([takeArgs], [args]);
  const reply = await transport.manage('take_canister_snapshot', arg, canister);
  const [{ id }] = IDL.decode([takeResult], reply) as unknown as [{ id: Uint8Array | number[] }];
  return toHex(Uint8Array.from(id));
}

export async function loadSnapshot(
  transport: ManagingTransport,
  canister: string,
  snapshot: string,
): Promise<void> {
  await transport.manage('load_canister_snapshot', argumentOf(canister, snapshot), canister);
}
export async function deleteSnapshot(
  transport: ManagingTransport,
  canister: string,
  snapshot: string,
): Promise<void> {
  await transport.manage('delete_canister_snapshot', argumentOf(canister, snapshot), canister);
}

function argumentOf(canister: string, snapshot: string): Uint8Array {
  const args = { canister_id: Principal.fromText(canister), snapshot_id: fromHex(snapshot) };
  return IDL.encode([snapshotArgs], [args]);
}
