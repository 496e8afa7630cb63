/** Which chunks of the shard are held, and their hashes; all in stable memory. */
import {
  bitmapBytes,
  bitmapOffset,
  chunkBytes,
  chunkCount,
  hashBytes,
  hashesOffset,
  shardBytes,
  shardOffset,
} from './layout';
import { readStable, writeStable } from './stable';

/** A piece of the bitmap or of zeros. */
const scratch = memory.data(256, 16);
const scratchBytes: u32 = 256;

/** Bytes chunk `index` must have. */
export function chunkLength(index: u32): u32 {
  return index + 1 < chunkCount ? chunkBytes : shardBytes - index * chunkBytes;
}

/** Forgets all chunks. */
export function forgetChunks(): void {
  memory.fill(scratch, 0, scratchBytes);
  for (let at: u32 = 0; at < bitmapBytes; at += scratchBytes) {
    writeStable(bitmapOffset + at, scratch, min(scratchBytes, bitmapBytes - at));
  }
}

/** Number of chunks held. */
export function chunksHeld(): u32 {
  let held: u32 = 0;
  for (let at: u32 = 0; at < bitmapBytes; at += scratchBytes) {
    const length = min(scratchBytes, bitmapBytes - at);
    readStable(scratch, bitmapOffset + at, length);
    for (let i: u32 = 0; i < length; i++) held += <u32>popcnt(<u32>load<u8>(scratch + i));
  }
  return held;
}

/** The first chunk that is missing; `chunkCount` when all are held. */
export function firstMissingChunk(): u32 {
  for (let index: u32 = 0; index < chunkCount; index++) {
    if (!isChunkHeld(index)) return index;
  }
  return chunkCount;
}

export function isChunkHeld(index: u32): bool {
  readStable(scratch, bitmapOffset + index / 8, 1);
  return (((<u32>load<u8>(scratch)) >> (index & 7)) & 1) != 0;
}

/** Whether chunk `index` is held with this hash. */
export function holdsChunk(index: u32, hash: usize): bool {
  if (!isChunkHeld(index)) return false;
  readStable(scratch, hashesOffset + <u64>index * hashBytes, hashBytes);
  return memory.compare(scratch, hash, hashBytes) == 0;
}

/** Stores a chunk whose length and hash were checked. */
export function storeChunk(index: u32, hash: usize, bytes: usize): void {
  writeStable(shardOffset + <u64>index * chunkBytes, bytes, chunkLength(index));
  writeStable(hashesOffset + <u64>index * hashBytes, hash, hashBytes);
  readStable(scratch, bitmapOffset + index / 8, 1);
  store<u8>(scratch, load<u8>(scratch) | ((<u8>1) << (<u8>(index & 7))));
  writeStable(bitmapOffset + index / 8, scratch, 1);
}
