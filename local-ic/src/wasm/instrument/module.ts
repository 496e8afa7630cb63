import { limits } from '../../costs/index.js';
import { Writer } from '../binary.js';
import {
  ExternalKind,
  SectionId,
  ValType,
  type ParsedModule,
  type Range,
} from '../module-format.js';
import type { Additions } from './additions.js';
import { Emitter } from './emit.js';
import { FlowAnalysis } from './flow-analysis.js';
import { FunctionCode } from './function-code.js';
import {
  callbackFunction,
  copyFunction,
  fillFunction,
  initFunction,
  loadFunction,
  saveFunction,
  type MutableGlobal,
} from './helpers.js';
import {
  exported,
  HEAP_START,
  HOST_MODULE,
  hostFunctions,
  MAX_HEAP_PAGES,
  MEMORY_IMPORT,
  RESERVED_PAGES,
  WASM_PAGE,
  type HostFunctionName,
} from './layout.js';
import { costs32, costs64, Metering } from './metering.js';
import { scanModule } from './module-scan.js';

/** Instructions of the functions that the replica adds to every module. */
const REPLICA_FIXED_INSTRUCTIONS = 72;
/** Instructions of a global's initial value. */
const REPLICA_GLOBAL_INSTRUCTIONS = 2;
/** Instructions of the functions that the replica puts in the place of imported ones. */
const REPLICA_STABLE_FUNCTIONS: ReadonlyMap<string, number> = new Map([
  ['stable_size', 10],
  ['stable_grow', 24],
  ['stable_read', 106],
  ['stable_write', 91],
  ['stable64_size', 2],
  ['stable64_grow', 21],
  ['stable64_read', 119],
  ['stable64_write', 107],
]);

export interface InstrumentedModule {
  bytes: Uint8Array;
  /** Instructions that the replica compiles for this module: the basis of the install charge. */
  compiledInstructions: number;
  mutableGlobals: MutableGlobal[];
  /** Data segments that the code drops. */
  droppedSegments: number[];
  /** By how much function indices grew, imports excepted. */
  functionShift: number;
  /** Pages of the memory import, and how many the module itself may grow to. */
  memory: { initial: number; maximum: number; declaredMaximum: number; memory64: boolean };
}

/**
 * Rewrites a valid module so that it counts instructions, notices the pages it touches, yields
 * canonical NaNs and leaves its start function to the host. See `layout.ts` for what it imports and
 * exports then.
 */
export function instrumentModule(module: ParsedModule): InstrumentedModule {
  return new Instrumenter(module).run();
}

class Instrumenter {
  private readonly out: Writer;
  private readonly add: Additions;
  private readonly host: Record<HostFunctionName, number>;
  private readonly memory64: boolean;
  private readonly addressType: number;
  private readonly types: { params: number[]; results: number[] }[] = [];
  private readonly mutableGlobals: MutableGlobal[];
  private readonly helpers: { type: number; body: Uint8Array }[] = [];
  private readonly initSegments: number[];
  private readonly droppedSegments: number[];
  private readonly helperExports: [string, number][] = [];
  private readonly codes: { bytes: Uint8Array; hints: Writer; hinted: number; count: number };
  private compiledInstructions: number;

  constructor(private readonly module: ParsedModule) {
    const memory = module.memories[0];
    this.memory64 = memory?.memory64 ?? false;
    this.addressType = this.memory64 ? ValType.i64 : ValType.i32;
    this.out = new Writer(module.bytes.length * 2 + 4096);
    this.mutableGlobals = module.globals.flatMap(({ type, mutable }, index) =>
      mutable ? [{ index, type }] : [],
    );
    const scan = scanModule(module);
    this.initSegments = scan.initialised;
    this.droppedSegments = scan.dropped;
    const shift = hostFunctions.length;
    const host = {} as Record<HostFunctionName, number>;
    hostFunctions.forEach((name, i) => {
      host[name] = module.importedFunctions + i;
    });
    this.host = host;
    const firstHelper = module.functionTypes.length + shift;
    const firstGlobal = module.globals.length;
    const severalTables = module.tables.length > 1;
    this.add = {
      memory64: this.memory64,
      importedFunctions: module.importedFunctions,
      functionShift: shift,
      host,
      stackUse: scan.stackUse,
      fill: firstHelper,
      copy: firstHelper + 1,
      init: new Map(this.initSegments.map((segment, i) => [segment, firstHelper + 2 + i])),
      globals: {
        counter: firstGlobal,
        pages: firstGlobal + 1,
        reason: firstGlobal + 2,
        stack: firstGlobal + 3,
        indirectIndex: firstGlobal + 4,
        indirectTable: severalTables ? firstGlobal + 5 : -1,
        dropped: new Map(
          this.droppedSegments.map((segment, i) => [
            segment,
            firstGlobal + 5 + (severalTables ? 1 : 0) + i,
          ]),
        ),
      },
    };
    for (const name of hostFunctions) this.hostType(name);
    this.addHelpers(firstHelper);
    this.compiledInstructions = fixedInstructions(module);
    this.codes = this.instrumentBodies();
  }

