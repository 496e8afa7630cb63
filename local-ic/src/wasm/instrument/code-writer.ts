import type { Writer } from '../binary.js';
import { ValType } from '../module-format.js';
import { Op } from '../opcodes.js';
import type { Additions } from './additions.js';
import type { FunctionCode } from './function-code.js';
import { READ_MAP, STOPPED_BY_LIMIT, WRITE_MAP } from './layout.js';
import { Bits, rawShape } from './numeric-shapes.js';
import { Source } from './page-checks.js';

/** The type that holds a raw shape (see `Bits`), by shape. */
export const shapeTypes = [0, ValType.f32, ValType.f64, ValType.v128, ValType.v128];

/** The type of a block without parameters and results. */
export const EMPTY_BLOCK_TYPE = 0x40;

/** Writes the pieces that instrumented code is made of: charges, checks of pages, canonical NaNs. */
export class CodeWriter {
  /** Branch hints of the function last written: offsets from the start of its body. */
  readonly hints: number[] = [];
  protected out!: Writer;
  private readonly temporaries = new Map<string, number>();
  private readonly temporaryTypes: number[] = [];
  private firstTemporary = 0;
  private bodyStart = 0;

  constructor(
    protected readonly source: Uint8Array,
    protected readonly add: Additions,
  ) {}

  /** Starts a function body at the end of `out`. */
  protected begin(out: Writer, locals: number): void {
    this.out = out;
    this.bodyStart = out.length;
    this.hints.length = 0;
    this.temporaries.clear();
    this.temporaryTypes.length = 0;
    this.firstTemporary = locals;
  }

  // ---- locals ----

  protected temporary(key: string, type: number): number {
    let index = this.temporaries.get(key);
    if (index === undefined) {
      index = this.firstTemporary + this.temporaryTypes.length;
      this.temporaries.set(key, index);
      this.temporaryTypes.push(type);
    }
    return index;
  }

  protected addressTemporary(slot: number): number {
    return this.temporary(`a${slot}`, this.add.memory64 ? ValType.i64 : ValType.i32);
  }

  protected flagOf(local: number): number {
    return this.temporary(`flag${local}`, ValType.i32);
  }

  protected valueTemporary(type: number): number {
    return this.temporary(`v${type}`, type);
  }

  /** Declares the function's own locals and the temporaries asked for so far. */
  protected locals(code: FunctionCode): void {
    const { out } = this;
    out.u32(code.localTypes.length + this.temporaryTypes.length);
    code.localTypes.forEach((type, i) => {
      out.u32(code.localCounts[i]!);
      out.u8(type);
    });
    for (const type of this.temporaryTypes) {
      out.u32(1);
      out.u8(type);
    }
  }

  // ---- single instructions ----

  protected flush(start: number, end: number): void {
    if (end > start) this.out.copy(this.source, start, end);
  }

  protected instruction(id: number, immediate: number): void {
    this.out.u8(id);
    this.out.u32(immediate);
  }

  protected constant64(value: number): void {
    this.out.u8(Op.i64Const);
    this.out.signed(value);
  }

  protected constant(value: number): void {
    this.out.u8(Op.i32Const);
    this.out.signed(value);
  }

  /** An `if` without result whose body is hardly ever run. */
  protected unlikely(): void {
    this.hints.push(this.out.length - this.bodyStart);
    this.out.u8(Op.if);
    this.out.u8(EMPTY_BLOCK_TYPE);
  }

  // ---- metering ----

  protected charge(cost: number, checked: boolean): void {
    const { out } = this;
    const { counter, reason } = this.add.globals;
    if (cost > 0) {
      this.instruction(Op.globalGet, counter);
      this.constant64(cost);
      out.u8(Op.i64Sub);
      this.instruction(Op.globalSet, counter);
    }
    if (!checked) return;
    this.instruction(Op.globalGet, counter);
    out.u8(Op.i64Const);
    out.u8(0);
    out.u8(Op.i64LtS);
    this.unlikely();
    this.constant(STOPPED_BY_LIMIT);
    this.instruction(Op.globalSet, reason);
    out.u8(Op.unreachable);
    out.u8(Op.end);
  }

  // ---- pages ----

