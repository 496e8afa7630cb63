import { createHash } from 'node:crypto';
import { ErrorCode, UserError } from '../errors.js';
import { idKey, principalToText, sameId } from '../principal.js';
import type {
  Canister,
  InstallRequest,
  ManagementCall,
  ManagementContext,
} from '../state/index.js';
import { controlled, decodeArgs, existing, originOf, type Method } from './call.js';
import { byteList, chunkStoreError, notController } from './errors.js';
import { CHUNK_BYTES } from './chunks.js';
import { installChunkedCodeArgs, installCodeArgs, type InstallModeValue } from './types.js';

/** `install_code` */
export const installCode: Method = (context, call) => {
  const args = decodeArgs(installCodeArgs, call.arg);
  return context.installCode({
    call,
    canister: controlled(context, args.canister_id, call.sender),
    ...modeOf(args.mode),
    moduleBytes: args.wasm_module,
    arg: args.arg,
    origin: originOf(call, args.sender_canister_version),
  });
};

/** `install_chunked_code`: the module is put together from a chunk store, at one instruction a byte. */
export const installChunkedCode: Method = (context, call) => {
  const args = decodeArgs(installChunkedCodeArgs, call.arg);
  const store = storeCanister(context, call, args.target_canister, args.store_canister);
  if (args.wasm_module_hash.length !== 32) {
    throw new UserError(
      ErrorCode.CanisterContractViolation,
      `Invalid wasm hash ${byteList(args.wasm_module_hash)}`,
    );
  }
  const canister = controlled(context, args.target_canister, call.sender);
  const hashes = args.chunk_hashes_list.map(({ hash }) => hash);
  return context.installCode({
    call,
    canister,
    ...modeOf(args.mode),
    moduleBytes: () => assemble(store, hashes, args.wasm_module_hash),
    assemblyInstructions: CHUNK_BYTES * hashes.length,
    arg: args.arg,
    origin: originOf(call, args.sender_canister_version),
  });
};

/** The canister whose chunks are used: the target, or another one of the caller on the subnet. */
function storeCanister(
  context: ManagementContext,
  call: ManagementCall,
  target: Uint8Array,
  given: Uint8Array | undefined,
): Canister {
  if (given === undefined || sameId(given, target)) return existing(context, target);
  const store = context.subnet.canister(given);
  if (store === undefined) {
    throw new UserError(
      ErrorCode.CanisterContractViolation,
      `InstallChunkedCode Error: Store canister ${principalToText(given)} was not found on subnet ${principalToText(context.subnet.id)} of target canister ${principalToText(target)}`,
    );
  }
  if (!store.isController(call.sender) && !sameId(given, call.sender)) {
    throw notController(store, call.sender);
  }
  return store;
}

function assemble(
  store: Canister,
  hashes: readonly Uint8Array[],
  moduleHash: Uint8Array,
): Uint8Array {
  const chunks = hashes.map((hash) => {
    if (hash.length !== 32) throw chunkStoreError('Chunk hash is invalid. The length is not 32');
    const chunk = store.chunkStore.get(idKey(hash));
    if (chunk === undefined) throw chunkStoreError(`Chunk hash ${byteList(hash)} was not found`);
    return chunk;
  });
  const module = Buffer.concat(chunks);
  const actual = createHash('sha256').update(module).digest();
  if (!sameId(actual, moduleHash)) {
    throw chunkStoreError(
      `Wasm module hash ${byteList(actual)} does not match given hash WasmHash(${byteList(moduleHash)})`,
    );
  }
  return new Uint8Array(module);
}

function modeOf(
  mode: InstallModeValue,
): Pick<InstallRequest, 'mode' | 'skipPreUpgrade' | 'wasmMemoryPersistence'> {
  if ('install' in mode || 'reinstall' in mode) {
    return {
      mode: 'install' in mode ? 'install' : 'reinstall',
      skipPreUpgrade: false,
      wasmMemoryPersistence: undefined,
    };
  }
  const persistence = mode.upgrade?.wasm_memory_persistence;
  return {
    mode: 'upgrade',
    skipPreUpgrade: mode.upgrade?.skip_pre_upgrade ?? false,
    wasmMemoryPersistence:
      persistence === undefined ? undefined : 'keep' in persistence ? 'keep' : 'replace',
  };
}
