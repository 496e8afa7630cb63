/** Bytes of a WebAssembly page. */
export const WASM_PAGE = 65_536;
const CHARGED_PAGE = 4096;

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
  private readonly touchedRead = new Set<number>();
  private dirtyCount = 0;

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

  /** Number of 4 KiB pages in a range that the message has not written yet. */
  newDirtyPages(offset: number, length: number): number {
    let count = 0;
    this.eachChargedPage(offset, length, (page, bit) => {
      if (((this.dirty.get(page) ?? 0) & bit) === 0) count++;
    });
    return count;
  }

  /** Notes that a range is written. Returns the number of 4 KiB pages written for the first time. */
  markDirty(offset: number, length: number): number {
    let count = 0;
    this.eachChargedPage(offset, length, (page, bit) => {
      const bits = this.dirty.get(page) ?? 0;
      if ((bits & bit) !== 0) return;
      this.dirty.set(page, bits | bit);
      count++;
    });
    this.dirtyCount += count;
    return count;
  }

  /** 64 KiB pages in a range that this message touches for the first time; they are noted. */
  markTouched(offset: number, length: number): number {
    if (length === 0) return 0;
    const before = this.touchedRead.size;
    const last = Math.floor((offset + length - 1) / WASM_PAGE);
    for (let page = Math.floor(offset / WASM_PAGE); page <= last; page++)
      this.touchedRead.add(page);
    return this.touchedRead.size - before;
  }

  /** 64 KiB pages in a range that this message writes for the first time; they are noted. */
  markWasmPagesDirty(offset: number, length: number): number {
    if (length === 0) return 0;
    let count = 0;
    const last = Math.floor((offset + length - 1) / WASM_PAGE);
    for (let page = Math.floor(offset / WASM_PAGE); page <= last; page++) {
      if (!this.dirty.has(page)) count++;
      this.dirty.set(page, 0xffff);
    }
    this.dirtyCount += count * (WASM_PAGE / CHARGED_PAGE);
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

  /** Applies changes that were taken out, ready for {@link commit}. */
  attach(changes: StableChanges): void {
    this.written = new Map(changes.pages);
    this.currentSize = changes.size;
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
    let bytes = this.written.get(page);
    if (!bytes) {
      const before = this.pages.get(page);
      bytes = before ? before.slice() : new Uint8Array(WASM_PAGE);
      this.written.set(page, bytes);
    }
    return bytes;
  }

  private eachChargedPage(
    offset: number,
    length: number,
    visit: (page: number, bit: number) => void,
  ): void {
    if (length === 0) return;
    const last = Math.floor((offset + length - 1) / CHARGED_PAGE);
    for (let charged = Math.floor(offset / CHARGED_PAGE); charged <= last; charged++) {
      visit(Math.floor(charged / 16), 1 << (charged % 16));
    }
  }

  private reset(): void {
    if (this.written.size > 0) this.written = new Map();
    this.dirty.clear();
    this.touchedRead.clear();
    this.dirtyCount = 0;
  }
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
