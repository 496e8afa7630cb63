/**
 * The heap of tensors. Blocks in use stand in a table of (start, end) pairs sorted by address, so
 * that looking for room touches one page and never the free memory itself. A request takes the
 * smallest gap that holds it, the lowest of equal ones, and memory behind the last block only when
 * no gap does: pages that a message has touched are used again before new ones are. Table and heap begin
 * among the globals, so small that all share a page, which every message touches. Texts and constants lie
 * behind, as a block that stays in use; the heap goes on behind them. Where the table is full it moves into
 * a block of its own, twice as large.
 */
const BLOCK_ALIGNMENT: usize = 64;
const PAGE_BYTES: usize = 65536;
/** Memory there is behind every block, so that kernels may read a whole vector at its end. */
const READABLE_BEHIND: usize = 64;
const FIRST_CAPACITY: u32 = 1024;
const ENTRY_BYTES: usize = 8;

/** Bytes of the heap among the globals. */
const NEAR_BYTES: i32 = 10 * 1024;

const firstTable: usize = memory.data(<i32>(FIRST_CAPACITY * ENTRY_BYTES), 64);
const near: usize = memory.data(NEAR_BYTES, 64);

let table: usize = 0;
let blocks: u32 = 0;
/** Blocks the table has room for, and bytes of its own block; 0 while it is the first one. */
let capacity: u32 = FIRST_CAPACITY;
let tableBytes: usize = 0;
const heapStart: usize = near;
let heapLimit: usize = 0xffff0000;

@inline
function roundUp(value: usize, to: usize): usize {
  return (value + to - 1) & ~(to - 1);
}

@inline
function startOf(i: u32): usize {
  return load<u32>(table + (<usize>i) * ENTRY_BYTES);
}

@inline
function endOf(i: u32): usize {
  return load<u32>(table + (<usize>i) * ENTRY_BYTES, 4);
}

function grownTo(end: usize): bool {
  const have = (<usize>memory.size()) << 16;
  if (end <= have) return true;
  return memory.grow(<i32>((end - have + PAGE_BYTES - 1) >> 16)) >= 0;
}

/** Texts and constants: the first block, which nobody gives back. */
function constantsFrom(): usize {
  return near + <usize>NEAR_BYTES;
}

function constantsEnd(): usize {
  return roundUp(__heap_base, BLOCK_ALIGNMENT);
}

function initialise(): bool {
  if (!grownTo(constantsEnd())) return false;
  table = firstTable;
  store<u32>(table, <u32>constantsFrom());
  store<u32>(table, <u32>constantsEnd(), 4);
  blocks = 1;
  return true;
}

/** Moves the table behind the last block, with twice the room. False where the heap has none for it. */
function growTable(): bool {
  const bytes = (<usize>capacity) * ENTRY_BYTES * 2;
  const from = heapEnd();
  if (from > heapLimit || heapLimit - from < bytes || !grownTo(from + bytes + READABLE_BEHIND)) return false;
  memory.copy(from, table, (<usize>blocks) * ENTRY_BYTES);
  const old = table;
  const oldBytes = tableBytes;
  table = from;
  tableBytes = bytes;
  capacity *= 2;
  const entry = table + (<usize>blocks) * ENTRY_BYTES;
  store<u32>(entry, <u32>from);
  store<u32>(entry, <u32>(from + bytes), 4);
  blocks++;
  if (oldBytes != 0) release(old);
  return true;
}

/** First address past the last one that blocks may use. Default: all of 4 GiB but one page. */
export function setHeapLimit(end: usize): void {
  heapLimit = end;
}

/** `bytes` of memory at a multiple of 64, contents undefined; 0 where the heap has no room left. */
export function alloc(bytes: usize): usize {
  return allocAligned(bytes, BLOCK_ALIGNMENT);
}

/** As {@link alloc}, at a multiple of `alignment`, a power of two of at least 64. */
export function allocAligned(bytes: usize, alignment: usize): usize {
  if (table == 0 && !initialise()) return 0;
  if (bytes > 0xfffe0000) return 0;
  // A larger table takes an entry itself.
  if (blocks + 1 >= capacity && !growTable() && blocks == capacity) return 0;
  const size = max<usize>(roundUp(bytes, BLOCK_ALIGNMENT), BLOCK_ALIGNMENT);
  let best: usize = 0;
  let bestIndex: u32 = 0;
  let bestGap: usize = usize.MAX_VALUE;
  let from = heapStart;
  const end = table + (<usize>blocks) * ENTRY_BYTES;
  for (let entry = table; entry < end; entry += ENTRY_BYTES) {
    const gapEnd: usize = load<u32>(entry);
    const gap = gapEnd - from;
    // Most blocks touch the one before.
    if (gap >= size && gap < bestGap) {
      const at = roundUp(from, alignment);
      if (at < gapEnd && gapEnd - at >= size) {
        bestGap = gap;
        best = at;
        bestIndex = <u32>((entry - table) / ENTRY_BYTES);
      }
    }
    from = load<u32>(entry, 4);
  }
  if (best == 0) {
    best = roundUp(from, alignment);
    bestIndex = blocks;
    if (best < from || best > heapLimit || heapLimit - best < size) return 0;
    if (!grownTo(best + size + READABLE_BEHIND)) return 0;
  }
  const entry = table + (<usize>bestIndex) * ENTRY_BYTES;
  if (bestIndex < blocks) {
    memory.copy(entry + ENTRY_BYTES, entry, (<usize>(blocks - bestIndex)) * ENTRY_BYTES);
  }
  store<u32>(entry, <u32>best);
  store<u32>(entry, <u32>(best + size), 4);
  blocks++;
  return best;
}

/** Gives back a block of {@link alloc}; 0 is ignored. */
export function release(address: usize): void {
  if (address == 0) return;
  let low: u32 = 0;
  let high = blocks;
  while (low < high) {
    const middle = (low + high) >>> 1;
    if (startOf(middle) < address) low = middle + 1;
    else high = middle;
  }
  if (low == blocks || startOf(low) != address) return;
  blocks--;
  if (low < blocks) {
    const entry = table + (<usize>low) * ENTRY_BYTES;
    memory.copy(entry, entry + ENTRY_BYTES, (<usize>(blocks - low)) * ENTRY_BYTES);
  }
}

/** Bytes in use but for those of the table and the constants, for metrics. */
export function heapUsed(): u64 {
  if (table == 0) return 0;
  let total: u64 = 0;
  for (let i: u32 = 0; i < blocks; i++) total += endOf(i) - startOf(i);
  return total - tableBytes - (constantsEnd() - constantsFrom());
}

/** First address past the last block in use. */
export function heapEnd(): usize {
  return blocks == 0 ? constantsEnd() : endOf(blocks - 1);
}