  protected check(source: number, index: number, low: number, high: number, write: boolean): void {
    const { out } = this;
    const base =
      source === Source.constant
        ? -1
        : source === Source.local
          ? index
          : this.addressTemporary(index);
    const map = write ? WRITE_MAP : READ_MAP;
    const needsLow = !Number.isNaN(low);
    const needsHigh = !Number.isNaN(high);
    if (needsLow) this.state(base, low, map);
    if (needsHigh) this.state(base, high, map);
    if (needsLow && needsHigh) out.u8(Op.i32And);
    out.u8(Op.i32Eqz);
    this.unlikely();
    this.address(base, needsLow ? low : high);
    this.address(base, needsHigh ? high : low);
    this.instruction(Op.call, write ? this.add.host.touchWrite : this.add.host.touchRead);
    out.u8(Op.end);
  }

  /** Pushes the map's entry for the page of `base + delta`. */
  protected state(base: number, delta: number, map: number): void {
    this.address(base, delta);
    this.lookUp(map);
  }

  /** Replaces an address by the map's entry for its page. */
  protected lookUp(map: number): void {
    const { out } = this;
    if (this.add.memory64) {
      out.u8(Op.i64Const);
      out.u8(16);
      out.u8(Op.i64ShrU);
    } else {
      this.constant(16);
      out.u8(Op.i32ShrU);
    }
    out.u8(Op.i32Load8U);
    out.u8(0);
    out.u32(map);
  }

  protected address(base: number, delta: number): void {
    const { out } = this;
    const { memory64 } = this.add;
    if (base >= 0) this.instruction(Op.localGet, base);
    if (base >= 0 && delta === 0) return;
    out.u8(memory64 ? Op.i64Const : Op.i32Const);
    out.signed(memory64 ? delta : delta | 0);
    if (base >= 0) out.u8(memory64 ? Op.i64Add : Op.i32Add);
  }

  // ---- NaNs ----

  /** Makes the value on top of the stack canonical. */
  protected canonical(shape: number): void {
    const { out } = this;
    const temporary = this.valueTemporary(shapeTypes[shape]!);
    this.instruction(Op.localSet, temporary);
    switch (shape) {
      case Bits.rawF32:
        out.u8(Op.f32Const);
        out.copy(CANONICAL_F32);
        break;
      case Bits.rawF64:
        out.u8(Op.f64Const);
        out.copy(CANONICAL_F64);
        break;
      default:
        out.u8(0xfd);
        out.u8(12);
        for (let i = 0; i < (shape === Bits.rawF32x4 ? 4 : 2); i++) {
          out.copy(shape === Bits.rawF32x4 ? CANONICAL_F32 : CANONICAL_F64);
        }
    }
    this.instruction(Op.localGet, temporary);
    this.instruction(Op.localGet, temporary);
    this.instruction(Op.localGet, temporary);
    switch (shape) {
      case Bits.rawF32:
        out.u8(Op.f32Ne);
        out.u8(Op.select);
        break;
      case Bits.rawF64:
        out.u8(Op.f64Ne);
        out.u8(Op.select);
        break;
      default:
        out.u8(0xfd);
        out.u8(shape === Bits.rawF32x4 ? F32X4_NE : F64X2_NE);
        out.u8(0xfd);
        out.u8(V128_BITSELECT);
    }
  }

  /** Makes a local canonical if its flag says that it is raw. */
  protected exactLocal(local: number, bits: number): void {
    const { out } = this;
    const flag = this.flagOf(local);
    this.instruction(Op.localGet, flag);
    out.u8(Op.if);
    out.u8(EMPTY_BLOCK_TYPE);
    this.instruction(Op.localGet, local);
    this.canonical(rawShape(bits));
    this.instruction(Op.localSet, local);
    this.constant(0);
    this.instruction(Op.localSet, flag);
    out.u8(Op.end);
  }
}

const F32X4_NE = 0x42;
const F64X2_NE = 0x48;
const V128_BITSELECT = 0x52;
const CANONICAL_F32 = Uint8Array.of(0, 0, 0xc0, 0x7f);
const CANONICAL_F64 = Uint8Array.of(0, 0, 0, 0, 0, 0, 0xf8, 0x7f);
