import { limits, pageCosts } from '../costs/index.js';
import { WASM_PAGE } from '../state/index.js';
import { heapBytes, type Address, type ApiContext, type ApiGroup } from './function.js';
import { memoryAccessLimitExceeded, trapped, type HypervisorError } from './hypervisor-error.js';
import { MODES, type Mode } from './modes.js';

const PAGE = 4096;
const MAX_PAGES = limits.memory.stableMemoryBytes / WASM_PAGE;
const MAX_PAGES_32 = 65_536;
/** Bytes copied at a time between the memories. */
const PIECE = 1_048_576;
/** Instructions per 4 KiB page. */
const DIRTY_PAGE_2025_10 = pageCosts['2025-10'].stableFirstWrite;
const ACCESS_2026_07 = pageCosts['2026-07'].firstAccessPerChargedPage;

/** Stable memory that one message may touch, in bytes. */
const LIMITS = {
  message: limits.memory.stableAccessedPerUpdateBytes,
  upgrade: limits.memory.stableAccessedPerUpgradeBytes,
  query: limits.memory.stableAccessedPerQueryBytes,
} as const;

function limitKind(mode: Mode): keyof typeof LIMITS {
  switch (mode) {
    case 'init':
    case 'pre upgrade':
      return 'upgrade';
    case 'non replicated query':
    case 'replicated query':
    case 'composite query':
    case 'composite reply callback':
    case 'composite reject callback':
    case 'composite cleanup':
    case 'inspect message':
      return 'query';
    default:
      return 'message';
  }
}

const KIB = (bytes: number): number => bytes / 1024;

function accessError(): Error {
  return memoryAccessLimitExceeded(
    `Exceeded the limit for the number of accessed pages in the stable memory in a single message execution: limit ${KIB(LIMITS.message)} KB for regular messages and ${KIB(LIMITS.query)} KB for queries.`,
  );
}

function dirtyError(): Error {
  return memoryAccessLimitExceeded(
    `Exceeded the limit for the number of modified pages in the stable memory in a single execution: limit ${KIB(LIMITS.message)} KB for regular messages, ${KIB(LIMITS.upgrade)} KB for upgrade messages and ${KIB(LIMITS.query)} KB for queries.`,
  );
}

/** A trap inside a stable memory function, which the replica shows as a function of the module. */
function trapIn(name: string, reason: string): HypervisorError {
  return trapped(reason).inside(name);
}

/** The 32-bit functions fail once the memory is larger than 4 GiB. */
function check32({ code }: ApiContext, name: string): void {
  if (code.stable.size > MAX_PAGES_32)
    throw trapIn(name, '32 bit stable memory api used on a memory larger than 4GB');
}

function checkStable({ code }: ApiContext, name: string, offset: Address, size: Address): void {
  if (
    typeof offset === 'bigint' ||
    typeof size === 'bigint' ||
    offset + size > code.stable.sizeBytes
  ) {
    throw trapIn(name, 'stable memory out of bounds');
  }
}

/** The 64-bit functions refuse what can be no heap address at all before they touch a page. */
function checkHeapAddress({ code }: ApiContext, name: string, address: Address): void {
  const largest = code.module.memory64 ? limits.memory.wasm64HeapBytes : 2 ** 32 - 1;
  if (address > largest) throw trapIn(name, 'heap out of bounds');
}

/** The heap's bounds are found by the copy: the pages of stable memory are paid for by then. */
function checkHeap(context: ApiContext, name: string, start: Address, size: Address): void {
  if (typeof start === 'bigint' || typeof size === 'bigint' || start + size > heapBytes(context)) {
    throw trapIn(name, 'heap out of bounds');
  }
}

/** Counts and charges the pages that an access touches first. */
function touch(context: ApiContext, offset: number, size: number, writes: boolean): void {
  const { code, execution } = context;
  const limit = LIMITS[limitKind(execution.mode)] / PAGE;
  if (code.module.schedule === '2025-10') {
    execution.stableAccessedPages += code.stable.markAccessed(offset, size);
    if (execution.stableAccessedPages > limit) throw accessError();
    if (!writes) return;
    const written = code.stable.markDirty(offset, size);
    if (code.stable.dirtyPages > limit) throw dirtyError();
    context.charge(written * DIRTY_PAGE_2025_10);
    return;
  }
  const start = Math.floor(offset / WASM_PAGE) * WASM_PAGE;
  const length = size === 0 ? 0 : Math.ceil((offset + size) / WASM_PAGE) * WASM_PAGE - start;
  const accessed = code.stable.markAccessed(start, length);
  execution.stableAccessedPages += accessed;
  if (execution.stableAccessedPages > limit) throw accessError();
  let charged = accessed;
  if (writes) {
    const written = code.stable.markDirty(start, length);
    if (code.stable.dirtyPages > limit) throw dirtyError();
    if (execution.tracksWrites) charged += written;
  }
  context.charge(charged * ACCESS_2026_07);
}