  run(): InstrumentedModule {
    const { module, out } = this;
    out.copy(module.bytes, 0, 8);
    out.section(SectionId.type, (s) => {
      this.typeSection(s);
    });
    out.section(SectionId.import, (s) => {
      this.importSection(s);
    });
    out.section(SectionId.function, (s) => {
      this.functionSection(s);
    });
    if (module.tables.length > 0)
      out.section(SectionId.table, (s) => {
        this.tableSection(s);
      });
    out.section(SectionId.global, (s) => {
      this.globalSection(s);
    });
    out.section(SectionId.export, (s) => {
      this.exportSection(s);
    });
    if (module.elements.length > 0)
      out.section(SectionId.element, (s) => {
        this.elementSection(s);
      });
    if (module.hasDataCount)
      out.section(SectionId.dataCount, (s) => {
        s.u32(module.data.length);
      });
    this.hintSection();
    out.u8(SectionId.code);
    const prefix = new Writer(8);
    prefix.u32(this.codes.count);
    out.u32(prefix.length + this.codes.bytes.length);
    out.copy(prefix.finish());
    out.copy(this.codes.bytes);
    if (module.data.length > 0) this.dataSection();
    return {
      bytes: out.finish(),
      compiledInstructions: this.compiledInstructions,
      mutableGlobals: this.mutableGlobals,
      droppedSegments: this.droppedSegments,
      functionShift: this.add.functionShift,
      memory: this.memoryLimits(),
    };
  }

  private memoryLimits(): InstrumentedModule['memory'] {
    const memory = this.module.memories[0];
    const initial = Math.min(memory?.min ?? 0, MAX_HEAP_PAGES);
    const allowed = this.memory64 ? limits.memory.wasm64HeapBytes : limits.memory.wasm32HeapBytes;
    const pages = allowed / WASM_PAGE;
    const declaredMaximum = memory ? Math.min(memory.max ?? pages, pages) : 0;
    const maximum = Math.min(declaredMaximum, MAX_HEAP_PAGES);
    return { initial, maximum, declaredMaximum, memory64: this.memory64 };
  }

  // ---- added functions ----

  private typeIndex(params: number[], results: number[]): number {
    const same = this.types.findIndex(
      (type) => String(type.params) === String(params) && String(type.results) === String(results),
    );
    if (same >= 0) return this.module.types.length + same;
    this.types.push({ params, results });
    return this.module.types.length + this.types.length - 1;
  }

  private hostType(name: HostFunctionName): number {
    const a = this.addressType;
    switch (name) {
      case 'touchRead':
      case 'touchWrite':
      case 'rangeRead':
      case 'rangeWrite':
        return this.typeIndex([a, a], []);
      case 'grow':
        return this.typeIndex([a], [a]);
      case 'outOfBounds':
        return this.typeIndex([], []);
      case 'sliceOverrun':
        return this.typeIndex([ValType.i64], []);
    }
  }

  private addHelpers(first: number): void {
    const { add, host } = this;
    const a = this.addressType;
    const { i32 } = ValType;
    const put = (params: number[], body: Uint8Array): number => {
      this.helpers.push({ type: this.typeIndex(params, []), body });
      return first + this.helpers.length - 1;
    };
    put([a, i32, a], fillFunction(add, host));
    put([a, a, a], copyFunction(add, host));
    for (const segment of this.initSegments) {
      put([a, i32, i32], initFunction(add, host, segment));
    }
    const globals = this.mutableGlobals;
    this.helperExports.push([exported.saveGlobals, put([a], saveFunction(add, host, globals))]);
    this.helperExports.push([exported.loadGlobals, put([a], loadFunction(add, host, globals))]);
    if (this.module.tables[0]?.element === ValType.funcref) {
      const body = callbackFunction(add, host, this.typeIndex([a], []));
      this.helperExports.push([exported.callback, put([i32, a], body)]);
    }
  }

  // ---- code ----

