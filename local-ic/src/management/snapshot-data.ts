import { ErrorCode, UserError } from '../errors.js';
import { idKey } from '../principal.js';
import { readSnapshot, StableMemory, WASM_PAGE, type CanisterSnapshot } from '../state/index.js';
import {
  controlled,
  decodeArgs,
  reply,
  replyUnit,
  withReadableSnapshots,
  type Method,
} from './call.js';
import type { ValueOf } from './candid/index.js';
import { CHUNK_BYTES, checkChunk, hashesOf, UPLOAD_CHUNK_INSTRUCTIONS } from './chunks.js';
import { chunkStoreError, invalidPayload } from './errors.js';
import { globalsOf, globalValue, heapBytes, readHeap } from './snapshot-heap.js';
import {
  addSnapshot,
  chargeForSnapshot,
  checkGrowth,
  nextSnapshotId,
  ownSnapshot,
  removeSnapshot,
  SNAPSHOT_BASELINE_INSTRUCTIONS,
  snapshotToReplace,
} from './snapshots.js';
import {
  readSnapshotDataArgs,
  readSnapshotDataReply,
  snapshotIdArgs,
  snapshotMetadataReply,
  uploadSnapshotDataArgs,
  uploadSnapshotMetadataArgs,
  uploadSnapshotMetadataReply,
} from './types.js';

/** Largest piece of a snapshot that is read at once. */
const MAX_SLICE_BYTES = 2_000_000n;
/** Instructions of reading or writing a piece, besides one for each byte. */
const DATA_BASELINE_INSTRUCTIONS = 5_000_000;
const MAX_MODULE_BYTES = 104_857_600n;
const MAX_HEAP_BYTES = 4_294_967_296n;
const MAX_STABLE_BYTES = 536_870_912_000n;
const GLOBAL_BYTES = 32;

/** `read_canister_snapshot_metadata` */
export const readSnapshotMetadata: Method = (context, call) => {
  const args = decodeArgs(snapshotIdArgs, call.arg);
  const canister = withReadableSnapshots(context, args.canister_id, call.sender);
  const snapshot = ownSnapshot(context, canister, args.snapshot_id);
  return reply(snapshotMetadataReply, {
    source: { [snapshot.source]: null } as { metadata_upload: null },
    taken_at_timestamp: snapshot.takenAt,
    wasm_module_size: BigInt(snapshot.wasmModuleBytes.length),
    globals: globalsOf(snapshot),
    wasm_memory_size: BigInt(heapBytes(snapshot)),
    stable_memory_size: BigInt(snapshot.stable.size * WASM_PAGE),
    wasm_chunk_store: hashesOf(snapshot.chunkStore).map((hash) => ({ hash })),
    canister_version: snapshot.canisterVersion,
    certified_data: snapshot.certifiedData,
    global_timer:
      snapshot.globalTimer === undefined ? { inactive: null } : { active: snapshot.globalTimer },
    on_low_wasm_memory_hook_status: {
      [snapshot.lowWasmMemoryHook]: null,
    } as { ready: null },
  });
};

/** `read_canister_snapshot_data` */
export const readSnapshotData: Method = (context, call) => {
  const args = decodeArgs(readSnapshotDataArgs, call.arg);
  const canister = withReadableSnapshots(context, args.canister_id, call.sender);
  const snapshot = ownSnapshot(context, canister, args.snapshot_id);
  const bytes = responseBytes(args.kind);
  chargeForSnapshot(context, canister, DATA_BASELINE_INSTRUCTIONS + bytes);
  return reply(readSnapshotDataReply, { chunk: readPiece(snapshot, args.kind) });
};

type Piece = ValueOf<typeof readSnapshotDataArgs>['kind'];

function responseBytes(kind: Piece): number {
  if ('wasm_chunk' in kind) return CHUNK_BYTES;
  const { size } = Object.values(kind)[0] as { size: bigint };
  if (size > MAX_SLICE_BYTES) {
    throw invalidPayload(`Requested slice too large: ${size} > ${MAX_SLICE_BYTES}`);
  }
  return Number(size);
}

function readPiece(snapshot: CanisterSnapshot, kind: Piece): Uint8Array {
  if ('wasm_chunk' in kind) {
    const { hash } = kind.wasm_chunk;
    const list = Array.from(hash, (byte) => byte.toString(16).padStart(2, '0')).join(', ');
    if (hash.length !== 32) throw chunkStoreError(`Bytes [${list}] are not a valid WasmChunkHash.`);
    const chunk = snapshot.chunkStore.get(idKey(hash));
    if (chunk === undefined) throw chunkStoreError(`WasmChunkHash [${list}] not found.`);
    return chunk;
  }
  if ('wasm_module' in kind) {
    const { offset, length } = within(kind.wasm_module, snapshot.wasmModuleBytes.length);
    return snapshot.wasmModuleBytes.slice(offset, offset + length);
  }
  if ('wasm_memory' in kind) {
    const { offset, length } = within(kind.wasm_memory, heapBytes(snapshot));
    return readHeap(snapshot, offset, length);
  }
  const { offset, length } = within(kind.stable_memory, snapshot.stable.size * WASM_PAGE);
  return readSnapshot(snapshot.stable, offset, length);
}

function within(
  { offset, size }: { offset: bigint; size: bigint },
  bytes: number,
): { offset: number; length: number } {
  if (offset + size > BigInt(bytes)) throw invalidSlice(offset, size);
  return { offset: Number(offset), length: Number(size) };
}

function invalidSlice(offset: bigint, size: bigint): UserError {
  return invalidPayload(
    `Invalid subslice into wasm module / main memory / stable memory: offset: ${offset}, size: ${size}`,
  );
}

