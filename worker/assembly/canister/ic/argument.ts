/** Reads the argument of the message at work: little-endian fields, one after the other. */
import { alloc, release } from '../../tensor/memory';
import { msg_arg_data_copy, msg_arg_data_size } from './ic0';

/** Buffer of the argument, ours to release; 0 when there is none. */
let buffer: usize = 0;
let start: usize = 0;
let position: usize = 0;
let end: usize = 0;
let truncated: bool = false;

/** Copies the argument to the heap; false where there is no room for it. */
export function openArgument(): bool {
  const size = msg_arg_data_size();
  buffer = alloc(size);
  if (buffer == 0) return false;
  msg_arg_data_copy(buffer, 0, size);
  openBytes(buffer, size);
  return true;
}

/** Reads from bytes that lie on the heap already. */
export function openBytes(bytes: usize, length: usize): void {
  start = bytes;
  position = bytes;
  end = bytes + length;
  truncated = false;
}

/** Frees the argument unless it was kept. */
export function closeArgument(): void {
  release(buffer);
  buffer = 0;
}

/** The buffer that holds the argument, from now on the caller's to release. */
export function keepArgument(): usize {
  const kept = buffer;
  buffer = 0;
  return kept;
}

/** Bytes not yet read. */
export function remaining(): u32 {
  return <u32>(end - position);
}

/** Whether a read went past the end; such reads give 0. */
export function isTruncated(): bool {
  return truncated;
}

/** Bytes read so far. */
export function bytesRead(): u32 {
  return <u32>(position - start);
}

/** A pointer to the next `size` bytes, 0 where there are fewer. */
export function readBytes(size: u32): usize {
  if (size > remaining()) {
    truncated = true;
    return 0;
  }
  const bytes = position;
  position += size;
  return bytes;
}

export function readU8(): u32 {
  const bytes = readBytes(1);
  return bytes == 0 ? 0 : <u32>load<u8>(bytes);
}
export function readU16(): u32 {
  const bytes = readBytes(2);
  return bytes == 0 ? 0 : <u32>load<u16>(bytes);
}
export function readU32(): u32 {
  const bytes = readBytes(4);
  return bytes == 0 ? 0 : load<u32>(bytes);
}
export function readU64(): u64 {
  const bytes = readBytes(8);
  return bytes == 0 ? 0 : load<u64>(bytes);
}
