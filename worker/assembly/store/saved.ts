/** The state that an upgrade carries over, as one stream of fields behind the shard. */
import { savedLength, savedOffset, writeSavedLength } from './layout';
import { alloc } from '../tensor/memory';
import { growStable, readStable, writeStable } from './stable';

const field = memory.data(16, 8);
let position: u64 = 0;

/** Begins to write; what was saved before is gone. */
export function beginSaving(): void {
  position = savedOffset;
}

/** Writes `length` bytes; traps where stable memory cannot grow, which stops the upgrade. */
export function saveBytes(bytes: usize, length: u32): void {
  if (!growStable(position + length)) unreachable();
  writeStable(position, bytes, length);
  position += length;
}
export function saveU32(value: u32): void {
  store<u32>(field, value);
  saveBytes(field, 4);
}
export function saveU64(value: u64): void {
  store<u64>(field, value);
  saveBytes(field, 8);
}

/** Makes what was written count. */
export function endSaving(): void {
  writeSavedLength(position - savedOffset);
}

/** Begins to read; false when nothing was saved. What is saved is used once. */
export function beginRestoring(): bool {
  position = savedOffset;
  if (savedLength() == 0) return false;
  writeSavedLength(0);
  return true;
}
export function restoreBytes(bytes: usize, length: u32): void {
  readStable(bytes, position, length);
  position += length;
}
/** A new block with the next `length` bytes. Traps where there is no heap, which stops the upgrade. */
export function restoreBlock(length: u32): usize {
  const block = alloc(length);
  if (block == 0) unreachable();
  restoreBytes(block, length);
  return block;
}
export function restoreU32(): u32 {
  restoreBytes(field, 4);
  return load<u32>(field);
}
export function restoreU64(): u64 {
  restoreBytes(field, 8);
  return load<u64>(field);
}