/** `upload_canister_snapshot_metadata`: a snapshot whose contents are zero until they are uploaded. */
export const uploadSnapshotMetadata: Method = (context, call) => {
  const args = decodeArgs(uploadSnapshotMetadataArgs, call.arg);
  const canister = controlled(context, args.canister_id, call.sender);
  validateMetadata(args);
  const replaced = snapshotToReplace(context, canister, args.replace_snapshot);
  const globalBytes = GLOBAL_BYTES * (args.globals.length + 1);
  const size =
    Number(args.wasm_module_size + args.wasm_memory_size + args.stable_memory_size) +
    globalBytes +
    args.certified_data.length;
  const instructions = SNAPSHOT_BASELINE_INSTRUCTIONS + size;
  checkGrowth(context, canister, size - (replaced?.sizeBytes ?? 0));
  chargeForSnapshot(context, canister, instructions);
  if (replaced) removeSnapshot(context, canister, replaced);
  const timer = args.global_timer;
  const hook = args.on_low_wasm_memory_hook_status;
  const snapshot: CanisterSnapshot = {
    id: nextSnapshotId(canister),
    canisterId: canister.id,
    takenAt: context.timeNs,
    canisterVersion: canister.version,
    source: 'metadata_upload',
    sizeBytes: size,
    wasmModuleBytes: new Uint8Array(Number(args.wasm_module_size)),
    module: undefined,
    heap: undefined,
    uploadedHeap: new Uint8Array(Number(args.wasm_memory_size)),
    uploadedGlobals: args.globals.map(globalValue),
    stable: { pages: new Map(), size: Number(args.stable_memory_size) / WASM_PAGE },
    certifiedData: args.certified_data,
    chunkStore: new Map(),
    globalTimer: timer !== undefined && 'active' in timer ? timer.active : undefined,
    lowWasmMemoryHook:
      hook === undefined
        ? 'condition_not_satisfied'
        : (Object.keys(hook)[0] as CanisterSnapshot['lowWasmMemoryHook']),
  };
  addSnapshot(context, canister, snapshot);
  return reply(uploadSnapshotMetadataReply, { snapshot_id: snapshot.id }, { instructions });
};

function validateMetadata(args: {
  wasm_module_size: bigint;
  wasm_memory_size: bigint;
  stable_memory_size: bigint;
  certified_data: Uint8Array;
}): void {
  const page = BigInt(WASM_PAGE);
  const problem =
    args.wasm_module_size === 0n
      ? 'WasmModuleEmpty'
      : args.wasm_module_size > MAX_MODULE_BYTES
        ? 'WasmModuleTooLarge'
        : args.wasm_memory_size % page !== 0n
          ? 'WasmMemoryNotPageAligned'
          : args.wasm_memory_size > MAX_HEAP_BYTES
            ? 'WasmMemoryTooLarge'
            : args.stable_memory_size % page !== 0n
              ? 'StableMemoryNotPageAligned'
              : args.stable_memory_size > MAX_STABLE_BYTES
                ? 'StableMemoryTooLarge'
                : args.certified_data.length > 32
                  ? 'CertifiedDataTooLarge'
                  : undefined;
  if (problem === undefined) return;
  throw invalidPayload(`Snapshot Metadata contains invalid data: ${problem}`);
}

/** `upload_canister_snapshot_data` */
export const uploadSnapshotData: Method = (context, call) => {
  const args = decodeArgs(uploadSnapshotDataArgs, call.arg);
  const canister = controlled(context, args.canister_id, call.sender);
  const snapshot = ownSnapshot(context, canister, args.snapshot_id);
  if (snapshot.source !== 'metadata_upload') {
    throw new UserError(
      ErrorCode.CanisterSnapshotImmutable,
      'Only canister snapshots created by metadata upload can be mutated.',
    );
  }
  const { kind, chunk } = args;
  const isChunk = 'wasm_chunk' in kind;
  chargeForSnapshot(context, canister, isChunk ? CHUNK_BYTES : chunk.length);
  if (isChunk) {
    const hash = checkChunk(snapshot.chunkStore, chunk);
    if (snapshot.chunkStore.has(idKey(hash))) return replyUnit();
    context.checkMemoryGrowth(canister, BigInt(CHUNK_BYTES));
    snapshot.chunkStore.set(idKey(hash), chunk);
    snapshot.sizeBytes += CHUNK_BYTES;
    canister.snapshotsBytes += CHUNK_BYTES;
    return replyUnit({ instructions: UPLOAD_CHUNK_INSTRUCTIONS });
  }
  writePiece(snapshot, kind, chunk);
  return replyUnit({ instructions: chunk.length });
};

function writePiece(
  snapshot: CanisterSnapshot,
  kind: Exclude<ValueOf<typeof uploadSnapshotDataArgs>['kind'], { wasm_chunk: null }>,
  chunk: Uint8Array,
): void {
  const { offset } = Object.values(kind)[0] as { offset: bigint };
  const range = { offset, size: BigInt(chunk.length) };
  if ('wasm_module' in kind) {
    within(range, snapshot.wasmModuleBytes.length);
    snapshot.wasmModuleBytes.set(chunk, Number(offset));
  } else if ('wasm_memory' in kind) {
    within(range, snapshot.uploadedHeap!.length);
    snapshot.uploadedHeap!.set(chunk, Number(offset));
  } else {
    within(range, snapshot.stable.size * WASM_PAGE);
    const memory = new StableMemory(snapshot.stable);
    memory.write(Number(offset), chunk);
    memory.commit();
    snapshot.stable = memory.snapshot();
  }
}
