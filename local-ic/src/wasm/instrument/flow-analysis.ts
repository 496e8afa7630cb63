import type { FunctionType } from '../module-format.js';
import { ValType } from '../module-format.js';
import { Op } from '../opcodes.js';
import { fastLoop, loopShape, type FastLoop, type LoopStart } from './fast-loops.js';
import { EMPTY_BLOCK, type FunctionCode } from './function-code.js';
import {
  constantBits,
  isPure,
  mayTrap,
  popCount,
  pushCount,
  resultBits,
} from './instruction-effects.js';
import { LocalValues } from './local-values.js';
import { Access, accessKind, accessWidth } from './memory-access.js';
import { Bits, isEither, joinBits, passes, rawShape, tolerates, yields } from './numeric-shapes.js';
import { NOWHERE, OperandStack } from './operand-stack.js';
import { PageChecks, Source } from './page-checks.js';
import { ROOT_CONST } from './roots.js';
import { ValueNumbers } from './value-numbers.js';

/** What the analysis needs to know of the module. */
export interface ModuleFacts {
  types: readonly FunctionType[];
  functionTypes: readonly number[];
  memory64: boolean;
}

const MAX_OFFSET = 2 ** 31;

interface Frame {
  op: number;
  row: number;
  height: number;
  params: number;
  results: number;
  /** `PageChecks.mark()` at the start. */
  mark: number;
  /** How many rows that set locals came before. */
  sets: number;
  /** Whether a branch goes to the end of this block. */
  targeted: boolean;
  /** State of the float locals where paths meet at the end, as far as seen. */
  joined: Uint8Array | undefined;
  /** State of the float locals at an `if`, for its `else`. */
  entry: Uint8Array | undefined;
  /** What is known at the start of a loop that may become a fast one. */
  candidate: LoopStart | undefined;
}

/**
 * Walks over a function once (again where loops make it necessary) with an abstract stack and finds
 * out: which code is dead, which pages must be checked where, and where NaNs must be made canonical.
 * Results are columns by row, valid until the next function.
 */
export class FlowAnalysis {
  readonly pages = new PageChecks();
  /** 1: the row can never run and is left out. */
  dead = new Uint8Array(1024);
  /** Raw (or either) shape to make canonical after the row, see `Bits`. */
  canonicalise = new Uint8Array(1024);
  /** For rows that set a flagged local: 1 exact, 2 raw. */
  setsRaw = new Uint8Array(1024);
  /** For calls: how many values stay on the stack below the arguments. */
  keptBelow = new Int32Array(1024);
  /** Locals (by index) that need a flag telling whether they are raw. */
  flagged = new Set<number>();
  /** Loops that get a fast version, by row. */
  readonly fastLoops = new Map<number, FastLoop>();

  private code!: FunctionCode;
  private module!: ModuleFacts;
  private type!: FunctionType;
  private readonly numbers = new ValueNumbers();
  private readonly stack = new OperandStack();
  private readonly locals = new LocalValues(this.numbers);
  private readonly frames: Frame[] = [];
  /** How many rows that set locals came before. */
  private setsPassed = 0;
  /** First row of the present run (see `PageChecks`). */
  private runStart = 0;
  /** Whether the function does any floating-point arithmetic. */
  private numeric = false;
  /** State of the locals' bits at the start of each loop, by row, as far as seen. */
  private readonly loopState = new Map<number, Uint8Array>();
  private unstable = false;

  /** `bytes`: the module, which `FunctionCode.pos` points into. */
  constructor(private readonly bytes: Uint8Array) {}

  /** Analyses the function that `code` holds, of the given type. */
  analyse(code: FunctionCode, type: FunctionType, module: ModuleFacts): void {
    this.code = code;
    this.module = module;
    this.type = type;
    this.flagged.clear();
    this.locals.strict.clear();
    this.loopState.clear();
    this.numeric = false;
    for (let row = 0; row < code.count && !this.numeric; row++) {
      this.numeric = yields[code.op[row]!] !== 0;
    }
    while (!this.walk());
  }

