/** Calls of the management canister about one canister (interface specification). */
import { IDL } from '@dfinity/candid';
import { Principal } from '@dfinity/principal';
import type { Call } from './network.js';

const blob = IDL.Vec(IDL.Nat8);
const id = { canister_id: IDL.Principal };
const settings = IDL.Record({
  compute_allocation: IDL.Opt(IDL.Nat),
  freezing_threshold: IDL.Opt(IDL.Nat),
  wasm_memory_limit: IDL.Opt(IDL.Nat),
});
const mode = IDL.Variant({ install: IDL.Null, reinstall: IDL.Null, upgrade: IDL.Opt(IDL.Null) });
const argumentTypes = {
  canister: IDL.Record(id),
  settings: IDL.Record({ ...id, settings }),
  install: IDL.Record({ ...id, mode, wasm_module: blob, arg: blob }),
  take: IDL.Record({ ...id, replace_snapshot: IDL.Opt(blob) }),
  load: IDL.Record({
    ...id,
    snapshot_id: blob,
    sender_canister_version: IDL.Opt(IDL.Nat64),
  }),
};

function call(
  method: string,
  type: keyof typeof argumentTypes,
  canister: string,
  fields: object,
): Call {
  const value = { canister_id: Principal.fromText(canister), ...fields };
  const arg = IDL.encode([argumentTypes[type]], [value]);
  return { canister: 'aaaaa-aa', method, arg, effective: canister };
}

export const stop = (canister: string): Call => call('stop_canister', 'canister', canister, {});
export const start = (canister: string): Call => call('start_canister', 'canister', canister, {});
export const uninstall = (canister: string): Call =>
  call('uninstall_code', 'canister', canister, {});

export function install(
  canister: string,
  module: Uint8Array,
  how: 'install' | 'reinstall' | 'upgrade',
): Call {
  const value = how === 'upgrade' ? { upgrade: [] } : { [how]: null };
  return call('install_code', 'install', canister, {
    mode: value,
    wasm_module: module,
    arg: new Uint8Array(),
  });
}

/** Changes the settings named; the others stay. */
export function change(
  canister: string,
  changed: { computeAllocation?: number; freezingThreshold?: bigint; wasmMemoryLimit?: bigint },
): Call {
  const optional = (value: number | bigint | undefined): bigint[] =>
    value === undefined ? [] : [BigInt(value)];
  return call('update_settings', 'settings', canister, {
    settings: {
      compute_allocation: optional(changed.computeAllocation),
      freezing_threshold: optional(changed.freezingThreshold),
      wasm_memory_limit: optional(changed.wasmMemoryLimit),
    },
  });
}

export const takeSnapshot = (canister: string): Call =>
  call('take_canister_snapshot', 'take', canister, { replace_snapshot: [] });
export const loadSnapshot = (canister: string, snapshot: Uint8Array): Call =>
  call('load_canister_snapshot', 'load', canister, {
    snapshot_id: snapshot,
    sender_canister_version: [],
  });

/** The id in a reply of `take_canister_snapshot`. */
export function snapshotId(reply: Uint8Array): Uint8Array {
  const [record] = IDL.decode([IDL.Record({ id: blob })], reply) as unknown as [
    { id: Uint8Array | number[] },
  ];
  return Uint8Array.from(record.id);
}
