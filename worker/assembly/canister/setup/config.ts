/** The worker's place in its pipeline: `WorkerConfig` of the protocol. */
import { configurationMagic } from '../../generated/constants';
import { chunksOf, hashBytes } from '../../store/layout';
import { sha256 } from '../../store/sha256';
import { setPlace } from '../pacing/place';
import {
  bytesRead,
  isTruncated,
  openBytes,
  readBytes,
  readU32,
  readU64,
  readU8,
  remaining,
} from '../ic/argument';

/** Longest principal, Interface Specification, "Principals". */
const maxPrincipalBytes: u32 = 29;
export const maxStages: u32 = 256;
const maxPipelines: u32 = 256;
/** More chunks than any shard needs. */
const maxChunks: u32 = 65536;
/** A message could not even be read with less. */
const minInstructionBudget: u64 = 10_000_000;

/** The fixed fields of a configuration, in their order. */
@unmanaged
class Fields {
  epoch: u64;
  instructionBudget: u64;
  stageIndex: u32;
  stageCount: u32;
  shardLength: u32;
  chunkLength: u32;
  queueLimit: u32;
  queueLimitPerCaller: u32;
  openCalls: u32;
  paced: u32;
  resultsStay: u32;
  pipelines: u32;
  rowsPerTask: u32;
  deadlineSeconds: u32;
  /** Where shard hash and principals begin, from the first byte. */
  hashAt: u32;
  principalsAt: u32;
}

/** Number of the configuration; messages of another one are refused. */
export let epoch: u64 = 0;
export let stageIndex: u32 = 0;
export let stageCount: u32 = 0;
export let shardLength: u32 = 0;
export let chunkLengthWanted: u32 = 0;
export let instructionBudget: u64 = 0;
export let queueLimit: u32 = 0;
export let queueLimitPerCaller: u32 = 0;
/** Calls that may wait for their result. */
export let maxOpenCalls: u32 = 0;
/** Whether the head launches so many tasks a message that every stage has some; else all at once. */
export let paced: bool = true;
/** Whether the last stage keeps the results; never where the only stage is head and last at once. */
export let resultsStay: bool = false;
/** Pipelines of the model, this one included. */
export let pipelines: u32 = 1;
/** Rows that go together in one task; 0 where they may not. */
export let rowsPerTask: u32 = 0;
/** After so long a run that says nothing else is given up. */
export let deadlineSeconds: u32 = 0;
/** 32 bytes. */
export const shardHash = memory.data(32, 8);
/** SHA-256 of the whole configuration, 32 bytes. */
export const configurationHash = memory.data(32, 8);
/** Length byte, then up to 29 bytes, a stage each. */
const workers = memory.data(256 * 30, 2);
const coordinator = memory.data(30, 2);

/** What is wrong with a configuration; empty when nothing is. */
export let problem: string = '';

const hash = memory.data(32, 8);
const fieldsAt = memory.data(96, 8);
/** What {@link parseConfiguration} read last. */
const wanted: Fields = changetype<Fields>(fieldsAt);

export function wantedShardLength(): u32 {
  return wanted.shardLength;
}
export function wantedChunkLength(): u32 {
  return wanted.chunkLength;
}
export function wantsHead(): bool {
  return wanted.stageIndex == 0;
}
/** Whether the stage wanted keeps results that are not the head's. */
export function wantsKeeper(): bool {
  return (
    wanted.resultsStay != 0 && wanted.stageCount > 1 && wanted.stageIndex + 1 == wanted.stageCount
  );
}
/** Whether the shard wanted is the one that is configured. */
export function wantsSameShard(bytes: usize): bool {
  return (
    stageCount > 0 &&
    wanted.shardLength == shardLength &&
    wanted.chunkLength == chunkLengthWanted &&
    memory.compare(bytes + wanted.hashAt, shardHash, hashBytes) == 0
  );
}

/** Whether `bytes` are the configuration there is. */
export function isSameConfiguration(bytes: usize, length: u32): bool {
  if (stageCount == 0) return false;
  sha256(bytes, length, hash);
  return memory.compare(hash, configurationHash, hashBytes) == 0;
}

