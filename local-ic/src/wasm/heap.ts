import { pageCosts } from '../costs/index.js';
import { createMemory, growMemory } from './engine-features.js';
import { TrapSignal } from './errors.js';
import { HEAP_START, READ_MAP, RESERVED_PAGES, WASM_PAGE, WRITE_MAP } from './instrument/layout.js';
import type { CostSchedule } from './types.js';

/** Size of the pages whose changed content is counted. */
export const CHANGE_PAGE = pageCosts['2025-10'].trackedPageBytes;

const MAX_POOLED_COPIES = 256;
const copies: Uint8Array[] = [];
const zeroPage = new Uint8Array(WASM_PAGE);
const zeroBuffer = Buffer.from(zeroPage.buffer);

/** Instructions for the first access and the first write of a 64 KiB page. */
const charges = (schedule: CostSchedule): { access: number; write: number } => {
  if (schedule === '2025-10') return { access: 0, write: 0 };
  const {
    trackedPageBytes,
    chargedPageBytes,
    firstAccessPerChargedPage,
    firstWritePerChargedPage,
  } = pageCosts['2026-07'];
  const pages = trackedPageBytes / chargedPageBytes;
  return { access: pages * firstAccessPerChargedPage, write: pages * firstWritePerChargedPage };
};

/**
 * A canister's heap inside an instrumented module's memory: notices the first access and the first
 * write of each 64 KiB page in a message, charges them, and keeps the old content of written pages
 * until the message is committed or rolled back. Work is proportional to the pages touched, never to
 * the size of the heap.
 */
export class Heap {
  readonly memory: WebAssembly.Memory;
  /** Size in 64 KiB pages as the canister sees it; the memory may be larger after a rollback. */
  pages: number;
  /** Told of every change of `pages`. */
  onResize: (pages: number) => void = () => undefined;
  /** Takes instructions from the running message. */
  onCharge: (instructions: number) => void = () => undefined;
  /** Whether first writes are free, as in queries. */
  isQuery = false;

  private bytes!: Uint8Array;
  private readMap!: Uint8Array;
  private writeMap!: Uint8Array;
  private readonly accessed: number[] = [];
  private readonly written: number[] = [];
  private readonly before: Uint8Array[] = [];
  private pagesBefore: number;
  private readonly costs: { access: number; write: number };

  constructor(
    initialPages: number,
    readonly maximumPages: number,
    memory64: boolean,
    schedule: CostSchedule,
  ) {
    this.memory = createMemory(
      initialPages + RESERVED_PAGES,
      maximumPages + RESERVED_PAGES,
      memory64,
    );
    this.pages = initialPages;
    this.pagesBefore = initialPages;
    this.costs = charges(schedule);
    this.refresh();
  }

  /** The memory's buffer is another one after it grew. */
  private refresh(): void {
    const { buffer } = this.memory;
    this.bytes = new Uint8Array(buffer);
    this.readMap = new Uint8Array(buffer, READ_MAP, WASM_PAGE);
    this.writeMap = new Uint8Array(buffer, WRITE_MAP, WASM_PAGE);
  }

  get size(): number {
    return this.pages * WASM_PAGE;
  }

  /** Makes the pages of two bytes readable (or writable). Throws the trap if they do not exist. */
  touch(first: number, last: number, write: boolean): void {
    const firstPage = Math.floor(first / WASM_PAGE);
    const lastPage = Math.floor(last / WASM_PAGE);
    this.touchPage(firstPage, write);
    if (lastPage !== firstPage) this.touchPage(lastPage, write);
  }

  /** Makes a range readable (or writable). Throws the trap if it is not inside of the heap. */
  touchRange(address: number, length: number, write: boolean): void {
    if (address + length > this.size) throw new TrapSignal('heap out of bounds');
    if (length === 0) return;
    const lastPage = Math.floor((address + length - 1) / WASM_PAGE);
    for (let page = Math.floor(address / WASM_PAGE); page <= lastPage; page++) {
      this.touchPage(page, write);
    }
  }

  private touchPage(page: number, write: boolean): void {
    if (page >= this.pages) throw new TrapSignal('heap out of bounds');
    if (this.readMap[page] === 0) {
      this.readMap[page] = 1;
      this.accessed.push(page);
      if (this.costs.access > 0) this.onCharge(this.costs.access);
    }
    if (!write || this.writeMap[page] !== 0) return;
    this.writeMap[page] = 1;
    this.keep(page);
    if (this.costs.write > 0 && !this.isQuery) this.onCharge(this.costs.write);
  }

