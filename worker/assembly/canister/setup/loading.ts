/** From chunks in stable memory to a program and weights on the heap. */
import { CanisterError, shardHeaderBytes, WorkerState } from '../../generated/constants';
import {
  dropProgram,
  nodeCount,
  programLength,
  programOffset,
  readProgram,
  readShardHeader,
  weightsLength,
  weightsOffset,
} from '../../program/shard';
import { firstMissingChunk } from '../../store/chunks';
import {
  chunkCount,
  hashBytes,
  hashesOffset,
  shardBytes,
  shardOffset,
  writeLoadWanted,
} from '../../store/layout';
import { sha256 } from '../../store/sha256';
import { readStable } from '../../store/stable';
import { fail, number, text } from '../../tensor/errors';
import { alloc, allocAligned, release } from '../../tensor/memory';
import { instructionBudget, shardHash } from './config';
import { performance_counter } from '../ic/ic0';

/** Bytes of one copy: a bulk operation must stay far below a slice. */
const pieceBytes: u32 = 4 * 1024 * 1024;
/** Bytes of one message: 75 MiB of heap may change in a round (limits.json). */
const bytesPerMessage: u32 = 64 * 1024 * 1024;
const weightsPage: usize = 65536;

export let state: u32 = WorkerState.empty;
let weights: usize = 0;
let weightsLoaded: u32 = 0;
const header = memory.data(64, 8);
const hash = memory.data(32, 8);

/** There is a configuration; the shard is not loaded. */
export function unload(): void {
  dropProgram();
  release(weights);
  weights = 0;
  weightsLoaded = 0;
  state = WorkerState.configured;
}

/** Bytes of weights on the heap. */
export function weightsBytes(): u32 {
  return state == WorkerState.ready ? weightsLength : weightsLoaded;
}
export function nodes(): u32 {
  return nodeCount;
}

/** Begins to load; false with a failure's text where the shard is not complete or not valid. */
export function beginLoading(): bool {
  if (state == WorkerState.loading || state == WorkerState.ready) return true;
  if (!checkHash() || !readProgramOfShard()) {
    unload();
    return false;
  }
  state = WorkerState.loading;
  weightsLoaded = 0;
  writeLoadWanted(true);
  return true;
}

function outOfMemory(bytes: u64, what: string): bool {
  fail(CanisterError.outOfMemory);
  text('no heap for ');
  number(bytes);
  text(' bytes of ');
  text(what);
  text('; cut the model over more workers');
  return false;
}

/** Compares the hash over the hashes of all chunks with the configured one. */
function checkHash(): bool {
  const missing = firstMissingChunk();
  if (missing < chunkCount) {
    fail(CanisterError.badShard);
    text('the shard is not complete: chunk ');
    number(missing);
    text(' of ');
    number(chunkCount);
    text(' is missing; upload it with put_chunk, then load again');
    return false;
  }
  const bytes = chunkCount * hashBytes;
  const hashes = alloc(bytes);
  if (hashes == 0) return outOfMemory(bytes, 'hashes');
  readStable(hashes, hashesOffset, bytes);
  sha256(hashes, bytes, hash);
  release(hashes);
  if (memory.compare(hash, shardHash, hashBytes) == 0) return true;
  fail(CanisterError.badShard);
  text('the chunks are not those of the configured shard: their hash differs; ');
  text('configure with the hash of this plan and upload its chunks');
  return false;
}

function readProgramOfShard(): bool {
  readStable(header, shardOffset, min(shardHeaderBytes, shardBytes));
  if (!readShardHeader(header, shardBytes)) return false;
  weights = allocAligned(weightsLength, weightsPage);
  if (weights == 0) return outOfMemory(weightsLength, 'weights');
  const program = alloc(programLength);
  if (program == 0) return outOfMemory(programLength, 'program');
  readStable(program, shardOffset + programOffset, programLength);
  return readProgram(program, programLength, weights);
}

/** Copies weights until this message has done enough. */
export function loadMore(): void {
  let bytes: u32 = 0;
  while (weightsLoaded < weightsLength && bytes < bytesPerMessage) {
    bytes += loadPiece();
    if (performance_counter(0) >= instructionBudget) break;
  }
  if (weightsLoaded == weightsLength) state = WorkerState.ready;
}

/** Copies all weights, as an upgrade does: it may take many slices. */
export function loadAll(): void {
  while (weightsLoaded < weightsLength) loadPiece();
  state = WorkerState.ready;
}

function loadPiece(): u32 {
  const bytes = min(pieceBytes, weightsLength - weightsLoaded);
  const from = shardOffset + weightsOffset + weightsLoaded;
  readStable(weights + weightsLoaded, from, bytes);
  weightsLoaded += bytes;
  return bytes;
}

/** A step of loading trapped: the worker waits for another `load`. */
export function loadTrapped(): void {
  unload();
  writeLoadWanted(false);
}
