/**
 * How an instrumented module's linear memory and its additions are laid out.
 *
 * The canister's heap starts `HEAP_START` bytes into the memory; below it lie two byte maps with an
 * entry for each 64 KiB page of the heap, and room for the values of globals.
 */

export const WASM_PAGE = 65536;
/** Non-zero: the page was accessed in this message (so it exists and was paid for). */
export const READ_MAP = 0;
/** Non-zero: the page was written in this message (so its old content was kept). */
export const WRITE_MAP = 65536;
/**
 * Two areas for the values of mutable globals (at most 1000), 16 bytes each: as they were when the
 * message started, and to pass others in and out.
 */
export const COMMITTED_GLOBALS = 131072;
export const EXCHANGED_GLOBALS = COMMITTED_GLOBALS + 16384;
/** Where heap address 0 is. */
export const HEAP_START = 3 * WASM_PAGE;
export const RESERVED_PAGES = 3;
/** The memory's limit of 65,536 pages less the reserved ones. */
export const MAX_HEAP_PAGES = 65536 - RESERVED_PAGES;

/** Module name of the imports that the instrumentation adds. */
export const HOST_MODULE = '\0host';
export const MEMORY_IMPORT = 'memory';

/** Functions that the host provides, in this order after the module's own imports. */
export const hostFunctions = [
  /** (first byte, last byte): make both pages readable, or trap */
  'touchRead',
  /** (first byte, last byte): make both pages writable, or trap */
  'touchWrite',
  /** (address, length): make a range readable, or trap */
  'rangeRead',
  /** (address, length): make a range writable, or trap */
  'rangeWrite',
  /** (pages) -> pages before or -1 */
  'grow',
  /** (): trap, heap out of bounds */
  'outOfBounds',
  /** (length): trap, a bulk operation larger than a slice */
  'sliceOverrun',
] as const;
export type HostFunctionName = (typeof hostFunctions)[number];

/** Names of what the instrumented module exports besides its functions. */
export const exported = {
  /** i64: instructions left */
  counter: '\0counter',
  /** address type: size of the heap in pages */
  pages: '\0pages',
  /** i32: why an `unreachable` of the instrumentation stopped, one of the constants below */
  reason: '\0reason',
  /** i32: bytes left of the stack */
  stack: '\0stack',
  /** i32: table index of the last `call_indirect` */
  indirectIndex: '\0indirect',
  /** i32: table of the last `call_indirect` */
  indirectTable: '\0indirectTable',
  /** (area: address): writes the mutable globals there */
  saveGlobals: '\0save',
  /** (area: address): reads them back */
  loadGlobals: '\0load',
  /** (index: i32, argument: address): calls an entry of table 0 */
  callback: '\0callback',
  start: '\0start',
  /** + number of the table */
  table: '\0table',
  /** + number of the segment; i32, 1 after `data.drop` */
  dropped: '\0dropped',
} as const;

/** The counter of instructions is exhausted. */
export const STOPPED_BY_LIMIT = 1;
/** The stack is. */
export const STOPPED_BY_STACK = 2;
