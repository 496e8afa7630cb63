/**
 * Where things lie in stable memory, in bytes:
 * header (one page: magic, version, lengths, configuration) | hashes of the chunks, 32 each |
 * bitmap of the chunks held | the shard, page-aligned | state saved by an upgrade, page-aligned.
 */
import { maxConfigurationBytes } from '../generated/constants';
import { growStable, readStable, stableBytes, writeStable } from './stable';

const page: u64 = 65536;
/** `CWST` */
const magic: u32 = 0x54535743;
const version: u32 = 1;
const configurationOffset: u64 = 64;
export const hashBytes: u32 = 32;

export let shardBytes: u32 = 0;
export let chunkBytes: u32 = 0;
export let chunkCount: u32 = 0;
export let hashesOffset: u64 = 0;
export let bitmapOffset: u64 = 0;
export let bitmapBytes: u32 = 0;
export let shardOffset: u64 = 0;
export let savedOffset: u64 = 0;

function alignedToPage(bytes: u64): u64 {
  return (bytes + page - 1) & ~(page - 1);
}

/** Number of chunks of a shard; `chunk` is not 0. */
export function chunksOf(shard: u32, chunk: u32): u32 {
  return <u32>((<u64>shard + chunk - 1) / chunk);
}

/** Where the shard begins, behind the hashes and the bitmap of so many chunks. */
function shardBegin(chunks: u32): u64 {
  return alignedToPage(page + <u64>chunks * hashBytes + (chunks + 7) / 8);
}

/** Makes room for a shard of `shard` bytes in chunks of `chunk` bytes; false where stable memory cannot grow. */
export function roomFor(shard: u32, chunk: u32): bool {
  return growStable(alignedToPage(shardBegin(chunksOf(shard, chunk)) + shard));
}

/** Sets the offsets for a shard; {@link roomFor} has made room. */
export function setLayout(shard: u32, chunk: u32): void {
  shardBytes = shard;
  chunkBytes = chunk;
  chunkCount = chunksOf(shard, chunk);
  hashesOffset = page;
  bitmapOffset = hashesOffset + <u64>chunkCount * hashBytes;
  bitmapBytes = (chunkCount + 7) / 8;
  shardOffset = shardBegin(chunkCount);
  savedOffset = alignedToPage(shardOffset + shard);
}

/** Header fields, one page on the heap for the time of a call. */
const head = memory.data(64, 8);

/** Keeps a configuration; {@link roomFor} has made room. */
export function writeConfiguration(bytes: usize, length: u32): void {
  memory.fill(head, 0, 64);
  store<u32>(head, magic);
  store<u32>(head, version, 4);
  store<u32>(head, length, 8);
  writeStable(0, head, 64);
  writeStable(configurationOffset, bytes, length);
}

/** Whether nothing was ever kept. */
export function isBlank(): bool {
  if (stableBytes() < page) return true;
  readStable(head, 0, 64);
  for (let at: usize = 0; at < 64; at += 8) if (load<u64>(head + at) != 0) return false;
  return true;
}

/** Why what is kept is not of this release; empty where it is. */
export function whyUnreadable(): string {
  readStable(head, 0, 64);
  if (load<u32>(head) != magic) return 'it does not begin with "CWST"';
  if (load<u32>(head, 4) != version) return 'it was laid out by another release';
  return load<u32>(head, 8) > maxConfigurationBytes ? 'the configuration is too long' : '';
}

/** Length of the configuration kept. */
export function configurationLength(): u32 {
  readStable(head, 8, 4);
  return load<u32>(head);
}

/** Copies the configuration kept to `out`. */
export function readConfiguration(out: usize, length: u32): void {
  readStable(out, configurationOffset, length);
}

/** Whether the shard was loaded, so that an upgrade loads it again. */
export function writeLoadWanted(wanted: bool): void {
  store<u32>(head, wanted ? 1 : 0);
  writeStable(12, head, 4);
}
export function loadWanted(): bool {
  readStable(head, 12, 4);
  return load<u32>(head) == 1;
}

/** Length of the state an upgrade saved; 0 when there is none. */
export function savedLength(): u64 {
  readStable(head, 16, 8);
  return load<u64>(head);
}
export function writeSavedLength(length: u64): void {
  store<u64>(head, length);
  writeStable(16, head, 8);
}
