/** Methods that bring a worker its place and its shard, and tell how far it is. */
import { CallerOf, CanisterError, WorkerState, maxConfigurationBytes } from '../../generated/constants';
import {
  bitmapBytes,
  bitmapOffset,
  chunkCount,
  configurationLength,
  hashBytes,
  readConfiguration,
  roomFor,
  setLayout,
  writeConfiguration,
  writeLoadWanted,
} from '../../store/layout';
import { operatorInstructions, programInstructions } from '../../program/interpreter';
import { chunkLength, chunksHeld, forgetChunks, holdsChunk, storeChunk } from '../../store/chunks';
import { sha256 } from '../../store/sha256';
import { readStable, stableBytes } from '../../store/stable';
import { byte, fail, number, text } from '../../tensor/errors';
import { alloc, heapUsed, release } from '../../tensor/memory';
import {
  closeArgument,
  isTruncated,
  openArgument,
  readBytes,
  readU32,
  remaining,
} from '../ic/argument';
import {
  chunkLengthWanted,
  commitConfiguration,
  configurationHash,
  epoch,
  isSameConfiguration,
  parseConfiguration,
  problem,
  shardHash,
  shardLength,
  stageCount,
  stageIndex,
  wantedChunkLength,
  wantedShardLength,
  wantsHead,
  wantsKeeper,
  wantsSameShard,
} from '../setup/config';
import { msg_reply_data_append } from '../ic/ic0';
import { beginLoading, nodes, state, unload, weightsBytes } from '../setup/loading';
import { reject, rejectFailure, replyEmpty } from '../ic/answer';
import { allows, isConfigured } from '../setup/access';
import { balance, spendable } from '../ic/cycles';
import { schedule } from '../stage/pace';
import { unfinished } from '../head/moves';
import { forgetAllRuns, makeTables } from '../head/runs';
import { forgetAllKept, makeKeptTable } from '../stage/kept';
import { deliveries } from '../stage/outbox';
import { inboxCount } from '../stage/inbox';
import { current, instructionsUsed, tasksFinished } from '../stage/work';

const hash = memory.data(32, 8);
/** Bytes of a `WorkerStatus` before the configuration. */
const statusBytes: u32 = 156;
const status = memory.data(160, 8);
/** Bytes of a `WorkerStatus` behind it. */
const cyclesBytes: u32 = 16;

export function configure(): void {
  if (!allows(CallerOf.configure)) return;
  if (!openArgument()) return noHeap();
  const length = remaining();
  configureFrom(length > 0 ? readBytes(length) : 0, length);
  closeArgument();
}

function noHeap(): void {
  reject(CanisterError.outOfMemory, 'no heap for the argument');
}

function refuse(why: string): void {
  fail(CanisterError.badMessage);
  text('configure: ');
  text(why);
  rejectFailure();
}

/** Whether runs, tasks or messages of the present configuration are under way. */
function isAtWork(): bool {
  return unfinished > 0 || current != 0 || inboxCount > 0 || deliveries > 0;
}

/** Takes over a configuration as a whole, or rejects it and changes nothing. */
function configureFrom(bytes: usize, length: u32): void {
  if (length == 0 || length > maxConfigurationBytes) return refuse('the argument has a wrong length');
  if (isSameConfiguration(bytes, length)) return replyEmpty();
  if (!parseConfiguration(bytes, length)) return refuse(problem);
  if (state != WorkerState.empty && isAtWork()) {
    reject(CanisterError.busy, 'configure: requests are under way; try again when they are done');
    return;
  }
  if (!roomFor(wantedShardLength(), wantedChunkLength())) {
    reject(CanisterError.outOfMemory, 'configure: stable memory cannot hold the shard');
    return;
  }
  if ((wantsHead() && !makeTables()) || (wantsKeeper() && !makeKeptTable())) {
    reject(CanisterError.outOfMemory, 'configure: no heap for the table of requests');
    return;
  }
  const isSameShard = state != WorkerState.empty && wantsSameShard(bytes);
  // Results of an earlier configuration can no longer be asked for.
  forgetAllRuns();
  forgetAllKept();
  commitConfiguration(bytes, length);
  setLayout(shardLength, chunkLengthWanted);
  writeConfiguration(bytes, length);
  if (isSameShard) writeLoadWanted(state == WorkerState.loading || state == WorkerState.ready);
  else {
    forgetChunks();
    unload();
  }
  replyEmpty();
}

