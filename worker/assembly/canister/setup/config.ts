/** The worker's place in its pipeline: `WorkerConfig` of the protocol. */
import { isTruncated, openBytes, readBytes, readU32, readU64, readU8, remaining } from '../ic/argument';
import { chunksOf } from '../../store/layout';

/** Longest principal, Interface Specification, "Principals". */
const maxPrincipalBytes: u32 = 29;
export const maxStages: u32 = 256;
const maxPipelines: u32 = 256;
/** More chunks than any shard needs. */
const maxChunks: u32 = 65536;
/** A message could not even be read with less. */
const minInstructionBudget: u64 = 10_000_000;

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
/** 32 bytes. */
export const shardHash = memory.data(32, 8);
/** Length byte, then up to 29 bytes, a stage each. */
const workers = memory.data(256 * 30, 2);
const coordinator = memory.data(30, 2);

/** What is wrong with a configuration; empty when nothing is. */
export let problem: string = '';

function checkPrincipals(): bool {
  for (let index: u32 = 0; index <= stageCount; index++) {
    const length = readU8();
    if (length > maxPrincipalBytes) {
      problem = 'a principal is longer than 29 bytes';
      return false;
    }
    readBytes(length);
  }
  return true;
}

function copyPrincipal(out: usize): void {
  const length = readU8();
  store<u8>(out, length);
  memory.copy(out + 1, readBytes(length), length);
}

/**
 * Takes over the configuration in `bytes`, or changes nothing, sets {@link problem} and returns
 * false.
 */
export function takeConfiguration(bytes: usize, length: u32): bool {
  problem = '';
  const stagesBefore = stageCount;
  openBytes(bytes, length);
  const index = readU32();
  const count = readU32();
  const shard = readU32();
  const chunk = readU32();
  const hash = readBytes(32);
  const budget = readU64();
  const limit = readU32();
  const limitPerCaller = readU32();
  const open = readU32();
  const isPaced = readU32();
  const stay = readU32();
  if (isTruncated()) problem = 'it is truncated';
  else if (count == 0 || count > maxStages) problem = 'the stage count must be 1 to 256';
  else if (index >= count) problem = 'the stage index is not below the stage count';
  else if (shard == 0 || chunk == 0) problem = 'shard bytes and chunk bytes must not be 0';
  else if (chunksOf(shard, chunk) > maxChunks) problem = 'the shard has more than 65536 chunks';
  else if (budget < minInstructionBudget) problem = 'the instruction budget is below 10,000,000';
  else if (limit == 0 || limitPerCaller == 0) problem = 'a queue limit is 0';
  if (problem.length > 0) return false;

  const principals = length - <u32>remaining();
  stageCount = count;
  const complete = checkPrincipals();
  stageCount = stagesBefore;
  if (!complete) return false;
  // Configurations of earlier releases end here.
  const pipelineCount: u32 = remaining() == 0 ? 1 : readU32();
  if (isTruncated() || remaining() > 0) {
    problem = 'it must end with the coordinator, one worker a stage and the number of pipelines';
    return false;
  }
  if (pipelineCount == 0 || pipelineCount > maxPipelines) {
    problem = 'the number of pipelines must be 1 to 256';
    return false;
  }
  stageIndex = index;
  stageCount = count;
  shardLength = shard;
  chunkLengthWanted = chunk;
  instructionBudget = budget;
  queueLimit = limit;
  queueLimitPerCaller = limitPerCaller;
  maxOpenCalls = open;
  paced = isPaced != 0;
  resultsStay = stay != 0 && count > 1;
  pipelines = pipelineCount;
  memory.copy(shardHash, hash, 32);
  openBytes(bytes + principals, length - principals);
  copyPrincipal(coordinator);
  for (let stage: u32 = 0; stage < count; stage++) copyPrincipal(worker(stage));
  return true;
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
