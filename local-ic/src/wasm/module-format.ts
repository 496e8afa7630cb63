import { MalformedModule, Reader } from './binary.js';

/** Value types by their binary code. */
export const ValType = {
  i32: 0x7f,
  i64: 0x7e,
  f32: 0x7d,
  f64: 0x7c,
  v128: 0x7b,
  funcref: 0x70,
  externref: 0x6f,
} as const;

/** Kinds of imports and exports. */
export const ExternalKind = { function: 0, table: 1, memory: 2, global: 3, tag: 4 } as const;

export const SectionId = {
  custom: 0,
  type: 1,
  import: 2,
  function: 3,
  table: 4,
  memory: 5,
  global: 6,
  export: 7,
  start: 8,
  element: 9,
  code: 10,
  data: 11,
  dataCount: 12,
  tag: 13,
} as const;

export interface FunctionType {
  params: Uint8Array;
  results: Uint8Array;
}
export interface Limits {
  min: number;
  max: number | undefined;
}
export interface MemoryType extends Limits {
  memory64: boolean;
  shared: boolean;
}
export interface TableType extends Limits {
  element: number;
}
export interface Import {
  module: string;
  name: string;
  kind: number;
  /** Type index of a function. */
  typeIndex: number;
}
/** Half-open byte range in the module. */
export interface Range {
  start: number;
  end: number;
}
export interface Global {
  type: number;
  mutable: boolean;
  init: Range;
}
export interface Export {
  name: string;
  kind: number;
  index: number;
}
export interface ElementSegment {
  mode: 'active' | 'passive' | 'declared';
  table: number;
  offset: Range | undefined;
  type: number;
  /** Function indices; -1 is `ref.null`. */
  functions: Int32Array;
}
export interface DataSegment {
  mode: 'active' | 'passive';
  memory: number;
  /** Offset expression without its `end`. */
  offset: Range | undefined;
  content: Range;
}
export interface RawSection {
  name: string;
  content: Uint8Array;
}

/** A module taken apart; code and data stay where they are in `bytes`. */
export interface ParsedModule {
  bytes: Uint8Array;
  types: FunctionType[];
  imports: Import[];
  /** Type indices of all functions, imported ones first. */
  functionTypes: number[];
  importedFunctions: number;
  tables: TableType[];
  memories: MemoryType[];
  globals: Global[];
  exports: Export[];
  start: number | undefined;
  elements: ElementSegment[];
  /** Whole function bodies: local declarations and instructions. */
  bodies: Range[];
  data: DataSegment[];
  hasDataCount: boolean;
  customSections: RawSection[];
  /** Size of the code section in bytes. */
  codeSectionBytes: number;
  /** A section or type that only a forbidden proposal has, named. */
  forbidden: string | undefined;
}

/**
 * Takes a module apart. It expects what `WebAssembly.validate` accepts; of anything else it may
 * make no sense and throws `MalformedModule`.
 */
export function parseModule(bytes: Uint8Array): ParsedModule {
  const module: ParsedModule = {
    bytes,
    types: [],
    imports: [],
    functionTypes: [],
    importedFunctions: 0,
    tables: [],
    memories: [],
    globals: [],
    exports: [],
    start: undefined,
    elements: [],
    bodies: [],
    data: [],
    hasDataCount: false,
    customSections: [],
    codeSectionBytes: 0,
    forbidden: undefined,
  };
  const reader = new Reader(bytes, 8);
  while (reader.pos < bytes.length) {
    const id = reader.u8();
    const size = reader.u32();
    const start = reader.pos;
    reader.take(size);
    const section = new Reader(bytes, start, start + size);
    parseSection(id, section, module);
    if (id !== SectionId.custom && section.pos !== section.end) {
      throw new MalformedModule('section size mismatch: unexpected data', section.pos);
    }
  }
  return module;
}

