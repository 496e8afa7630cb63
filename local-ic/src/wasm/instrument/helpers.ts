import { Writer } from '../binary.js';
import { ValType } from '../module-format.js';
import { limits } from '../../costs/index.js';
import { HEAP_START, STOPPED_BY_LIMIT, WRITE_MAP, READ_MAP } from './layout.js';
import type { Additions } from './additions.js';

const LARGEST_OPERATION = limits.instructions.largestSingleMemoryOperation;

/** Writes WebAssembly instructions one by one: what the added functions are made of. */
class Assembler {
  readonly out = new Writer();

  constructor(
    private readonly add: Additions,
    private readonly host: Record<
      'rangeRead' | 'rangeWrite' | 'outOfBounds' | 'sliceOverrun',
      number
    >,
    locals: readonly (readonly [count: number, type: number])[] = [],
  ) {
    this.out.u32(locals.length);
    for (const [count, type] of locals) {
      this.out.u32(count);
      this.out.u8(type);
    }
  }

  op(...bytes: number[]): this {
    for (const byte of bytes) this.out.u8(byte);
    return this;
  }
  with(opcode: number, immediate: number): this {
    this.out.u8(opcode);
    this.out.u32(immediate);
    return this;
  }
  get(local: number): this {
    return this.with(0x20, local);
  }
  set(local: number): this {
    return this.with(0x21, local);
  }
  i32(value: number): this {
    this.out.u8(0x41);
    this.out.signed(value);
    return this;
  }
  i64(value: number): this {
    this.out.u8(0x42);
    this.out.signed(value);
    return this;
  }
  address(value: number): this {
    return this.add.memory64 ? this.i64(value) : this.i32(value);
  }
  /** Emits the 32-bit or the 64-bit opcode, as the memory is wide. */
  sized(op32: number, op64: number): this {
    return this.op(this.add.memory64 ? op64 : op32);
  }
  call(name: 'rangeRead' | 'rangeWrite' | 'outOfBounds' | 'sliceOverrun'): this {
    return this.with(0x10, this.host[name]);
  }
  end(): this {
    return this.op(0x0b);
  }

  /** Charges one instruction a unit of `length`; ends the run if the counter falls below 0. */
  chargeBySize(length: number, lengthIs64: boolean): this {
    const { counter, reason } = this.add.globals;
    const extended = (): this => {
      this.get(length);
      return lengthIs64 ? this : this.op(0xad);
    };
    extended().i64(LARGEST_OPERATION).op(0x56, 0x04, 0x40); // i64.gt_u, if
    extended().call('sliceOverrun').end();
    this.with(0x23, counter);
    extended().op(0x7d).with(0x24, counter);
    return this.with(0x23, counter)
      .i64(0)
      .op(0x53, 0x04, 0x40) // i64.lt_s, if
      .i32(STOPPED_BY_LIMIT)
      .with(0x24, reason)
      .op(0x00)
      .end();
  }

  /**
   * Makes `[start, start + length)` readable or writable: at once if it lies on two pages that are
   * so already, else by the host.
   */
  touchRange(start: number, length: number, write: boolean): this {
    const entry = (): this => {
      this.address(16).sized(0x76, 0x88).op(0x2d, 0x00);
      this.out.u32(write ? WRITE_MAP : READ_MAP);
      return this;
    };
    this.op(0x02, 0x40); // block
    // Not empty and at most 64 KiB: (length - 1) < 65536, unsigned.
    this.get(length).address(1).sized(0x6b, 0x7d).address(65536).sized(0x49, 0x54);
    this.op(0x04, 0x40);
    this.get(start);
    entry();
    this.get(start).get(length).sized(0x6a, 0x7c).address(1).sized(0x6b, 0x7d);
    entry();
    this.op(0x71).with(0x0d, 1).end();
    this.get(start).get(length);
    return this.call(write ? 'rangeWrite' : 'rangeRead').end();
  }

