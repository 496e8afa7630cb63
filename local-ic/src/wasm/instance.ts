import { HeapOutOfBounds, TrapSignal, WasmError } from './errors.js';
import { Heap } from './heap.js';
import {
  COMMITTED_GLOBALS,
  EXCHANGED_GLOBALS,
  exported,
  HOST_MODULE,
  MEMORY_IMPORT,
  STOPPED_BY_LIMIT,
  STOPPED_BY_STACK,
  type HostFunctionName,
} from './instrument/layout.js';
import { CALLBACK_BYTES, STACK_BYTES } from './instrument/stack-frames.js';
import { ValType } from './module-format.js';
import type { CanisterModule } from './module.js';
import { trapOf, type TrapContext } from './trap.js';
import type {
  EntryPoint,
  Frame,
  GlobalValue,
  HeapState,
  HostFunctions,
  InstanceOptions,
  RunOptions,
  RunOutcome,
  TrapKind,
} from './types.js';

const globalTypes = new Map<number, [GlobalValue['type'], number]>([
  [ValType.i32, ['i32', 4]],
  [ValType.i64, ['i64', 8]],
  [ValType.f32, ['f32', 4]],
  [ValType.f64, ['f64', 8]],
  [ValType.v128, ['v128', 16]],
]);

const BACKTRACE_FRAMES = 100;

type AnyFunction = (...args: unknown[]) => unknown;

/** What a message changed, taken off an instance to be put on again later. */
export interface PendingChanges {
  readonly pages: number;
  readonly content: ReadonlyMap<number, Uint8Array>;
  readonly globals: Uint8Array;
}

/**
 * A canister's heap and globals with its code. It runs one entry point at a time; what a run changed
 * stays provisional until `commit`, `rollback` or `detach`.
 *
 * The calls of `ic0` cost what the host takes with `charge`: this room charges instructions, bulk
 * operations and pages, the room of the system API charges its functions.
 */
export class CanisterInstance {
  private readonly heap: Heap;
  private readonly exports: WebAssembly.Exports;
  private readonly counter: WebAssembly.Global<'i64'>;
  private readonly reason: WebAssembly.Global<'i32'>;
  private readonly stack: WebAssembly.Global<'i32'>;
  private readonly hasGlobals: boolean;
  private readonly context: TrapContext;

  /** A fresh heap with the module's data; no code runs, see `run({ start: true })`. */
  constructor(
    readonly module: CanisterModule,
    ic0: HostFunctions,
    private readonly options: InstanceOptions = {},
  ) {
    const { memory, mutableGlobals } = module.code;
    if (module.initialPages > memory.initial) {
      throw new WasmError(
        'engine',
        `Failed to instantiate module: this engine has no memory of ${module.initialPages} pages, ` +
          `at most ${memory.initial}`,
      );
    }
    this.heap = new Heap(memory.initial, memory.maximum, memory.memory64, module.schedule);
    this.exports = this.instantiate(ic0);
    this.counter = this.exports[exported.counter] as WebAssembly.Global<'i64'>;
    this.reason = this.exports[exported.reason] as WebAssembly.Global<'i32'>;
    this.stack = this.exports[exported.stack] as WebAssembly.Global<'i32'>;
    const pages = this.exports[exported.pages] as WebAssembly.Global;
    this.heap.onResize = (count) => {
      pages.value = memory.memory64 ? BigInt(count) : count;
    };
    this.heap.onResize(memory.initial);
    this.heap.onCharge = (instructions) => {
      this.counter.value -= BigInt(instructions);
    };
    this.hasGlobals = mutableGlobals.length > 0;
    this.saveGlobals();
    this.context = this.trapContext();
  }

  private instantiate(ic0: HostFunctions): WebAssembly.Exports {
    try {
      return new WebAssembly.Instance(this.module.code.engineModule, {
        ic0,
        [HOST_MODULE]: { ...this.hostFunctions(), [MEMORY_IMPORT]: this.heap.memory },
      }).exports;
    } catch (error) {
      if (!(error instanceof WebAssembly.RuntimeError)) throw error;
      const reason = error.message.includes('table')
        ? 'undefined element: out of bounds table access'
        : error.message;
      throw new WasmError('engine', `Failed to instantiate module: wasm trap: ${reason}`);
    }
  }

  // ---- running ----

  /**
   * Runs an entry point to its end with `instructionLimit` instructions to spend. The heap's pages
   * count as untouched at its start, so the run before must have been settled.
   */
  run(entry: EntryPoint, instructionLimit: number, options: RunOptions = {}): RunOutcome {
    const start = this.entryFunction(entry);
    if (typeof start === 'string') {
      return { kind: 'trapped', trap: { kind: start, backtrace: [] }, instructions: 0 };
    }
    this.counter.value = BigInt(instructionLimit);
    this.reason.value = 0;
    this.stack.value = STACK_BYTES - ('table' in entry ? CALLBACK_BYTES : 0);
    this.heap.isQuery = options.query === true;
    for (const segment of this.module.code.droppedSegments) {
      (this.exports[`${exported.dropped}${segment}`] as WebAssembly.Global).value = 0;
    }
    const { stackTraceLimit } = Error;
    Error.stackTraceLimit = BACKTRACE_FRAMES;
    try {
      start();
      return { kind: 'returned', instructions: this.used(instructionLimit) };
    } catch (thrown) {
      const trap = trapOf(thrown, this.context);
      return { kind: 'trapped', trap, instructions: this.used(instructionLimit) };
    } finally {
      Error.stackTraceLimit = stackTraceLimit;
    }
  }