/** Reads and checks a whole configuration and changes nothing; false, and {@link problem}, where it is wrong. */
export function parseConfiguration(bytes: usize, length: u32): bool {
  problem = '';
  openBytes(bytes, length);
  const magic = readU32();
  wanted.epoch = readU64();
  wanted.stageIndex = readU32();
  wanted.stageCount = readU32();
  wanted.shardLength = readU32();
  wanted.chunkLength = readU32();
  wanted.hashAt = bytesRead();
  readBytes(hashBytes);
  wanted.instructionBudget = readU64();
  wanted.queueLimit = readU32();
  wanted.queueLimitPerCaller = readU32();
  wanted.openCalls = readU32();
  wanted.paced = readU32();
  wanted.resultsStay = readU32();
  wanted.pipelines = readU32();
  wanted.rowsPerTask = readU32();
  wanted.deadlineSeconds = readU32();
  wanted.principalsAt = bytesRead();
  if (isTruncated()) problem = 'it is truncated';
  else if (magic != configurationMagic) problem = 'it does not begin with "CWC2"';
  else if (wanted.epoch == 0) problem = 'the epoch must not be 0';
  else problem = whatIsWrong();
  if (problem.length == 0) problem = whatIsWrongWithPrincipals();
  return problem.length == 0;
}

function whatIsWrong(): string {
  const shard = wanted.shardLength;
  const chunk = wanted.chunkLength;
  if (wanted.stageCount == 0 || wanted.stageCount > maxStages) {
    return 'the stage count must be 1 to 256';
  }
  if (wanted.stageIndex >= wanted.stageCount) return 'the stage index is not below the stage count';
  if (shard == 0 || chunk == 0) return 'shard bytes and chunk bytes must not be 0';
  if (chunksOf(shard, chunk) > maxChunks) return 'the shard has more than 65536 chunks';
  if (wanted.instructionBudget < minInstructionBudget) {
    return 'the instruction budget is below 10,000,000';
  }
  if (wanted.queueLimit == 0 || wanted.queueLimitPerCaller == 0) return 'a queue limit is 0';
  if (wanted.pipelines == 0 || wanted.pipelines > maxPipelines) {
    return 'the number of pipelines must be 1 to 256';
  }
  if (wanted.deadlineSeconds == 0) return 'the deadline must not be 0';
  return '';
}

/** The coordinator and one worker a stage. */
function whatIsWrongWithPrincipals(): string {
  for (let index: u32 = 0; index <= wanted.stageCount; index++) {
    const length = readU8();
    if (length > maxPrincipalBytes) return 'a principal is longer than 29 bytes';
    readBytes(length);
  }
  return isTruncated() || remaining() > 0
    ? 'it must end with the coordinator and one worker a stage'
    : '';
}

function copyPrincipal(out: usize): void {
  const length = readU8();
  store<u8>(out, length);
  memory.copy(out + 1, readBytes(length), length);
}

/** Takes over what {@link parseConfiguration} read from the same bytes. */
export function commitConfiguration(bytes: usize, length: u32): void {
  epoch = wanted.epoch;
  stageIndex = wanted.stageIndex;
  stageCount = wanted.stageCount;
  shardLength = wanted.shardLength;
  chunkLengthWanted = wanted.chunkLength;
  instructionBudget = wanted.instructionBudget;
  queueLimit = wanted.queueLimit;
  queueLimitPerCaller = wanted.queueLimitPerCaller;
  maxOpenCalls = wanted.openCalls;
  paced = wanted.paced != 0;
  resultsStay = wanted.resultsStay != 0 && stageCount > 1;
  pipelines = wanted.pipelines;
  rowsPerTask = wanted.rowsPerTask;
  deadlineSeconds = wanted.deadlineSeconds;
  setPlace(stageIndex, stageCount, pipelines, paced, instructionBudget);
  memory.copy(shardHash, bytes + wanted.hashAt, hashBytes);
  openBytes(bytes + wanted.principalsAt, length - wanted.principalsAt);
  copyPrincipal(coordinator);
  for (let stage: u32 = 0; stage < stageCount; stage++) copyPrincipal(worker(stage));
  sha256(bytes, length, configurationHash);
}

/** Principal of a stage's worker: length byte, then the bytes. */
export function worker(stage: u32): usize {
  return workers + stage * 30;
}

export function isHead(): bool {
  return stageIndex == 0;
}
export function isLast(): bool {
  return stageIndex + 1 == stageCount;
}
/** Whether this is the last stage and results stay here. */
export function keepsResults(): bool {
  return resultsStay && isLast();
}

function same(principal: usize, bytes: usize, length: usize): bool {
  return <usize>load<u8>(principal) == length && memory.compare(principal + 1, bytes, length) == 0;
}

export function isCoordinator(bytes: usize, length: usize): bool {
  return stageCount > 0 && same(coordinator, bytes, length);
}
export function isWorker(bytes: usize, length: usize): bool {
  for (let stage: u32 = 0; stage < stageCount; stage++) {
    if (same(worker(stage), bytes, length)) return true;
  }
  return false;
}
