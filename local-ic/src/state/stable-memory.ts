/** Bytes of a WebAssembly page. */
export const WASM_PAGE = 65_536;
const CHARGED_PAGE = 4096;
const PAGES_PER_WASM_PAGE = WASM_PAGE / CHARGED_PAGE;

/** The changes of a message that is not finished: pages it wrote and the size it grew to. */
export interface StableChanges {
  readonly pages: ReadonlyMap<number, Uint8Array>;
  readonly size: number;
}

/** A frozen copy of a stable memory. Pages are shared, never written in place. */
export interface StableSnapshot {
  readonly pages: ReadonlyMap<number, Uint8Array>;
  readonly size: number;
}

/**
 * Stable memory of a canister: sparse, up to 500 GiB. A message writes into pages of its own, which
 * replace the old ones at {@link commit}; so {@link rollback} and snapshots copy nothing.
 */
export class StableMemory {
  private pages: Map<number, Uint8Array>;
  private sizePages: number;
  private written = new Map<number, Uint8Array>();
  private currentSize: number;
  /** Bit n of entry p: 4 KiB page n of 64 KiB page p was written in this message. */
  private readonly dirty = new Map<number, number>();
  /** The same for pages read or written. */
  private readonly accessed = new Map<number, number>();
  private dirtyCount = 0;
  /** Pages of changes that were attached: a message copies them before it writes. */
  private borrowed: ReadonlyMap<number, Uint8Array> | undefined;

  constructor(snapshot?: StableSnapshot) {
    this.pages = new Map(snapshot?.pages);
    this.sizePages = snapshot?.size ?? 0;
    this.currentSize = this.sizePages;
  }

  /** Current size in 64 KiB pages, growth of the message under way included. */
  get size(): number {
    return this.currentSize;
  }

  get sizeBytes(): number {
    return this.currentSize * WASM_PAGE;
  }

  /** Sets the size; the caller has checked the limits. */
  grow(pages: number): void {
    this.currentSize += pages;
  }

  /** Copies `target.length` bytes from `offset`. The caller has checked the bounds. */
  read(offset: number, target: Uint8Array): void {
    let done = 0;
    while (done < target.length) {
      const page = Math.floor((offset + done) / WASM_PAGE);
      const start = offset + done - page * WASM_PAGE;
      const length = Math.min(WASM_PAGE - start, target.length - done);
      const bytes = this.written.get(page) ?? this.pages.get(page);
      if (bytes) target.set(bytes.subarray(start, start + length), done);
      else target.fill(0, done, done + length);
      done += length;
    }
  }

  /** Writes `source` at `offset`. The caller has checked the bounds. */
  write(offset: number, source: Uint8Array): void {
    let done = 0;
    while (done < source.length) {
      const page = Math.floor((offset + done) / WASM_PAGE);
      const start = offset + done - page * WASM_PAGE;
      const length = Math.min(WASM_PAGE - start, source.length - done);
      this.writablePage(page).set(source.subarray(done, done + length), start);
      done += length;
    }
  }

  /** Notes that a range is touched. Returns the number of 4 KiB pages touched for the first time. */
  markAccessed(offset: number, length: number): number {
    return mark(this.accessed, offset, length);
  }

  /** Notes that a range is written. Returns the number of 4 KiB pages written for the first time. */
  markDirty(offset: number, length: number): number {
    const count = mark(this.dirty, offset, length);
    this.dirtyCount += count;
    return count;
  }

  /** 4 KiB pages written in this message. */
  get dirtyPages(): number {
    return this.dirtyCount;
  }

  /** Makes the changes of the message permanent. */
  commit(): void {
    for (const [page, bytes] of this.written) this.pages.set(page, bytes);
    this.sizePages = this.currentSize;
    this.reset();
  }

  /** Forgets the changes of the message. */
  rollback(): void {
    this.currentSize = this.sizePages;
    this.reset();
  }

  /** Takes the changes of the message out, leaving the state before it. */
  detach(): StableChanges {
    const changes = { pages: this.written, size: this.currentSize };
    this.written = new Map();
    this.currentSize = this.sizePages;
    this.reset();
    return changes;
  }

  /** Puts on changes that were taken out, ready for {@link commit} or more changes. */
  attach(changes: StableChanges): void {
    this.written = new Map(changes.pages);
    this.borrowed = changes.pages;
    this.currentSize = changes.size;
  }

  /** The contents with the changes of the message under way. */
  pendingSnapshot(): StableSnapshot {
    const pages = new Map(this.pages);
    for (const [page, bytes] of this.written) pages.set(page, bytes);
    return { pages, size: this.currentSize };
  }

  /** The committed contents. */
  snapshot(): StableSnapshot {
    return { pages: new Map(this.pages), size: this.sizePages };
  }

  /** Replaces all contents. */
  restore(snapshot: StableSnapshot): void {
    this.pages = new Map(snapshot.pages);
    this.sizePages = snapshot.size;
    this.rollback();
  }

  private writablePage(page: number): Uint8Array {
    const own = this.written.get(page);
    if (own && this.borrowed?.get(page) !== own) return own;
    const before = own ?? this.pages.get(page);
    const bytes = before ? before.slice() : new Uint8Array(WASM_PAGE);
    this.written.set(page, bytes);
    return bytes;
  }

  private reset(): void {
    if (this.written.size > 0) this.written = new Map();
    this.dirty.clear();
    this.accessed.clear();
    this.dirtyCount = 0;
    this.borrowed = undefined;
  }
}

/** Sets the bits of a range's 4 KiB pages; returns how many were not set before. */
function mark(bits: Map<number, number>, offset: number, length: number): number {
  if (length === 0) return 0;
  let count = 0;
  const end = offset + length;
  for (let page = Math.floor(offset / WASM_PAGE); page * WASM_PAGE < end; page++) {
    const from = Math.max(0, Math.floor((offset - page * WASM_PAGE) / CHARGED_PAGE));
    const to = Math.min(PAGES_PER_WASM_PAGE, Math.ceil((end - page * WASM_PAGE) / CHARGED_PAGE));
    const mask = ((1 << to) - 1) & ~((1 << from) - 1);
    const before = bits.get(page) ?? 0;
    const added = mask & ~before;
    if (added === 0) continue;
    bits.set(page, before | mask);
    count += bitCount(added);
  }
  return count;
}

function bitCount(bits: number): number {
  let count = 0;
  for (let rest = bits; rest !== 0; rest &= rest - 1) count++;
  return count;
}

/** The bytes of a snapshot's range. */
export function readSnapshot(snapshot: StableSnapshot, offset: number, length: number): Uint8Array {
  const target = new Uint8Array(length);
  new StableMemory(snapshot).read(offset, target);
  return target;
}

/** A snapshot that holds `bytes` from offset 0, its size rounded up to whole pages. */
export function snapshotOf(bytes: Uint8Array): StableSnapshot {
  const memory = new StableMemory();
  memory.grow(Math.ceil(bytes.length / WASM_PAGE));
  memory.write(0, bytes);
  memory.commit();
  return memory.snapshot();
}