  private used(limit: number): number {
    return limit - this.instructionsLeft;
  }

  /** What starts a run, or why it cannot start. */
  private entryFunction(entry: EntryPoint): (() => void) | TrapKind {
    if ('table' in entry) {
      const fault = this.callbackFault(entry.table);
      if (fault) return fault;
      const callback = this.exports[exported.callback] as AnyFunction;
      const argument = this.module.memory64 ? BigInt(entry.arg) : Number(entry.arg) | 0;
      return () => {
        callback(entry.table, argument);
      };
    }
    const name = 'export' in entry ? entry.export : exported.start;
    return (this.exports[name] as (() => void) | undefined) ?? 'no such function';
  }

  /** Why an entry of table 0 is no function that takes one address and returns nothing. */
  private callbackFault(index: number): TrapKind | undefined {
    const { parsed, functionShift } = this.module.code;
    const table = this.exports[`${exported.table}0`] as WebAssembly.Table | undefined;
    if (!table) return 'no table';
    if (index >= table.length) return 'no such function';
    const callee = table.get(index) as { name: string } | null;
    if (!callee) return 'null entry';
    const engineIndex = Number(callee.name);
    const own = engineIndex < parsed.importedFunctions ? engineIndex : engineIndex - functionShift;
    const type = parsed.types[parsed.functionTypes[own]!]!;
    const address = this.module.memory64 ? ValType.i64 : ValType.i32;
    const fits =
      type.params.length === 1 && type.params[0] === address && type.results.length === 0;
    return fits ? undefined : 'signature mismatch';
  }

  // ---- for host functions, while running ----

  /** Instructions left of the run's limit, at least 0. */
  get instructionsLeft(): number {
    return Math.max(0, Number(this.counter.value));
  }

  /** Takes instructions; throws the trap if there are not as many left. */
  charge(instructions: number): void {
    const left = this.counter.value - BigInt(instructions);
    this.counter.value = left;
    if (left < 0n) throw new TrapSignal('instruction limit');
  }

  /** A copy of bytes of the heap. Throws `HeapOutOfBounds`. */
  readBytes(address: number | bigint, length: number | bigint): Uint8Array {
    const [start, count] = this.range(address, length);
    this.heap.touchRange(start, count, false);
    return this.heap.read(start, count);
  }

  /** Writes bytes to the heap. Throws `HeapOutOfBounds`. */
  writeBytes(address: number | bigint, bytes: Uint8Array): void {
    const [start, count] = this.range(address, bytes.length);
    this.heap.touchRange(start, count, true);
    this.heap.write(start, bytes);
  }

  private range(address: number | bigint, length: number | bigint): [number, number] {
    const start = this.unsigned(address);
    const count = this.unsigned(length);
    if (start + count > this.heap.size) {
      throw new HeapOutOfBounds(BigInt(start), BigInt(count), BigInt(this.heap.size));
    }
    return [start, count];
  }

  /** An i32 or i64 as the unsigned number it stands for as an address. */
  private unsigned(value: number | bigint): number {
    if (typeof value === 'number') return value < 0 ? value + 2 ** 32 : value;
    return Number(BigInt.asUintN(64, value));
  }

  /** Size of the heap in 64 KiB pages. */
  memoryPages(): number {
    return this.heap.pages;
  }

  // ---- after a run ----

  /** Pages of 4 KiB of the heap whose content the run changed. */
  changedHeapPages(): number {
    return this.heap.changedPages();
  }

  /** Pages of 64 KiB that the run accessed, and wrote. */
  touched(): { readWasmPages: number; writtenWasmPages: number } {
    return {
      readWasmPages: this.heap.accessedPages,
      writtenWasmPages: this.heap.writtenPages,
    };
  }

  /** Makes what the run changed the state. */
  commit(): void {
    this.heap.commit();
    this.saveGlobals();
  }

  /** Puts back heap, size and globals as they were before the run. */
  rollback(): void {
    this.heap.rollback();
    this.loadGlobals();
  }

  /** Takes the run's changes off, so that the state before shows; `attach` puts them on. */
  detach(): PendingChanges {
    const changes: PendingChanges = {
      pages: this.heap.pages,
      content: this.heap.changes(),
      globals: this.currentGlobals(),
    };
    this.rollback();
    return changes;
  }

  /** Makes detached changes the state. */
  attach(changes: PendingChanges): void {
    this.heap.apply(changes.pages, changes.content);
    this.setGlobals(changes.globals);
  }

