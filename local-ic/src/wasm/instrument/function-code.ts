import { MalformedModule, Reader } from '../binary.js';
import type { Range } from '../module-format.js';
import { Imm, instructions, Op, OPCODE_COUNT } from '../opcodes.js';

const immediates = Uint8Array.from({ length: OPCODE_COUNT }, (_, id) => {
  const instruction = instructions[id];
  return instruction ? instruction.imm : 0xff;
});

/** Block types: `EMPTY_BLOCK`, a negative value type, or the index of a function type. */
export const EMPTY_BLOCK = -64;

/**
 * The instructions of one function as columns, one row an instruction. The columns are kept and
 * overwritten from function to function, so that a large module makes no garbage.
 */
export class FunctionCode {
  /** Number of instructions, the final `end` included. */
  count = 0;
  /** Instruction id (see `opcodes.ts`). */
  op = new Uint16Array(1024);
  /** Byte offset in the module; `pos[count]` is the end of the body. */
  pos = new Int32Array(1025);
  /** First immediate: index, block type, `i32.const` value, alignment. */
  a = new Int32Array(1024);
  /** Second immediate: index, memory offset (unsigned, saturated at 2^32 - 1), lane. */
  b = new Int32Array(1024);
  /** Row of the matching `end` for `block`, `loop`, `if` and `else`; of the `else` for `if`. */
  partner = new Int32Array(1024);
  /** 1 for a `loop` with no loop inside of it. */
  innermost = new Uint8Array(1024);
  /** Local variables declared (without parameters): types and how many of each. */
  localTypes: number[] = [];
  localCounts: number[] = [];
  localCount = 0;
  /** Where the instructions start, after the declarations of locals. */
  start = 0;
  /** Rows of `local.set` and `local.tee`, in order. */
  setCount = 0;
  setRow = new Int32Array(256);

  private openBlocks: number[] = [];

  /** Reads the body at `range`. Throws `MalformedModule` on an instruction the IC does not know. */
  decode(bytes: Uint8Array, range: Range): void {
    const r = new Reader(bytes, range.start, range.end);
    this.localTypes.length = 0;
    this.localCounts.length = 0;
    this.localCount = 0;
    for (let groups = r.u32(); groups > 0; groups--) {
      const count = r.u32();
      this.localCounts.push(count);
      this.localTypes.push(r.u8());
      this.localCount += count;
    }
    this.start = r.pos;
    this.count = 0;
    this.setCount = 0;
    this.openBlocks.length = 0;
    while (r.pos < range.end) this.decodeOne(r);
    this.pos[this.count] = range.end;
  }

  private decodeOne(r: Reader): void {
    const row = this.count;
    if (row + 1 >= this.op.length) this.grow();
    this.pos[row] = r.pos;
    let id = r.u8();
    if (id === 0xfc || id === 0xfd) {
      const sub = r.u32();
      id = sub > 0xff ? 0xff : (id === 0xfc ? 0x100 : 0x200) + sub;
    }
    this.op[row] = id;
    let a = 0;
    let b = 0;
    switch (immediates[id]) {
      case Imm.none:
        break;
      case Imm.index:
      case Imm.memory:
        a = r.u32();
        if (id === Op.localSet || id === Op.localTee) this.addSet(row);
        break;
      case Imm.memarg:
        a = r.u32();
        b = this.memoryOffset(r);
        break;
      case Imm.memargLane:
        a = r.u32();
        b = this.memoryOffset(r);
        r.u8();
        break;
      case Imm.blockType:
        a = r.s33();
        break;
      case Imm.brTable:
        a = r.u32();
        for (let i = 0; i <= a; i++) r.u32();
        break;
      case Imm.twoIndices:
      case Imm.twoMemories:
        a = r.u32();
        b = r.u32();
        break;
      case Imm.i32:
        a = r.s33();
        break;
      case Imm.i64: {
        // Only offsets that fit an i32 matter to the instrumentation (b = 1).
        const value = r.s64();
        a = Number(BigInt.asIntN(32, value));
        b = BigInt(a) === value ? 1 : 0;
        break;
      }
      case Imm.f32:
        r.take(4);
        break;
      case Imm.f64:
        r.take(8);
        break;
      case Imm.v128:
        r.take(16);
        break;
      case Imm.lane:
        a = r.u8();
        break;
      case Imm.refType:
        a = r.s33();
        break;
      case Imm.selectTypes:
        a = r.sized()[0] ?? 0;
        break;
      default:
        throw new MalformedModule('illegal opcode', this.pos[row]);
    }
    this.a[row] = a;
    this.b[row] = b;
    this.matchBlocks(id, row);
    this.count++;
  }

  private memoryOffset(r: Reader): number {
    const start = r.pos;
    try {
      return r.u32() | 0;
    } catch {
      r.pos = start;
      r.u64();
      return -1;
    }
  }

  private matchBlocks(id: number, row: number): void {
    if (id === Op.block || id === Op.loop || id === Op.if) {
      this.partner[row] = -1;
      if (id === Op.loop) {
        for (const outer of this.openBlocks) this.innermost[outer] = 0;
        this.innermost[row] = 1;
      }
      this.openBlocks.push(row);
    } else if (id === Op.else) {
      const opener = this.openBlocks.pop();
      if (opener !== undefined) this.partner[opener] = row;
      this.openBlocks.push(row);
    } else if (id === Op.end) {
      const opener = this.openBlocks.pop();
      if (opener !== undefined) this.partner[opener] = row;
    }
  }

  private addSet(row: number): void {
    if (this.setCount === this.setRow.length) this.setRow = enlarged(this.setRow);
    this.setRow[this.setCount++] = row;
  }

  private grow(): void {
    const op = new Uint16Array(this.op.length * 2);
    op.set(this.op);
    this.op = op;
    this.pos = enlarged(this.pos);
    this.a = enlarged(this.a);
    this.b = enlarged(this.b);
    this.partner = enlarged(this.partner);
    const innermost = new Uint8Array(this.op.length);
    innermost.set(this.innermost);
    this.innermost = innermost;
  }
}

/** A copy of twice the length, the rest zero. */
export function enlarged(array: Int32Array<ArrayBuffer>): Int32Array<ArrayBuffer> {
  const copy = new Int32Array(array.length * 2);
  copy.set(array);
  return copy;
}
