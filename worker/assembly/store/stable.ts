/** Stable memory, as in the Interface Specification, "Stable memory". Offsets and sizes in bytes. */

@external('ic0', 'stable64_size')
declare function stable64_size(): u64;
@external('ic0', 'stable64_grow')
declare function stable64_grow(pages: u64): i64;
@external('ic0', 'stable64_read')
declare function stable64_read(dst: u64, offset: u64, size: u64): void;
@external('ic0', 'stable64_write')
declare function stable64_write(offset: u64, src: u64, size: u64): void;

const pageBytes: u64 = 65536;

/** Bytes of stable memory there are. */
export function stableBytes(): u64 {
  return stable64_size() * pageBytes;
}

/** Makes stable memory at least `bytes` large; false where the system refuses. */
export function growStable(bytes: u64): bool {
  const pages = (bytes + pageBytes - 1) / pageBytes;
  const now = stable64_size();
  return pages <= now || stable64_grow(pages - now) >= 0;
}

/** Copies stable memory to the heap; the range must be there. */
export function readStable(dst: usize, offset: u64, size: usize): void {
  stable64_read(<u64>dst, offset, <u64>size);
}

/** Copies heap to stable memory; the range must be there. */
export function writeStable(offset: u64, src: usize, size: usize): void {
  stable64_write(offset, <u64>src, <u64>size);
}