  private instrumentBodies(): Instrumenter['codes'] {
    const { module, add } = this;
    const code = new FunctionCode();
    const metering = new Metering();
    const flow = new FlowAnalysis(module.bytes);
    const emitter = new Emitter(module.bytes, add);
    const { types, functionTypes } = module;
    const facts = { types, functionTypes, memory64: this.memory64 };
    const costs = this.memory64 ? costs64 : costs32;
    const bodies = new Writer(module.codeSectionBytes * 3 + 1024);
    const body = new Writer();
    const hints = new Writer();
    let hinted = 0;
    module.bodies.forEach((range, i) => {
      const index = module.importedFunctions + i;
      const type = module.types[module.functionTypes[index]!]!;
      code.decode(module.bytes, range);
      this.compiledInstructions += metering.measure(code, costs);
      flow.analyse(code, type, facts);
      body.length = 0;
      emitter.emit(index, code, type.params.length, metering, flow, body);
      bodies.u32(body.length);
      bodies.copy(body.bytes, 0, body.length);
      if (emitter.hints.length > 0) {
        hinted++;
        hints.u32(index + add.functionShift);
        hints.u32(emitter.hints.length);
        for (const offset of emitter.hints) {
          hints.u32(offset);
          hints.u8(1);
          hints.u8(0);
        }
      }
    });
    for (const helper of this.helpers) bodies.sized(helper.body);
    return {
      bytes: bodies.finish(),
      hints,
      hinted,
      count: module.bodies.length + this.helpers.length,
    };
  }

  /** Tells the engine which branches are hardly ever taken, so that it keeps them out of the way. */
  private hintSection(): void {
    const { hints, hinted } = this.codes;
    if (hinted === 0) return;
    this.out.section(SectionId.custom, (s) => {
      s.name('metadata.code.branch_hint');
      s.u32(hinted);
      s.copy(hints.bytes, 0, hints.length);
    });
  }

  // ---- sections ----

  private typeSection(s: Writer): void {
    s.u32(this.module.types.length + this.types.length);
    for (const { params, results } of [...this.module.types, ...this.types]) {
      s.u8(0x60);
      s.sized(Uint8Array.from(params));
      s.sized(Uint8Array.from(results));
    }
  }

  private importSection(s: Writer): void {
    const functions = this.module.imports.filter((entry) => entry.kind === ExternalKind.function);
    s.u32(functions.length + hostFunctions.length + 1);
    for (const { module, name, typeIndex } of functions) {
      s.name(module);
      s.name(name);
      s.u8(ExternalKind.function);
      s.u32(typeIndex);
    }
    for (const name of hostFunctions) {
      s.name(HOST_MODULE);
      s.name(name);
      s.u8(ExternalKind.function);
      s.u32(this.hostType(name));
    }
    s.name(HOST_MODULE);
    s.name(MEMORY_IMPORT);
    s.u8(ExternalKind.memory);
    const { initial, maximum } = this.memoryLimits();
    s.u8(this.memory64 ? 5 : 1);
    s.u32(initial + RESERVED_PAGES);
    s.u32(maximum + RESERVED_PAGES);
  }

  private functionSection(s: Writer): void {
    const own = this.module.functionTypes.slice(this.module.importedFunctions);
    s.u32(own.length + this.helpers.length);
    for (const type of own) s.u32(type);
    for (const helper of this.helpers) s.u32(helper.type);
  }

  private tableSection(s: Writer): void {
    s.u32(this.module.tables.length);
    for (const { element, min, max } of this.module.tables) {
      s.u8(element);
      s.u8(max === undefined ? 0 : 1);
      s.u32(min);
      if (max !== undefined) s.u32(max);
    }
  }

  private globalSection(s: Writer): void {
    const { globals } = this.module;
    const { dropped, indirectTable } = this.add.globals;
    s.u32(globals.length + 5 + (indirectTable >= 0 ? 1 : 0) + dropped.size);
    for (const { type, mutable, init } of globals) {
      s.u8(type);
      s.u8(mutable ? 1 : 0);
      this.expression(s, init);
    }
    const zero = (type: number): void => {
      s.u8(type);
      s.u8(1);
      s.u8(type === ValType.i64 ? 0x42 : 0x41);
      s.u8(0);
      s.u8(0x0b);
    };
    zero(ValType.i64);
    zero(this.addressType);
    zero(ValType.i32);
    zero(ValType.i32);
    zero(ValType.i32);
    if (indirectTable >= 0) zero(ValType.i32);
    for (let i = 0; i < dropped.size; i++) zero(ValType.i32);
  }