  heap(local: number): this {
    return this.get(local).address(HEAP_START).sized(0x6a, 0x7c);
  }

  finish(): Uint8Array {
    return this.end().out.finish();
  }
}

type HostIndices = ConstructorParameters<typeof Assembler>[1];

/** `memory.fill` with charge and page checks: (start, value, length). */
export function fillFunction(add: Additions, host: HostIndices): Uint8Array {
  return new Assembler(add, host)
    .chargeBySize(2, add.memory64)
    .touchRange(0, 2, true)
    .heap(0)
    .get(1)
    .get(2)
    .op(0xfc, 11, 0)
    .finish();
}

/** `memory.copy` with charge and page checks: (to, from, length). */
export function copyFunction(add: Additions, host: HostIndices): Uint8Array {
  return new Assembler(add, host)
    .chargeBySize(2, add.memory64)
    .touchRange(1, 2, false)
    .touchRange(0, 2, true)
    .heap(0)
    .heap(1)
    .get(2)
    .op(0xfc, 10, 0, 0)
    .finish();
}

/** `memory.init` of one segment: (to, from: i32, length: i32). */
export function initFunction(add: Additions, host: HostIndices, segment: number): Uint8Array {
  const addressType = add.memory64 ? ValType.i64 : ValType.i32;
  const length = 3;
  const asm = new Assembler(add, host, [[1, addressType]]);
  asm.chargeBySize(2, false).get(2);
  if (add.memory64) asm.op(0xad);
  asm.set(length);
  // A dropped segment is empty: only nothing can be copied from its start.
  const dropped = add.globals.dropped.get(segment);
  if (dropped !== undefined) {
    asm.with(0x23, dropped).op(0x04, 0x40);
    asm.get(1).get(2).op(0x72, 0x04, 0x40).call('outOfBounds').end().end();
  }
  asm.touchRange(0, length, true);
  asm.heap(0).get(1).get(2).op(0xfc, 8);
  asm.out.u32(segment);
  return asm.op(0).finish();
}

const loads = new Map<number, readonly number[]>([
  [ValType.i32, [0x28, 2]],
  [ValType.i64, [0x29, 3]],
  [ValType.f32, [0x2a, 2]],
  [ValType.f64, [0x2b, 3]],
  [ValType.v128, [0xfd, 0, 4]],
]);
const stores = new Map<number, readonly number[]>([
  [ValType.i32, [0x36, 2]],
  [ValType.i64, [0x37, 3]],
  [ValType.f32, [0x38, 2]],
  [ValType.f64, [0x39, 3]],
  [ValType.v128, [0xfd, 11, 4]],
]);

/** A mutable global: its index and type. */
export interface MutableGlobal {
  index: number;
  type: number;
}

/** Writes the globals, 16 bytes each, to the area whose address is the parameter. */
export function saveFunction(
  add: Additions,
  host: HostIndices,
  globals: readonly MutableGlobal[],
): Uint8Array {
  const asm = new Assembler(add, host);
  globals.forEach(({ index, type }, i) => {
    asm.get(0).with(0x23, index);
    asm.op(...stores.get(type)!);
    asm.out.u32(16 * i);
  });
  return asm.finish();
}

/** Reads the globals back from the area whose address is the parameter. */
export function loadFunction(
  add: Additions,
  host: HostIndices,
  globals: readonly MutableGlobal[],
): Uint8Array {
  const asm = new Assembler(add, host);
  globals.forEach(({ index, type }, i) => {
    asm.get(0).op(...loads.get(type)!);
    asm.out.u32(16 * i);
    asm.with(0x24, index);
  });
  return asm.finish();
}

/** Calls an entry of table 0 of type `typeIndex`: (index: i32, argument). */
export function callbackFunction(add: Additions, host: HostIndices, typeIndex: number): Uint8Array {
  const asm = new Assembler(add, host);
  return asm.get(1).get(0).with(0x11, typeIndex).op(0).finish();
}