export function putChunk(): void {
  if (!allows(CallerOf.put_chunk) || !isConfigured()) return;
  if (!openArgument()) return noHeap();
  const index = readU32();
  const expected = readBytes(hashBytes);
  const length = remaining();
  const bytes = length > 0 ? readBytes(length) : 0;
  if (isTruncated()) reject(CanisterError.badMessage, 'put_chunk: the argument is truncated');
  else if (index >= chunkCount) refuseChunk(index, 'is beyond the shard; chunks:', chunkCount);
  else if (length != chunkLength(index)) {
    refuseChunk(index, 'has another length than the configured', chunkLength(index));
  } else {
    sha256(bytes, length, hash);
    if (memory.compare(hash, expected, hashBytes) != 0) {
      refuseChunk(index, 'does not have the hash sent with it; send it again. Its bytes:', length);
    } else keepChunk(index, bytes);
  }
  closeArgument();
}

function keepChunk(index: u32, bytes: usize): void {
  if (!holdsChunk(index, hash)) {
    if (state != WorkerState.configured) {
      refuseChunk(index, 'differs from the one that is loaded; chunks:', chunkCount);
      return;
    }
    storeChunk(index, hash, bytes);
  }
  replyEmpty();
}

function refuseChunk(index: u32, why: string, figure: u32): void {
  fail(CanisterError.badChunk);
  text('chunk ');
  number(index);
  text(' ');
  text(why);
  text(' ');
  number(figure);
  rejectFailure();
}

export function loadShard(): void {
  if (!allows(CallerOf.load) || !isConfigured()) return;
  if (!beginLoading()) {
    rejectFailure();
    return;
  }
  schedule();
  replyEmpty();
}

/** Bitmap of the chunks held. */
export function chunks(): void {
  if (!allows(CallerOf.chunks) || !isConfigured()) return;
  const bitmap = alloc(bitmapBytes);
  if (bitmap == 0) return noHeap();
  readStable(bitmap, bitmapOffset, bitmapBytes);
  msg_reply_data_append(bitmap, bitmapBytes);
  release(bitmap);
  replyEmpty();
}

/** `WorkerStatus` of the protocol. */
export function tellStatus(): void {
  if (!allows(CallerOf.status)) return;
  const configured = state != WorkerState.empty;
  memory.fill(status, 0, statusBytes);
  store<u32>(status, state);
  store<u32>(status, stageIndex, 4);
  store<u32>(status, stageCount, 8);
  store<u32>(status, configured ? chunksHeld() : 0, 12);
  store<u32>(status, configured ? chunkCount : 0, 16);
  if (state == WorkerState.ready) memory.copy(status + 20, shardHash, hashBytes);
  store<u32>(status, weightsBytes(), 52);
  store<u32>(status, nodes(), 56);
  store<u32>(status, unfinished + inboxCount + (current != 0 ? 1 : 0), 60);
  store<u64>(status, tasksFinished, 64);
  store<u64>(status, instructionsUsed, 72);
  store<u32>(status, memory.size() << 16, 80);
  store<u64>(status, stableBytes(), 84);
  store<u32>(status, <u32>heapUsed(), 92);
  store<u64>(status, programInstructions, 96);
  store<u64>(status, operatorInstructions, 104);
  const length = configured ? configurationLength() : 0;
  const configuration = alloc(length);
  if (configuration == 0) return noHeap();
  if (configured) {
    store<u64>(status, epoch, 112);
    memory.copy(status + 120, configurationHash, hashBytes);
    readConfiguration(configuration, length);
  }
  store<u32>(status, length, 152);
  msg_reply_data_append(status, statusBytes);
  msg_reply_data_append(configuration, length);
  store<u64>(status, balance());
  store<u64>(status, spendable(), 8);
  msg_reply_data_append(status, cyclesBytes);
  release(configuration);
  replyEmpty();
}