  /** One pass; returns whether nothing learnt in it would change it. */
  private walk(): boolean {
    const { code } = this;
    this.unstable = false;
    this.prepare();
    let skipped = 0;
    for (let row = 0; row < code.count; row++) {
      const id = code.op[row]!;
      if (skipped > 0) {
        if (id === Op.block || id === Op.loop || id === Op.if) skipped++;
        else if (id === Op.end) skipped--;
        else if (id === Op.localSet || id === Op.localTee) this.setsPassed++;
        if (skipped === 0 || (skipped === 1 && id === Op.else)) {
          skipped = 0;
          this.resume(id, row);
        } else {
          this.dead[row] = 1;
        }
        continue;
      }
      if (this.step(id, row)) skipped = 1;
    }
    return !this.unstable;
  }

  private prepare(): void {
    const { code, type } = this;
    const rows = code.count;
    if (this.dead.length <= rows) {
      this.dead = new Uint8Array(rows * 2);
      this.canonicalise = new Uint8Array(rows * 2);
      this.setsRaw = new Uint8Array(rows * 2);
      this.keptBelow = new Int32Array(rows * 2);
    }
    this.dead.fill(0, 0, rows + 1);
    this.canonicalise.fill(0, 0, rows + 1);
    this.setsRaw.fill(0, 0, rows + 1);
    this.pages.beginFunction(rows);
    this.fastLoops.clear();
    this.numbers.beginFunction();
    this.locals.beginFunction(type.params.length, type.params.length + code.localCount);
    this.stack.height = 0;
    this.setsPassed = 0;
    this.runStart = 0;
    this.frames.length = 0;
    this.pushFrame(Op.block, -1, 0, type.results.length);
  }

  /** One reachable instruction; returns whether what follows cannot be reached. */
  private step(id: number, row: number): boolean {
    const { code } = this;
    switch (id) {
      case Op.nop:
        return false;
      case Op.unreachable:
        this.endRun(row);
        return true;
      case Op.block:
      case Op.loop:
      case Op.if:
        this.open(id, row);
        return false;
      case Op.else:
        this.close(row, true);
        return false;
      case Op.end:
        this.close(row, false);
        return false;
      case Op.br:
        this.endRun(row);
        this.branch(code.a[row]!);
        return true;
      case Op.brIf:
        this.stack.pop();
        this.endRun(row);
        this.branch(code.a[row]!);
        return false;
      case Op.brTable:
        this.stack.pop();
        this.endRun(row);
        this.branchTable(row);
        return true;
      case Op.return:
        this.endRun(row);
        this.settle(this.type.results.length);
        return true;
      case Op.call:
        this.call(row, this.module.functionTypes[code.a[row]!]!);
        return false;
      case Op.callIndirect:
        this.stack.pop();
        this.call(row, code.a[row]!);
        return false;
      case Op.returnCall:
        this.call(row, this.module.functionTypes[code.a[row]!]!);
        return true;
      case Op.returnCallIndirect:
        this.stack.pop();
        this.call(row, code.a[row]!);
        return true;
      case Op.drop:
        this.stack.pop();
        return false;
      case Op.select:
      case Op.selectTyped:
        this.select(row);
        return false;
      case Op.localGet: {
        const local = code.a[row]!;
        const { root, offset, bits } = this.locals;
        this.stack.push(root[local]!, offset[local]!, local, row, bits[local]!);
        return false;
      }
      case Op.localSet:
      case Op.localTee:
        this.setLocal(id, row);
        return false;
      case Op.i32Const:
        if (this.module.memory64) this.pushNew(row, Bits.exact);
        else this.stack.push(ROOT_CONST, code.a[row]!, NOWHERE, row, Bits.exact);
        return false;
      case Op.i64Const:
        if (this.module.memory64 && code.b[row] === 1) {
          this.stack.push(ROOT_CONST, code.a[row]!, NOWHERE, row, Bits.exact);
        } else {
          this.pushNew(row, Bits.exact);
        }
        return false;
      case Op.f32Const:
      case Op.f64Const:
      case Op.v128Const:
        this.pushNew(row, constantBits(this.bytes, code, row));
        return false;
      case Op.memoryGrow:
      case Op.memoryCopy:
      case Op.memoryFill:
      case Op.memoryInit:
        this.endRun(row);
        this.generic(id, row);
        return false;
      default:
        if (accessKind[id] !== Access.none) this.access(id, row);
        else if (isPure[id]) this.pure(id, row);
        else {
          if (mayTrap[id]) this.endRun(row);
          this.generic(id, row);
        }
        return false;
    }
  }