  /** Puts detached changes on as a run of its own would: `rollback` takes them off again. */
  attachPending(changes: PendingChanges): void {
    this.heap.applyPending(changes.pages, changes.content);
    if (!this.hasGlobals) return;
    this.heap.reserved(EXCHANGED_GLOBALS, this.globalsLength).set(changes.globals);
    this.globalsFunction(exported.loadGlobals, EXCHANGED_GLOBALS);
  }

  /** A copy of heap and globals as they are now, changes of an unsettled run included. */
  saveState(): HeapState {
    const bytes = this.currentGlobals();
    const globals = this.module.code.mutableGlobals.map(({ type }, i): GlobalValue => {
      const [name, size] = globalTypes.get(type)!;
      return { type: name, bytes: bytes.slice(16 * i, 16 * i + size) };
    });
    return { pages: this.heap.pages, content: this.heap.content(), globals };
  }

  /**
   * Replaces the heap by `state`, and the globals too if it has as many of the same types (a state
   * of another module has not: then they keep the values that they have).
   */
  restoreState(state: HeapState): void {
    this.heap.restore(state.pages, state.content);
    const own = this.module.code.mutableGlobals;
    const fits =
      own.length === state.globals.length &&
      own.every(({ type }, i) => globalTypes.get(type)![0] === state.globals[i]!.type);
    if (!fits) return;
    const bytes = new Uint8Array(16 * own.length);
    state.globals.forEach((value, i) => {
      bytes.set(value.bytes, 16 * i);
    });
    this.setGlobals(bytes);
  }

  // ---- globals ----

  private get globalsLength(): number {
    return 16 * this.module.code.mutableGlobals.length;
  }

  /** Keeps the globals' values for a rollback. */
  private saveGlobals(): void {
    if (this.hasGlobals) this.globalsFunction(exported.saveGlobals, COMMITTED_GLOBALS);
  }
  private loadGlobals(): void {
    if (this.hasGlobals) this.globalsFunction(exported.loadGlobals, COMMITTED_GLOBALS);
  }

  private currentGlobals(): Uint8Array {
    if (this.hasGlobals) this.globalsFunction(exported.saveGlobals, EXCHANGED_GLOBALS);
    return this.heap.reserved(EXCHANGED_GLOBALS, this.globalsLength).slice();
  }
  private setGlobals(bytes: Uint8Array): void {
    this.heap.reserved(COMMITTED_GLOBALS, this.globalsLength).set(bytes);
    this.loadGlobals();
  }

  private globalsFunction(name: string, area: number): void {
    (this.exports[name] as AnyFunction)(this.module.memory64 ? BigInt(area) : area);
  }

  // ---- what the instrumented code calls ----

  private hostFunctions(): Record<HostFunctionName, AnyFunction> {
    const { heap } = this;
    // i32 parameters arrive as signed numbers.
    const address = this.module.memory64
      ? (value: unknown) => Number(BigInt.asUintN(64, value as bigint))
      : (value: unknown) => (value as number) >>> 0;
    return {
      touchRead: (first, last) => {
        heap.touch(address(first), address(last), false);
      },
      touchWrite: (first, last) => {
        heap.touch(address(first), address(last), true);
      },
      rangeRead: (start, length) => {
        heap.touchRange(address(start), address(length), false);
      },
      rangeWrite: (start, length) => {
        heap.touchRange(address(start), address(length), true);
      },
      grow: (pages) => {
        const before = this.grow(address(pages));
        return this.module.memory64 ? BigInt(before) : before;
      },
      outOfBounds: () => {
        throw new TrapSignal('heap out of bounds');
      },
      sliceOverrun: (instructions) => {
        throw new TrapSignal('slice overrun', Number(BigInt.asUintN(64, instructions as bigint)));
      },
    };
  }

  /** `memory.grow`: the number of pages before, or -1. */
  private grow(additional: number): number {
    const { heap } = this;
    const before = heap.pages;
    if (before + additional > this.module.code.memory.declaredMaximum) return -1;
    const holds = before + additional <= heap.maximumPages;
    if (this.options.mayGrow && !this.options.mayGrow(before, additional, holds)) return -1;
    if (!holds) return -1;
    try {
      heap.grow(additional);
    } catch (error) {
      if (error instanceof RangeError) return -1;
      throw error;
    }
    return before;
  }

  private trapContext(): TrapContext {
    const { parsed, functionShift, names } = this.module.code;
    const indirectIndex = this.exports[exported.indirectIndex] as WebAssembly.Global<'i32'>;
    const indirectTable = this.exports[exported.indirectTable] as
      WebAssembly.Global<'i32'> | undefined;
    return {
      limitReached: () => this.reason.value === STOPPED_BY_LIMIT,
      stackExhausted: () => this.reason.value === STOPPED_BY_STACK,
      nullCallee: () => {
        const table = this.exports[`${exported.table}${indirectTable?.value ?? 0}`];
        return (table as WebAssembly.Table).get(indirectIndex.value >>> 0) === null;
      },
      frame: (engineIndex): Frame | undefined => {
        const index = engineIndex - functionShift;
        if (index < parsed.importedFunctions || index >= parsed.functionTypes.length) {
          return undefined;
        }
        const name = names.get(index);
        return name === undefined ? { index } : { index, name };
      },
    };
  }
}