  /** Keeps the content of a page about to be written; pages that are all zero share one copy. */
  private keep(page: number): void {
    this.written.push(page);
    if (page >= this.pagesBefore || zeroBuffer.equals(this.page(page))) {
      this.before.push(zeroPage);
      return;
    }
    const copy = copies.pop() ?? new Uint8Array(new ArrayBuffer(WASM_PAGE));
    copy.set(this.page(page));
    this.before.push(copy);
  }

  /** The bytes of a page, as a view. */
  private page(page: number): Uint8Array {
    const start = HEAP_START + page * WASM_PAGE;
    return this.bytes.subarray(start, start + WASM_PAGE);
  }

  /** A copy of `length` bytes, which must lie on readable pages. */
  read(address: number, length: number): Uint8Array {
    const start = HEAP_START + address;
    return this.bytes.slice(start, start + length);
  }

  /** Writes bytes to writable pages. */
  write(address: number, content: Uint8Array): void {
    this.bytes.set(content, HEAP_START + address);
  }

  /** Adds pages; the caller has checked the limits. */
  grow(additional: number): void {
    const needed = this.pages + additional + RESERVED_PAGES;
    const present = this.bytes.length / WASM_PAGE;
    if (needed > present) {
      growMemory(this.memory, needed - present);
      this.refresh();
    }
    this.resize(this.pages + additional);
  }

  private resize(pages: number): void {
    this.pages = pages;
    this.onResize(pages);
  }

  get accessedPages(): number {
    return this.accessed.length;
  }
  get writtenPages(): number {
    return this.written.length;
  }

  /** Pages of 4 KiB whose content differs from what it was when the message started. */
  changedPages(): number {
    let changed = 0;
    this.written.forEach((page, i) => {
      const now = this.page(page);
      const before = this.before[i]!;
      for (let start = 0; start < WASM_PAGE; start += CHANGE_PAGE) {
        const a = Buffer.from(now.buffer, now.byteOffset + start, CHANGE_PAGE);
        const b = Buffer.from(before.buffer, before.byteOffset + start, CHANGE_PAGE);
        if (!a.equals(b)) changed++;
      }
    });
    return changed;
  }

  /** Makes the message's changes the new state. */
  commit(): void {
    this.settle();
  }

  /** Puts back every byte and the size that the heap had when the message started. */
  rollback(): void {
    this.written.forEach((page, i) => {
      this.page(page).set(this.before[i]!);
    });
    if (this.pages !== this.pagesBefore) this.resize(this.pagesBefore);
    this.settle();
  }

  /** The present content of the pages that the message wrote. */
  changes(): Map<number, Uint8Array> {
    return new Map(this.written.map((page) => [page, this.page(page).slice()]));
  }

  /** Writes whole pages outside of any message. */
  apply(pages: number, content: ReadonlyMap<number, Uint8Array>): void {
    if (pages > this.pages) this.grow(pages - this.pages);
    for (const [page, bytes] of content) this.page(page).set(bytes);
    this.settle();
  }

  /** Writes whole pages as a message would: `rollback` takes them back. */
  applyPending(pages: number, content: ReadonlyMap<number, Uint8Array>): void {
    if (pages > this.pages) this.grow(pages - this.pages);
    for (const [page, bytes] of content) {
      if (this.writeMap[page] === 0) {
        this.writeMap[page] = 1;
        this.keep(page);
      }
      this.page(page).set(bytes);
    }
  }

  /** Replaces the whole content outside of any message. */
  restore(pages: number, content: ReadonlyMap<number, Uint8Array>): void {
    for (let page = 0; page < this.pages; page++) {
      if (!content.has(page)) this.page(page).fill(0);
    }
    if (pages < this.pages) this.resize(pages);
    this.apply(pages, content);
  }

  /** Copies of the pages that are not all zero. */
  content(): Map<number, Uint8Array> {
    const content = new Map<number, Uint8Array>();
    for (let page = 0; page < this.pages; page++) {
      const bytes = this.page(page);
      if (!zeroBuffer.equals(bytes)) content.set(page, bytes.slice());
    }
    return content;
  }

  /** A view of memory below the heap, where the values of globals are exchanged. */
  reserved(start: number, length: number): Uint8Array {
    return this.bytes.subarray(start, start + length);
  }

  private settle(): void {
    for (const page of this.accessed) this.readMap[page] = 0;
    for (const page of this.written) this.writeMap[page] = 0;
    for (const copy of this.before) {
      if (copy !== zeroPage && copies.length < MAX_POOLED_COPIES) copies.push(copy);
    }
    this.accessed.length = 0;
    this.written.length = 0;
    this.before.length = 0;
    this.pagesBefore = this.pages;
  }
}