  /** Ends a run of instructions that is only left at its end; the next one starts after `row`. */
  private endRun(row: number): void {
    this.pages.endRun();
    this.runStart = row + 1;
  }

  // ---- stack ----

  private pushNew(row: number, bits: number): void {
    this.stack.push(this.numbers.fresh(), 0, NOWHERE, row, bits);
  }

  /** Makes the value in `slot` exact: its NaNs canonical, where it was computed. */
  private makeExact(slot: number): void {
    const bits = this.stack.bits[slot]!;
    if (rawShape(bits) === 0) return;
    const row = this.stack.producer[slot]!;
    this.canonicalise[row] = bits;
    if (isEither(bits)) this.flagged.add(this.code.a[row]!);
    this.stack.bits[slot] = Bits.exact;
  }

  /** Makes the topmost `count` values exact. */
  private settle(count: number): void {
    const { height } = this.stack;
    for (let slot = height - count; slot < height; slot++) this.makeExact(slot);
  }

  private generic(id: number, row: number): void {
    const tolerated = tolerates[id]!;
    let passed: number = Bits.exact;
    for (let n = popCount[id]!; n > 0; n--) {
      const slot = this.stack.pop();
      const bits = this.stack.bits[slot]!;
      const shape = rawShape(bits);
      if (shape === 0) {
        if (bits === Bits.noNan && passes[id]) passed = Bits.noNan;
      } else if (shape !== tolerated || (passes[id] && isEither(bits))) {
        this.makeExact(slot);
      } else if (passes[id]) {
        passed = passes[id]!;
      }
    }
    if (pushCount[id] === 0) return;
    this.pushNew(row, yields[id] || (passes[id] ? passed : resultBits[id]!));
  }

  private select(row: number): void {
    const { stack } = this;
    stack.pop();
    const second = stack.pop();
    const first = stack.pop();
    const joined = joinBits(stack.bits[first]!, stack.bits[second]!);
    if (joined === -1 || isEither(joined)) {
      this.makeExact(first);
      this.makeExact(second);
      this.pushNew(row, Bits.exact);
    } else {
      this.pushNew(row, joined);
    }
  }

  private call(row: number, typeIndex: number): void {
    this.endRun(row);
    const type = this.module.types[typeIndex]!;
    this.settle(type.params.length);
    this.stack.height -= type.params.length;
    this.keptBelow[row] = this.stack.height;
    this.pushResults(type.results.length, row);
  }

  private pushResults(count: number, row: number): void {
    for (let i = 0; i < count; i++) this.pushNew(count === 1 ? row : NOWHERE, Bits.exact);
  }

  // ---- addresses ----

  private pure(id: number, row: number): void {
    const { stack } = this;
    const binary = popCount[id] === 2;
    const y = binary ? stack.pop() : 0;
    const x = stack.pop();
    const { root, offset } = stack;
    if (id === (this.module.memory64 ? Op.i64Add : Op.i32Add)) {
      const sum = offset[x]! + offset[y]!;
      if (Math.abs(sum) < MAX_OFFSET && (root[x] === ROOT_CONST || root[y] === ROOT_CONST)) {
        stack.push(root[x]! + root[y]!, sum, NOWHERE, row, Bits.exact);
        return;
      }
    } else if (id === (this.module.memory64 ? Op.i64Sub : Op.i32Sub)) {
      const difference = offset[x]! - offset[y]!;
      if (Math.abs(difference) < MAX_OFFSET && root[y] === ROOT_CONST) {
        stack.push(root[x]!, difference, NOWHERE, row, Bits.exact);
        return;
      }
    }
    const [rootY, offsetY] = binary ? [root[y]!, offset[y]!] : [NOWHERE, 0];
    const result = this.numbers.of(id, root[x]!, offset[x]!, rootY, offsetY);
    stack.push(result, 0, NOWHERE, row, Bits.exact);
  }

