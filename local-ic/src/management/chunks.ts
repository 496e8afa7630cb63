import { createHash } from 'node:crypto';
import { idKey } from '../principal.js';
import {
  controlledOrSelf,
  decodeArgs,
  reply,
  replyUnit,
  withFailure,
  type Method,
} from './call.js';
import { chunkStoreError } from './errors.js';
import { canisterIdRecord, chunkHash, storedChunksReply, uploadChunkArgs } from './types.js';

/** Largest chunk, and what each counts as memory. */
export const CHUNK_BYTES = 1_048_576;
/** 100 MiB. */
export const MAX_CHUNKS = 100;
/** Instructions of an upload, whatever comes of it. */
export const UPLOAD_CHUNK_INSTRUCTIONS = 200_000_000;

/** `upload_chunk` */
export const uploadChunk: Method = (context, call) => {
  const args = decodeArgs(uploadChunkArgs, call.arg);
  const canister = controlledOrSelf(context, args.canister_id, call.sender);
  withFailure(
    () => {
      context.chargeInstructions(canister, UPLOAD_CHUNK_INSTRUCTIONS);
    },
    (error) => chunkStoreError(`Error charging for 'upload_chunk': ${error.message}`),
  );
  const hash = checkChunk(canister.chunkStore, args.chunk);
  if (canister.chunkStore.has(idKey(hash))) return reply(chunkHash, { hash });
  context.checkMemoryGrowth(canister, BigInt(CHUNK_BYTES));
  canister.chunkStore.set(idKey(hash), args.chunk);
  return reply(chunkHash, { hash }, { instructions: UPLOAD_CHUNK_INSTRUCTIONS });
};

/** The SHA-256 of a chunk that is in a store or fits into it. Throws UserError. */
export function checkChunk(store: ReadonlyMap<string, Uint8Array>, chunk: Uint8Array): Uint8Array {
  if (chunk.length > CHUNK_BYTES) {
    throw chunkStoreError(
      `Wasm chunk size ${chunk.length} exceeds the maximum chunk size of ${CHUNK_BYTES}`,
    );
  }
  const hash = new Uint8Array(createHash('sha256').update(chunk).digest());
  if (!store.has(idKey(hash)) && store.size >= MAX_CHUNKS) {
    throw chunkStoreError(
      `Wasm chunk store has already reached maximum capacity of ${MAX_CHUNKS * CHUNK_BYTES} bytes or the maximum number of entries, ${MAX_CHUNKS}`,
    );
  }
  return hash;
}

/** `stored_chunks` */
export const storedChunks: Method = (context, call) => {
  const { canister_id } = decodeArgs(canisterIdRecord, call.arg);
  const { chunkStore } = controlledOrSelf(context, canister_id, call.sender);
  return reply(
    storedChunksReply,
    hashesOf(chunkStore).map((hash) => ({ hash })),
  );
};

/** Hashes of stored chunks, sorted. */
export function hashesOf(store: ReadonlyMap<string, Uint8Array>): Uint8Array[] {
  return [...store.keys()].sort().map((key) => new Uint8Array(Buffer.from(key, 'hex')));
}

/** `clear_chunk_store` */
export const clearChunkStore: Method = (context, call) => {
  const { canister_id } = decodeArgs(canisterIdRecord, call.arg);
  controlledOrSelf(context, canister_id, call.sender).chunkStore.clear();
  return replyUnit();
};
