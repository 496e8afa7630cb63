import type { FunctionType } from '../module-format.js';
import { ValType } from '../module-format.js';
import { instructions, Op, OPCODE_COUNT } from '../opcodes.js';
import {
  fastLoop,
  isLinear,
  loopShape,
  type FastLoop,
  type LoopStart,
  type RootExpression,
} from './fast-loops.js';
import { EMPTY_BLOCK, enlarged, type FunctionCode } from './function-code.js';
import { Access, accessKind, accessWidth } from './memory-access.js';
import { Bits, isEither, joinBits, passes, rawShape, tolerates, yields } from './numeric-shapes.js';
import { PageChecks, Source } from './page-checks.js';

/** What the analysis needs to know of the module. */
export interface ModuleFacts {
  types: readonly FunctionType[];
  functionTypes: readonly number[];
  memory64: boolean;
}

/** The value of a local or of a stack slot: `ROOT_CONST` plus an offset is a constant. */
const ROOT_CONST = 0;
const NOWHERE = -1;
const MAX_OFFSET = 2 ** 31;

const popCount = new Uint8Array(OPCODE_COUNT);
const pushCount = new Uint8Array(OPCODE_COUNT);
/** Instructions on integers whose result depends on nothing but their operands. */
const isPure = new Uint8Array(OPCODE_COUNT);
/** Instructions that may trap, besides memory accesses. */
const mayTrap = new Uint8Array(OPCODE_COUNT);
instructions.forEach((instruction, id) => {
  if (!instruction) return;
  popCount[id] = instruction.params.length;
  pushCount[id] = instruction.results.length;
  const operation = instruction.name.split('.')[1] ?? '';
  if (/^(div|rem)_|^trunc_f/.test(operation) && /^i(32|64)\./.test(instruction.name)) {
    mayTrap[id] = 1;
  } else if (/^[iI]{1,2}$/.test(instruction.params) && /^[iI]$/.test(instruction.results)) {
    isPure[id] = 1;
  }
});

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
  /** Whether the function does any floating-point arithmetic. */
  private numeric = false;
  private strict = new Set<number>();
  private loopState = new Map<number, Uint8Array>();
  private unstable = false;

  private code!: FunctionCode;
  private module!: ModuleFacts;
  private type!: FunctionType;
  private frames: Frame[] = [];
  private setsPassed = 0;
  private roots = 1;
  private localRoot = new Int32Array(256);
  private localOffset = new Float64Array(256);
  private localBits = new Uint8Array(256);
  private localTotal = 0;
  /** Row that last set the local. */
  private localSetRow = new Int32Array(256);
  private runStart = 0;

  private height = 0;
  private root = new Int32Array(256);
  private offset = new Float64Array(256);
  private fromLocal = new Int32Array(256);
  private producer = new Int32Array(256);
  private bits = new Uint8Array(256);

  /** Loops that get a fast version, by row. */
  readonly fastLoops = new Map<number, FastLoop>();
  private expressions = new Map<number, RootExpression>();
  // Hash table from pure operations on roots to the root of their result.
  private hashRoot = new Int32Array(4096);
  private hashFunction = new Int32Array(4096);
  private hashKeys = new Float64Array(4096 * 4);
  private functionNumber = 0;

  /** Analyses the function that `code` holds, of the given type. */
  analyse(code: FunctionCode, type: FunctionType, module: ModuleFacts): void {
    this.code = code;
    this.module = module;
    this.type = type;
    this.flagged.clear();
    this.strict.clear();
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
    this.expressions.clear();
    this.functionNumber++;
    this.roots = 1;
    this.height = 0;
    this.setsPassed = 0;
    this.runStart = 0;
    this.frames.length = 0;
    const parameters = type.params.length;
    this.localTotal = parameters + code.localCount;
    while (this.localRoot.length < this.localTotal) {
      this.localRoot = enlarged(this.localRoot);
      this.localOffset = new Float64Array(this.localRoot.length);
      this.localSetRow = new Int32Array(this.localRoot.length);
      this.localBits = new Uint8Array(this.localRoot.length);
    }
    for (let i = 0; i < this.localTotal; i++) {
      this.localRoot[i] = i < parameters ? this.roots++ : ROOT_CONST;
      this.localOffset[i] = 0;
      this.localSetRow[i] = NOWHERE;
      this.localBits[i] = i < parameters ? Bits.exact : Bits.noNan;
    }
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
        this.pop();
        this.endRun(row);
        this.branch(code.a[row]!);
        return false;
      case Op.brTable:
        this.pop();
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
        this.pop();
        this.call(row, code.a[row]!);
        return false;
      case Op.returnCall:
        this.call(row, this.module.functionTypes[code.a[row]!]!);
        return true;
      case Op.returnCallIndirect:
        this.pop();
        this.call(row, code.a[row]!);
        return true;
      case Op.drop:
        this.pop();
        return false;
      case Op.select:
      case Op.selectTyped:
        this.select(row);
        return false;
      case Op.localGet: {
        const local = code.a[row]!;
        this.push(
          this.localRoot[local]!,
          this.localOffset[local]!,
          local,
          row,
          this.localBits[local]!,
        );
        return false;
      }
      case Op.localSet:
      case Op.localTee:
        this.setLocal(id, row);
        return false;
      case Op.i32Const:
        this.push(
          this.module.memory64 ? this.roots++ : ROOT_CONST,
          code.a[row]!,
          NOWHERE,
          row,
          Bits.exact,
        );
        return false;
      case Op.i64Const:
        if (this.module.memory64 && code.b[row] === 1) {
          this.push(ROOT_CONST, code.a[row]!, NOWHERE, row, Bits.exact);
        } else {
          this.pushNew(row, Bits.exact);
        }
        return false;
      case Op.f32Const:
      case Op.f64Const:
      case Op.v128Const:
        this.pushNew(row, this.constantBits(id, row));
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

  private push(root: number, offset: number, local: number, row: number, bits: number): void {
    const h = this.height++;
    if (h === this.root.length) this.growStack();
    this.root[h] = root;
    this.offset[h] = offset;
    this.fromLocal[h] = local;
    this.producer[h] = row;
    this.bits[h] = bits;
  }

  private pushNew(row: number, bits: number): void {
    this.push(this.roots++, 0, NOWHERE, row, bits);
  }

  /** Pops a value whose bits do not matter any more; returns its slot. */
  private pop(): number {
    return --this.height;
  }

  private growStack(): void {
    this.root = enlarged(this.root);
    this.fromLocal = enlarged(this.fromLocal);
    this.producer = enlarged(this.producer);
    const offset = new Float64Array(this.root.length);
    offset.set(this.offset);
    this.offset = offset;
    const bits = new Uint8Array(this.root.length);
    bits.set(this.bits);
    this.bits = bits;
  }

  /** Makes the value in `slot` exact: its NaNs canonical, where it was computed. */
  private makeExact(slot: number): void {
    const bits = this.bits[slot]!;
    if (rawShape(bits) === 0) return;
    const row = this.producer[slot]!;
    this.canonicalise[row] = bits;
    if (isEither(bits)) this.flag(this.code.a[row]!);
    this.bits[slot] = Bits.exact;
  }

  /** Makes the topmost `count` values exact. */
  private settle(count: number): void {
    for (let slot = this.height - count; slot < this.height; slot++) this.makeExact(slot);
  }

  private generic(id: number, row: number): void {
    const tolerated = tolerates[id]!;
    let passed: number = Bits.exact;
    for (let n = popCount[id]!; n > 0; n--) {
      const slot = this.pop();
      const shape = rawShape(this.bits[slot]!);
      if (shape === 0) {
        if (this.bits[slot] === Bits.noNan && passes[id]) passed = Bits.noNan;
        continue;
      }
      if (shape !== tolerated || (passes[id] && isEither(this.bits[slot]!))) this.makeExact(slot);
      else if (passes[id]) passed = passes[id]!;
    }
    if (pushCount[id] === 0) return;
    this.pushNew(row, yields[id] || (passes[id] ? passed : this.convertedBits(id)));
  }

  /** Integers converted to floats are never NaN. */
  private convertedBits(id: number): number {
    return id >= 0xb2 && id <= 0xba && id !== 0xb6 ? Bits.noNan : Bits.exact;
  }

  private select(row: number): void {
    this.pop();
    const second = this.pop();
    const first = this.pop();
    const joined = joinBits(this.bits[first]!, this.bits[second]!);
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
    this.height -= type.params.length;
    this.keptBelow[row] = this.height;
    this.pushResults(type.results.length, row);
  }

  private pushResults(count: number, row: number): void {
    for (let i = 0; i < count; i++) this.pushNew(count === 1 ? row : NOWHERE, Bits.exact);
  }

  /** Whether a constant has a NaN that is not canonical. */
  private constantBits(id: number, row: number): number {
    const { code } = this;
    const bytes = this.bytes;
    const at = code.pos[row + 1]! - (id === Op.f32Const ? 4 : id === Op.f64Const ? 8 : 16);
    const view = new DataView(bytes.buffer, bytes.byteOffset + at);
    const count = id === Op.v128Const ? 4 : 1;
    if (id !== Op.f64Const) {
      for (let lane = 0; lane < count; lane++) {
        const value = view.getUint32(4 * lane, true);
        if ((value & 0x7fffffff) > 0x7f800000 && value !== 0x7fc00000) return Bits.exact;
      }
    }
    if (id !== Op.f32Const) {
      for (let lane = 0; lane < (count + 1) >> 1; lane++) {
        const value = view.getBigUint64(8 * lane, true);
        const magnitude = value & 0x7fffffffffffffffn;
        if (magnitude > 0x7ff0000000000000n && value !== 0x7ff8000000000000n) return Bits.exact;
      }
    }
    return Bits.noNan;
  }

  /** The module's bytes, which `code.pos` points into. */
  bytes: Uint8Array = new Uint8Array();

  // ---- addresses ----

  private pure(id: number, row: number): void {
    const binary = popCount[id] === 2;
    const y = binary ? this.pop() : 0;
    const x = this.pop();
    const { root, offset } = this;
    if (id === (this.module.memory64 ? Op.i64Add : Op.i32Add)) {
      const sum = offset[x]! + offset[y]!;
      if (Math.abs(sum) < MAX_OFFSET && (root[x] === ROOT_CONST || root[y] === ROOT_CONST)) {
        this.push(root[x]! + root[y]!, sum, NOWHERE, row, Bits.exact);
        return;
      }
    } else if (id === (this.module.memory64 ? Op.i64Sub : Op.i32Sub)) {
      const difference = offset[x]! - offset[y]!;
      if (Math.abs(difference) < MAX_OFFSET && root[y] === ROOT_CONST) {
        this.push(root[x]!, difference, NOWHERE, row, Bits.exact);
        return;
      }
    }
    const result = this.rootOf(
      id,
      root[x]!,
      offset[x]!,
      binary ? root[y]! : -1,
      binary ? offset[y]! : 0,
    );
    this.push(result, 0, NOWHERE, row, Bits.exact);
  }

  /** The number of a pure operation's result: the same for the same operands. */
  private rootOf(id: number, rootX: number, offX: number, rootY: number, offY: number): number {
    const mask = this.hashRoot.length - 1;
    let h = Math.imul(id + rootX * 31, 0x9e3779b1) ^ Math.imul((offX | 0) + 1, 0x85ebca6b);
    h ^= Math.imul(rootY + 7, 0xc2b2ae35) ^ Math.imul((offY | 0) + 3, 0x27d4eb2f);
    h = (h ^ (h >>> 15)) & mask;
    const operands = id * 0x100000000 + rootX;
    for (let probe = 0; probe < 8; probe++) {
      const at = (h + probe) & mask;
      if (this.hashFunction[at] !== this.functionNumber) {
        this.hashFunction[at] = this.functionNumber;
        this.hashRoot[at] = this.roots;
        this.hashKeys[4 * at] = operands;
        this.hashKeys[4 * at + 1] = offX;
        this.hashKeys[4 * at + 2] = rootY;
        this.hashKeys[4 * at + 3] = offY;
        if (isLinear(id)) this.expressions.set(this.roots, { id, rootX, offX, rootY, offY });
        return this.roots++;
      }
      if (
        this.hashKeys[4 * at] === operands &&
        this.hashKeys[4 * at + 1] === offX &&
        this.hashKeys[4 * at + 2] === rootY &&
        this.hashKeys[4 * at + 3] === offY
      ) {
        return this.hashRoot[at]!;
      }
    }
    return this.roots++;
  }

  private access(id: number, row: number): void {
    const kind = accessKind[id]!;
    const width = accessWidth[id]!;
    if (kind !== Access.load) this.makeExact(this.pop());
    const slot = this.pop();
    const root = this.root[slot]!;
    const base = this.offset[slot]!;
    const low = base + (this.code.b[row]! >>> 0);
    const local = this.fromLocal[slot]!;
    let source: number;
    let index = slot;
    let sourceOffset = base;
    // As early in the run as the address is known, so that checks come together.
    let checkRow = row;
    if (root === ROOT_CONST) {
      source = Source.constant;
      sourceOffset = 0;
      checkRow = this.runStart;
    } else if (local !== NOWHERE && this.localRoot[local] === root) {
      source = Source.local;
      index = local;
      sourceOffset = this.localOffset[local]!;
      if (this.localSetRow[local]! < this.runStart) checkRow = this.runStart;
    } else if (kind === Access.load) {
      source = Source.top;
    } else {
      source = this.producer[slot] === NOWHERE ? Source.below : Source.producer;
    }
    this.pages.access(
      checkRow,
      root,
      low,
      low + width,
      kind === Access.store,
      source,
      index,
      sourceOffset,
      this.producer[slot]!,
    );
    if (kind !== Access.store) this.pushNew(row, Bits.exact);
  }

  // ---- locals ----

  private setLocal(id: number, row: number): void {
    this.setsPassed++;
    const local = this.code.a[row]!;
    const slot = this.height - 1;
    const bits = this.bits[slot]!;
    this.localSetRow[local] = row;
    if (isEither(bits) || (rawShape(bits) !== 0 && this.strict.has(local))) this.makeExact(slot);
    this.localRoot[local] = this.root[slot]!;
    this.localOffset[local] = this.offset[slot]!;
    this.localBits[local] = this.bits[slot]!;
    this.setsRaw[row] = rawShape(this.bits[slot]!) !== 0 ? 2 : 1;
    if (id === Op.localSet) {
      this.pop();
    } else {
      this.fromLocal[slot] = local;
      this.producer[slot] = row;
    }
  }

  /** Locals set between the given places have values unknown from here. */
  private renumber(fromSet: number, toSet: number): void {
    const { setRow, a } = this.code;
    for (let i = fromSet; i < toSet; i++) {
      const local = a[setRow[i]!]!;
      this.localRoot[local] = this.roots++;
      this.localOffset[local] = 0;
    }
  }

  private flag(local: number): void {
    this.flagged.add(local);
  }

  private snapshot(): Uint8Array | undefined {
    return this.numeric ? this.localBits.slice(0, this.localTotal) : undefined;
  }

  /** Joins the present state of the locals into `state`; a clash makes the local strict. */
  private join(state: Uint8Array): void {
    for (let local = 0; local < this.localTotal; local++) {
      const joined = joinBits(state[local]!, this.localBits[local]!);
      if (joined === state[local]) continue;
      if (joined === -1) {
        this.strict.add(local);
        this.unstable = true;
      } else {
        state[local] = joined;
      }
    }
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
      height: this.height - params,
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
    if (id === Op.if) this.pop();
    this.endRun(row);
    const type = this.blockType(row);
    const params = type.params.length;
    this.settle(params);
    this.pushFrame(id, row, params, type.results.length);
    this.height -= params;
    this.pushResults(params, NOWHERE);
    if (id === Op.loop) this.enterLoop(row);
  }

  /** At a loop's start: what its body sets is unknown; floats are what any iteration leaves. */
  private enterLoop(row: number): void {
    const { code } = this;
    const end = code.partner[row]!;
    let last = this.setsPassed;
    while (last < code.setCount && code.setRow[last]! < end) last++;
    const firstRoot = this.roots;
    this.renumber(this.setsPassed, last);
    if (code.innermost[row]) this.startFastLoop(row, firstRoot, last);
    if (!this.numeric) return;
    const known = this.loopState.get(row);
    if (!known) {
      this.loopState.set(row, this.localBits.slice(0, this.localTotal));
      return;
    }
    this.join(known);
    this.localBits.set(known);
  }

  private startFastLoop(row: number, firstRoot: number, lastSet: number): void {
    const shape = loopShape(this.code, row);
    if (!shape) return;
    const { setRow, a } = this.code;
    const movedLocals = new Map<number, number>();
    for (let i = this.setsPassed; i < lastSet; i++) {
      const local = a[setRow[i]!]!;
      movedLocals.set(this.localRoot[local]!, local);
    }
    this.frames.at(-1)!.candidate = {
      shape,
      movedLocals,
      firstRoot,
      checks: this.pages.checkCount,
      firstSet: this.setsPassed,
      lastSet,
    };
  }

  private endFastLoop(frame: Frame): void {
    const { candidate } = frame;
    if (!candidate) return;
    const loop = fastLoop(candidate, this.code, this.pages, this.module.memory64, this);
    if (loop) this.fastLoops.set(frame.row, loop);
  }

  /** The operation and operands that a root was computed from, if it is a pure result. */
  expressionOf(root: number): RootExpression | undefined {
    return this.expressions.get(root);
  }

  /** A local that holds `root` plus an offset, among those that `moved` does not name. */
  localHolding(
    root: number,
    moved: ReadonlySet<number>,
  ): [local: number, offset: number] | undefined {
    for (let local = 0; local < this.localTotal; local++) {
      if (this.localRoot[local] === root && !moved.has(local)) {
        return [local, this.localOffset[local]!];
      }
    }
    return undefined;
  }

  private branch(depth: number): void {
    const frame = this.frames[this.frames.length - 1 - depth]!;
    if (frame.op === Op.loop) {
      this.settle(frame.params);
      if (!this.numeric) return;
      const state = this.loopState.get(frame.row)!;
      const before = state.slice();
      this.join(state);
      if (!state.every((bits, local) => bits === before[local])) this.unstable = true;
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
    if (frame.op === Op.loop) this.endFastLoop(frame);
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
      this.renumber(frame.sets, this.setsPassed);
    }
    this.height = frame.height;
    if (isElse) {
      frame.targeted = true;
      if (frame.entry) this.localBits.set(frame.entry);
      frame.entry = undefined;
      this.pushResults(frame.params, NOWHERE);
      return;
    }
    this.frames.pop();
    if (this.numeric && frame.op !== Op.loop) {
      // An `if` without `else` may also have been passed over.
      if (frame.entry) {
        this.localBits.set(frame.entry);
        this.joinFrame(frame);
      }
      if (frame.joined) this.localBits.set(frame.joined);
    }
    this.pushResults(frame.results, row);
  }
}

const noValues: FunctionType = { params: new Uint8Array(), results: new Uint8Array() };
const oneValue: FunctionType = { params: new Uint8Array(), results: Uint8Array.of(ValType.i32) };