  private access(id: number, row: number): void {
    const { stack, locals } = this;
    const kind = accessKind[id]!;
    if (kind !== Access.load) this.makeExact(stack.pop());
    const slot = stack.pop();
    const root = stack.root[slot]!;
    const low = stack.offset[slot]! + (this.code.b[row]! >>> 0);
    const local = stack.local[slot]!;
    let source: number;
    let index = slot;
    let sourceOffset = stack.offset[slot]!;
    // As early in the run as the address is known, so that checks come together.
    let checkRow = row;
    if (root === ROOT_CONST) {
      source = Source.constant;
      sourceOffset = 0;
      checkRow = this.runStart;
    } else if (local !== NOWHERE && locals.root[local] === root) {
      source = Source.local;
      index = local;
      sourceOffset = locals.offset[local]!;
      if (locals.setRow[local]! < this.runStart) checkRow = this.runStart;
    } else if (kind === Access.load) {
      source = Source.top;
    } else {
      source = stack.producer[slot] === NOWHERE ? Source.below : Source.producer;
    }
    this.pages.access(
      checkRow,
      root,
      low,
      low + accessWidth[id]!,
      kind === Access.store,
      source,
      index,
      sourceOffset,
      stack.producer[slot]!,
    );
    if (kind !== Access.store) this.pushNew(row, Bits.exact);
  }

  // ---- locals ----

  private setLocal(id: number, row: number): void {
    const { stack, locals } = this;
    this.setsPassed++;
    const local = this.code.a[row]!;
    const slot = stack.height - 1;
    const bits = stack.bits[slot]!;
    if (isEither(bits) || (rawShape(bits) !== 0 && locals.strict.has(local))) this.makeExact(slot);
    locals.root[local] = stack.root[slot]!;
    locals.offset[local] = stack.offset[slot]!;
    locals.bits[local] = stack.bits[slot]!;
    locals.setRow[local] = row;
    this.setsRaw[row] = rawShape(stack.bits[slot]!) !== 0 ? 2 : 1;
    if (id === Op.localSet) {
      stack.pop();
    } else {
      stack.local[slot] = local;
      stack.producer[slot] = row;
    }
  }

  private snapshot(): Uint8Array | undefined {
    return this.numeric ? this.locals.snapshotBits() : undefined;
  }

  /** Joins the state here into one seen before; a new clash of shapes calls for another pass. */
  private join(state: Uint8Array): boolean {
    const { strict } = this.locals;
    const clashes = strict.size;
    const changed = this.locals.joinBitsInto(state);
    if (strict.size !== clashes) this.unstable = true;
    return changed;
  }

  // ---- control ----

  private blockType(row: number): FunctionType {
    const type = this.code.a[row]!;
    if (type === EMPTY_BLOCK) return noValues;
    if (type >= 0) return this.module.types[type]!;
    return oneValue;
  }

  private pushFrame(op: number, row: number, params: number, results: number): void {
    this.frames.push({
      op,
      row,
      height: this.stack.height - params,
      params,
      results,
      mark: this.pages.mark(),
      sets: this.setsPassed,
      targeted: false,
      joined: undefined,
      entry: op === Op.if ? this.snapshot() : undefined,
      candidate: undefined,
    });
  }

  private open(id: number, row: number): void {
    if (id === Op.if) this.stack.pop();
    this.endRun(row);
    const type = this.blockType(row);
    const params = type.params.length;
    this.settle(params);
    this.pushFrame(id, row, params, type.results.length);
    this.stack.height -= params;
    this.pushResults(params, NOWHERE);
    if (id === Op.loop) this.enterLoop(row);
  }