  /** Copies a constant expression, with function indices moved. */
  private expression(s: Writer, range: Range): void {
    const { bytes } = this.module;
    if (bytes[range.start] === 0xd2) {
      let index = 0;
      for (let at = range.start + 1, shift = 0; at < range.end; at++, shift += 7) {
        index |= (bytes[at]! & 0x7f) << shift;
      }
      s.u8(0xd2);
      s.u32(this.moved(index));
    } else {
      s.copy(bytes, range.start, range.end);
    }
    s.u8(0x0b);
  }

  private moved(index: number): number {
    return index < this.add.importedFunctions ? index : index + this.add.functionShift;
  }

  private exportSection(s: Writer): void {
    const entries: [name: string, kind: number, index: number][] = [];
    for (const { name, kind, index } of this.module.exports) {
      if (kind === ExternalKind.function) entries.push([name, kind, this.moved(index)]);
    }
    for (const [name, index] of this.helperExports) {
      entries.push([name, ExternalKind.function, index]);
    }
    if (this.module.start !== undefined) {
      entries.push([exported.start, ExternalKind.function, this.moved(this.module.start)]);
    }
    const { globals } = this.add;
    entries.push([exported.counter, ExternalKind.global, globals.counter]);
    entries.push([exported.pages, ExternalKind.global, globals.pages]);
    entries.push([exported.reason, ExternalKind.global, globals.reason]);
    entries.push([exported.stack, ExternalKind.global, globals.stack]);
    entries.push([exported.indirectIndex, ExternalKind.global, globals.indirectIndex]);
    if (globals.indirectTable >= 0) {
      entries.push([exported.indirectTable, ExternalKind.global, globals.indirectTable]);
    }
    for (const [segment, index] of globals.dropped) {
      entries.push([`${exported.dropped}${segment}`, ExternalKind.global, index]);
    }
    this.module.tables.forEach((_, i) => {
      entries.push([`${exported.table}${i}`, ExternalKind.table, i]);
    });
    s.u32(entries.length);
    for (const [name, kind, index] of entries) {
      s.name(name);
      s.u8(kind);
      s.u32(index);
    }
  }

  private elementSection(s: Writer): void {
    s.u32(this.module.elements.length);
    for (const { mode, table, offset, type, functions } of this.module.elements) {
      // Flags 4 to 7: elements as expressions, which cover all other forms.
      s.u32(mode === 'passive' ? 5 : mode === 'declared' ? 7 : 6);
      if (mode === 'active') {
        s.u32(table);
        this.expression(s, offset!);
      }
      s.u8(type);
      s.u32(functions.length);
      for (const index of functions) {
        if (index < 0) {
          s.u8(0xd0);
          s.u8(type);
        } else {
          s.u8(0xd2);
          s.u32(this.moved(index));
        }
        s.u8(0x0b);
      }
    }
  }

  private dataSection(): void {
    const { module, out } = this;
    out.section(SectionId.data, (s) => {
      s.u32(module.data.length);
      for (const { mode, offset, content } of module.data) {
        if (mode === 'passive') {
          s.u32(1);
        } else {
          s.u32(0);
          s.u8(this.memory64 ? 0x42 : 0x41);
          const start = dataOffset(module, offset!) + HEAP_START;
          s.signed(this.memory64 ? start : start | 0);
          s.u8(0x0b);
        }
        s.u32(content.end - content.start);
        s.copy(module.bytes, content.start, content.end);
      }
    });
  }
}

/** What the replica compiles besides the module's own functions. */
function fixedInstructions(module: ParsedModule): number {
  let sum = REPLICA_FIXED_INSTRUCTIONS + REPLICA_GLOBAL_INSTRUCTIONS * module.globals.length;
  for (const name of new Set(module.imports.map((entry) => entry.name))) {
    sum += REPLICA_STABLE_FUNCTIONS.get(name) ?? 0;
  }
  return sum;
}

/** The address an active data segment starts at, as an unsigned number. */
export function dataOffset(module: ParsedModule, expression: Range): number {
  const { bytes } = module;
  let value = 0n;
  let shift = 0n;
  for (let at = expression.start + 1; at < expression.end; at++) {
    const byte = bytes[at]!;
    value |= BigInt(byte & 0x7f) << shift;
    shift += 7n;
    if (byte < 0x80 && byte & 0x40) value -= 1n << shift;
  }
  const wide = bytes[expression.start] === 0x42;
  return Number(BigInt.asUintN(wide ? 64 : 32, value));
}