function parseSection(id: number, r: Reader, m: ParsedModule): void {
  switch (id) {
    case SectionId.custom: {
      const name = r.name();
      m.customSections.push({ name, content: r.bytes.subarray(r.pos, r.end) });
      return;
    }
    case SectionId.type:
      m.types = vector(r, () => {
        const form = r.u8();
        if (form !== 0x60) {
          m.forbidden = 'struct indexed types not supported without the gc feature';
          throw new MalformedModule(m.forbidden, r.pos - 1);
        }
        return { params: r.sized(), results: r.sized() };
      });
      return;
    case SectionId.import:
      m.imports = vector(r, () => parseImport(r, m));
      return;
    case SectionId.function: {
      const count = r.u32();
      for (let i = 0; i < count; i++) m.functionTypes.push(r.u32());
      return;
    }
    case SectionId.table:
      for (const table of vector(r, () => parseTable(r))) m.tables.push(table);
      return;
    case SectionId.memory:
      for (const memory of vector(r, () => parseMemory(r))) m.memories.push(memory);
      return;
    case SectionId.global:
      m.globals = vector(r, () => {
        const type = r.u8();
        const mutable = r.u8() === 1;
        return { type, mutable, init: parseExpression(r) };
      });
      return;
    case SectionId.export:
      m.exports = vector(r, () => ({ name: r.name(), kind: r.u8(), index: r.u32() }));
      return;
    case SectionId.start:
      m.start = r.u32();
      return;
    case SectionId.element:
      m.elements = vector(r, () => parseElement(r));
      return;
    case SectionId.code:
      m.codeSectionBytes = r.end - r.pos;
      m.bodies = vector(r, () => {
        const size = r.u32();
        const start = r.pos;
        r.take(size);
        return { start, end: r.pos };
      });
      return;
    case SectionId.data:
      m.data = vector(r, () => parseData(r));
      return;
    case SectionId.dataCount:
      m.hasDataCount = true;
      r.u32();
      return;
    case SectionId.tag:
      m.forbidden = 'exceptions proposal not enabled';
      r.pos = r.end;
      return;
    default:
      throw new MalformedModule(`malformed section id: ${id}`, r.pos);
  }
}

function vector<T>(r: Reader, item: () => T): T[] {
  const count = r.u32();
  const items: T[] = [];
  for (let i = 0; i < count; i++) items.push(item());
  return items;
}

function parseImport(r: Reader, m: ParsedModule): Import {
  const module = r.name();
  const name = r.name();
  const kind = r.u8();
  let typeIndex = 0;
  switch (kind) {
    case ExternalKind.function:
      typeIndex = r.u32();
      m.functionTypes.push(typeIndex);
      m.importedFunctions++;
      break;
    case ExternalKind.table:
      m.tables.push(parseTable(r));
      break;
    case ExternalKind.memory:
      m.memories.push(parseMemory(r));
      break;
    case ExternalKind.global:
      r.u8();
      r.u8();
      break;
    case ExternalKind.tag:
      m.forbidden = 'exceptions proposal not enabled';
      r.u8();
      r.u32();
      break;
    default:
      throw new MalformedModule('malformed import kind', r.pos - 1);
  }
  return { module, name, kind, typeIndex };
}

function parseTable(r: Reader): TableType {
  const element = r.u8();
  const flags = r.u8();
  const min = r.u32();
  return { element, min, max: flags & 1 ? r.u32() : undefined };
}

function parseMemory(r: Reader): MemoryType {
  const flags = r.u8();
  const memory64 = (flags & 4) !== 0;
  const size = (): number => (memory64 ? Number(r.u64()) : r.u32());
  const min = size();
  const max = flags & 1 ? size() : undefined;
  return { min, max, memory64, shared: (flags & 2) !== 0 };
}

/**
 * A constant expression, which on the IC is a single constant or reference: there are no imported
 * globals, and no arithmetic. The range leaves out its `end`.
 */
function parseExpression(r: Reader): Range {
  const start = r.pos;
  for (;;) {
    const opcode = r.u8();
    switch (opcode) {
      case 0x0b:
        return { start, end: r.pos - 1 };
      case 0x41:
        r.s33();
        break;
      case 0x42:
        r.s64();
        break;
      case 0x43:
        r.take(4);
        break;
      case 0x44:
        r.take(8);
        break;
      case 0xd2:
        r.u32();
        break;
      case 0xd0:
        r.s33();
        break;
      case 0xfd:
        if (r.u32() !== 12) throw new MalformedModule('constant expression required', r.pos);
        r.take(16);
        break;
      default:
        throw new MalformedModule('constant expression required', r.pos - 1);
    }
  }
}

function parseElement(r: Reader): ElementSegment {
  const flags = r.u32();
  const passive = (flags & 1) !== 0;
  const explicit = (flags & 2) !== 0;
  const expressions = (flags & 4) !== 0;
  const mode = passive ? (explicit ? 'declared' : 'passive') : 'active';
  const table = !passive && explicit ? r.u32() : 0;
  const offset = passive ? undefined : parseExpression(r);
  let type: number = ValType.funcref;
  if (flags & 3) {
    const kind = r.u8();
    if (expressions) type = kind;
  }
  const functions = vector(r, () => {
    if (!expressions) return r.u32();
    const init = parseExpression(r);
    const opcode = r.bytes[init.start];
    return opcode === 0xd2 ? new Reader(r.bytes, init.start + 1).u32() : -1;
  });
  return { mode, table, offset, type, functions: Int32Array.from(functions) };
}

function parseData(r: Reader): DataSegment {
  const flags = r.u32();
  const memory = flags === 2 ? r.u32() : 0;
  const offset = flags === 1 ? undefined : parseExpression(r);
  const size = r.u32();
  const start = r.pos;
  r.take(size);
  return {
    mode: flags === 1 ? 'passive' : 'active',
    memory,
    offset,
    content: { start, end: r.pos },
  };
}