  /** At a loop's start: what its body sets is unknown; floats are what any iteration leaves. */
  private enterLoop(row: number): void {
    const { code } = this;
    const end = code.partner[row]!;
    let last = this.setsPassed;
    while (last < code.setCount && code.setRow[last]! < end) last++;
    const firstRoot = this.numbers.upcoming;
    this.locals.renumber(code, this.setsPassed, last);
    if (code.innermost[row]) this.startFastLoop(row, firstRoot, last);
    if (!this.numeric) return;
    const known = this.loopState.get(row);
    if (!known) {
      this.loopState.set(row, this.locals.snapshotBits());
      return;
    }
    this.join(known);
    this.locals.bits.set(known);
  }

  private startFastLoop(row: number, firstRoot: number, lastSet: number): void {
    const shape = loopShape(this.code, row);
    if (!shape) return;
    const { setRow, a } = this.code;
    const movedLocals = new Map<number, number>();
    for (let i = this.setsPassed; i < lastSet; i++) {
      const local = a[setRow[i]!]!;
      movedLocals.set(this.locals.root[local]!, local);
    }
    this.frames.at(-1)!.candidate = {
      shape,
      movedLocals,
      firstRoot,
      checks: this.pages.checkCount,
    };
  }

  private endFastLoop(frame: Frame): void {
    const { candidate } = frame;
    if (!candidate) return;
    const { pages, module, numbers, locals } = this;
    const loop = fastLoop(candidate, pages, module.memory64, numbers, locals);
    if (loop) this.fastLoops.set(frame.row, loop);
  }

  private branch(depth: number): void {
    const frame = this.frames[this.frames.length - 1 - depth]!;
    if (frame.op === Op.loop) {
      this.endFastLoop(frame);
      this.settle(frame.params);
      if (!this.numeric) return;
      if (this.join(this.loopState.get(frame.row)!)) this.unstable = true;
      return;
    }
    this.settle(frame.results);
    frame.targeted = true;
    this.joinFrame(frame);
  }

  private joinFrame(frame: Frame): void {
    if (!this.numeric) return;
    if (frame.joined) this.join(frame.joined);
    else frame.joined = this.snapshot();
  }

  private branchTable(row: number): void {
    const { code, bytes } = this;
    let at = code.pos[row]! + 1;
    const next = (): number => {
      let result = 0;
      for (let shift = 0; ; shift += 7) {
        const byte = bytes[at++]!;
        result |= (byte & 0x7f) << shift;
        if (byte < 0x80) return result;
      }
    };
    for (let count = next() + 1; count > 0; count--) this.branch(next());
  }

  /** An `else` or `end` that is reached by falling through. */
  private close(row: number, isElse: boolean): void {
    this.endRun(row);
    const frame = this.frames[this.frames.length - 1]!;
    this.settle(frame.results);
    // The end of a loop is reached in no other way.
    if (frame.op !== Op.loop) this.joinFrame(frame);
    this.leave(frame, row, isElse, true);
  }

  /** An `else` or `end` after code that ends in a jump. */
  private resume(id: number, row: number): void {
    this.runStart = row + 1;
    const frame = this.frames[this.frames.length - 1]!;
    this.leave(frame, row, id === Op.else, false);
  }

  private leave(frame: Frame, row: number, isElse: boolean, fallsThrough: boolean): void {
    const meets = frame.op === Op.if || frame.targeted || !fallsThrough;
    if (meets) {
      this.pages.forget(frame.mark);
      this.locals.renumber(this.code, frame.sets, this.setsPassed);
    }
    this.stack.height = frame.height;
    if (isElse) {
      frame.targeted = true;
      if (frame.entry) this.locals.bits.set(frame.entry);
      frame.entry = undefined;
      this.pushResults(frame.params, NOWHERE);
      return;
    }
    this.frames.pop();
    if (this.numeric && frame.op !== Op.loop) {
      // An `if` without `else` may also have been passed over.
      if (frame.entry) {
        this.locals.bits.set(frame.entry);
        this.joinFrame(frame);
      }
      if (frame.joined) this.locals.bits.set(frame.joined);
    }
    this.pushResults(frame.results, row);
  }
}

const noValues: FunctionType = { params: new Uint8Array(), results: new Uint8Array() };
const oneValue: FunctionType = { params: new Uint8Array(), results: Uint8Array.of(ValType.i32) };
