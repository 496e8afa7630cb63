/** The management canister's methods for creating canisters and installing code (interface specification). */
import { IDL } from '@dfinity/candid';
import { Principal } from '@dfinity/principal';
import { sha256 } from '../sha256.js';
import type { CreateOptions, InstallMode, InstallOptions } from './transport.js';

export const managementCanister = 'aaaaa-aa';
/** Most bytes of one chunk of a module in the chunk store. */
const moduleChunkBytes = 1024 * 1024;
/** A module up to this size travels in one `install_code` message of at most 2 MiB. */
const largestPlainModule = 1.9 * 1024 * 1024;

/** Sends one management call; `canister` is the one it concerns. */
export type ManagementCall = (
  method: string,
  arg: Uint8Array,
  canister: string | undefined,
) => Promise<Uint8Array>;

const settings = IDL.Record({ controllers: IDL.Opt(IDL.Vec(IDL.Principal)) });
const createArgs = IDL.Record({ amount: IDL.Opt(IDL.Nat), settings: IDL.Opt(settings) });
const createResult = IDL.Record({ canister_id: IDL.Principal });
const mode = IDL.Variant({ install: IDL.Null, reinstall: IDL.Null, upgrade: IDL.Opt(IDL.Null) });
const blob = IDL.Vec(IDL.Nat8);
const installArgs = IDL.Record({
  mode,
  canister_id: IDL.Principal,
  wasm_module: blob,
  arg: blob,
});
const canisterArgs = IDL.Record({ canister_id: IDL.Principal });
const uploadArgs = IDL.Record({ canister_id: IDL.Principal, chunk: blob });
const installChunkedArgs = IDL.Record({
  mode,
  target_canister: IDL.Principal,
  chunk_hashes_list: IDL.Vec(IDL.Record({ hash: blob })),
  wasm_module_hash: blob,
  arg: blob,
});

function modeValue(name: InstallMode): Record<string, unknown> {
  return name === 'upgrade' ? { upgrade: [] } : { [name]: null };
}

/** Creates a canister on a test network, which gives cycles away; a mainnet does not have this method. */
export async function provisionalCreate(
  call: ManagementCall,
  caller: string,
  { cycles, controllers = [] }: CreateOptions,
): Promise<string> {
  const all = [...new Set([caller, ...controllers])].map((id) => Principal.fromText(id));
  const arg = IDL.encode([createArgs], [{ amount: [cycles], settings: [{ controllers: [all] }] }]);
  const reply = await call('provisional_create_canister_with_cycles', arg, undefined);
  const [created] = IDL.decode([createResult], reply) as unknown as [{ canister_id: Principal }];
  return created.canister_id.toText();
}

/** Installs code in one message, or through the chunk store where it is too large for that. */
export async function install(
  call: ManagementCall,
  { canister, module, mode: modeName, arg = new Uint8Array() }: InstallOptions,
): Promise<void> {
  const id = Principal.fromText(canister);
  if (module.length + arg.length <= largestPlainModule) {
    const whole = { mode: modeValue(modeName), canister_id: id, wasm_module: module, arg };
    await call('install_code', IDL.encode([installArgs], [whole]), canister);
    return;
  }
  await call('clear_chunk_store', IDL.encode([canisterArgs], [{ canister_id: id }]), canister);
  const hashes: { hash: Uint8Array }[] = [];
  for (let start = 0; start < module.length; start += moduleChunkBytes) {
    const chunk = module.subarray(start, start + moduleChunkBytes);
    await call('upload_chunk', IDL.encode([uploadArgs], [{ canister_id: id, chunk }]), canister);
    hashes.push({ hash: await sha256(chunk) });
  }
  const chunked = {
    mode: modeValue(modeName),
    target_canister: id,
    chunk_hashes_list: hashes,
    wasm_module_hash: await sha256(module),
    arg,
  };
  await call('install_chunked_code', IDL.encode([installChunkedArgs], [chunked]), canister);
}