/** Copies to the heap. The caller has checked the range of stable memory. */
function read(
  context: ApiContext,
  name: string,
  dst: Address,
  offset: Address,
  size: Address,
): void {
  const [to, from, length] = [dst as number, offset as number, size as number];
  touch(context, from, length, false);
  checkHeap(context, name, dst, size);
  for (let done = 0; done < length; done += PIECE) {
    const piece = new Uint8Array(Math.min(PIECE, length - done));
    context.code.stable.read(from + done, piece);
    context.code.instance.writeBytes(to + done, piece);
  }
}

/** Copies from the heap. The caller has checked the range of stable memory. */
function write(
  context: ApiContext,
  name: string,
  offset: Address,
  src: Address,
  size: Address,
): void {
  const [to, from, length] = [offset as number, src as number, size as number];
  touch(context, to, length, true);
  checkHeap(context, name, src, size);
  for (let done = 0; done < length; done += PIECE) {
    const piece = context.code.instance.readBytes(from + done, Math.min(PIECE, length - done));
    context.code.stable.write(to + done, piece);
  }
}

/** Pages before growing, or undefined when the memory cannot grow. */
function grow(
  { code, execution }: ApiContext,
  additional: Address,
  limit: number,
): number | undefined {
  const before = code.stable.size;
  if (typeof additional === 'bigint' || before + additional > limit) return undefined;
  if (!execution.memory.growStable(additional)) return undefined;
  code.stable.grow(additional);
  return before;
}

const third = (_context: ApiContext, _a: Address, _b: Address, size: Address): Address => size;

/** Stable memory, in the 64-bit and the older 32-bit functions. */
export const stable: ApiGroup = {
  stable64_size: {
    params: [],
    result: 'l',
    allowed: MODES.all,
    cost: 0,
    run: ({ code }) => BigInt(code.stable.size),
  },
  stable64_grow: {
    params: ['l'],
    result: 'l',
    allowed: MODES.all,
    run: (context, pages: bigint) => {
      const additional = pages > BigInt(Number.MAX_SAFE_INTEGER) ? pages : Number(pages);
      return BigInt(grow(context, additional, MAX_PAGES) ?? -1);
    },
  },
  stable64_read: {
    params: ['l', 'l', 'l'],
    allowed: MODES.all,
    bytes: third,
    run: (context, dst: bigint, offset: bigint, size: bigint) => {
      if (size === 0n) return;
      const name = 'stable64_read';
      checkStable(context, name, narrow(offset), narrow(size));
      checkHeapAddress(context, name, narrow(dst));
      checkHeapAddress(context, name, narrow(size));
      read(context, name, narrow(dst), narrow(offset), narrow(size));
    },
  },
  stable64_write: {
    params: ['l', 'l', 'l'],
    allowed: MODES.all,
    bytes: third,
    run: (context, offset: bigint, src: bigint, size: bigint) => {
      if (size === 0n) return;
      const name = 'stable64_write';
      checkStable(context, name, narrow(offset), narrow(size));
      checkHeapAddress(context, name, narrow(src));
      checkHeapAddress(context, name, narrow(size));
      write(context, name, narrow(offset), narrow(src), narrow(size));
    },
  },
  stable_size: {
    params: [],
    result: 'i',
    allowed: MODES.all,
    cost: 0,
    run: (context) => {
      check32(context, 'stable_size');
      return context.code.stable.size;
    },
  },
  stable_grow: {
    params: ['i'],
    result: 'i',
    allowed: MODES.all,
    run: (context, additional: number) => {
      check32(context, 'stable_grow');
      return grow(context, additional, MAX_PAGES_32) ?? -1;
    },
  },
  stable_read: {
    params: ['i', 'i', 'i'],
    allowed: MODES.all,
    bytes: third,
    run: (context, dst: number, offset: number, size: number) => {
      if (size === 0) return;
      check32(context, 'stable_read');
      checkStable(context, 'stable_read', offset, size);
      read(context, 'stable_read', dst, offset, size);
    },
  },
  stable_write: {
    params: ['i', 'i', 'i'],
    allowed: MODES.all,
    bytes: third,
    run: (context, offset: number, src: number, size: number) => {
      // Unlike the other three, this one checks its range even when there is nothing to copy.
      check32(context, 'stable_write');
      checkStable(context, 'stable_write', offset, size);
      if (size > 0) write(context, 'stable_write', offset, src, size);
    },
  },
};

function narrow(value: bigint): Address {
  return value > BigInt(Number.MAX_SAFE_INTEGER) ? value : Number(value);
}
