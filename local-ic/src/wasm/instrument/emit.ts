import type { Writer } from '../binary.js';
import { ValType } from '../module-format.js';
import { Imm, instructions, Op, OPCODE_COUNT } from '../opcodes.js';
import { CodeWriter, EMPTY_BLOCK_TYPE, shapeTypes } from './code-writer.js';
import {
  MIN_TURNS,
  WINDOW,
  type AddressExpression,
  type FastLoop,
  type PageCondition,
  type Step,
} from './fast-loops.js';
import type { FlowAnalysis } from './flow-analysis.js';
import type { FunctionCode } from './function-code.js';
import {
  HEAP_START,
  MAX_HEAP_PAGES,
  READ_MAP,
  STOPPED_BY_STACK,
  WASM_PAGE,
  WRITE_MAP,
} from './layout.js';
import { valueAbove } from './memory-access.js';
import { Charge, type Metering } from './metering.js';
import { Bits, rawShape } from './numeric-shapes.js';
import { StackUse } from './module-scan.js';
import { frameBytes } from './stack-frames.js';

const MAX_HEAP = MAX_HEAP_PAGES * WASM_PAGE;

/** Instructions that are copied as they are. */
const isVerbatim = new Uint8Array(OPCODE_COUNT);
instructions.forEach((instruction, id) => {
  if (instruction && instruction.imm !== Imm.memarg && instruction.imm !== Imm.memargLane) {
    isVerbatim[id] = 1;
  }
});
for (const id of [
  Op.call,
  Op.callIndirect,
  Op.returnCall,
  Op.returnCallIndirect,
  Op.memorySize,
  Op.memoryGrow,
  Op.memoryFill,
  Op.memoryCopy,
  Op.memoryInit,
  Op.dataDrop,
  Op.refFunc,
]) {
  isVerbatim[id] = 0;
}

/** A number of turns: known, or in a local. */
type Turns = { constant: number } | { local: number };

/** Value types by their letter in `opcodes.ts`. */
const typeCodes: Record<string, number> = {
  i: ValType.i32,
  I: ValType.i64,
  f: ValType.f32,
  F: ValType.f64,
  v: ValType.v128,
};

/** Writes a function with the charges and checks that were found for it. */
export class Emitter extends CodeWriter {
  private keepsStack = false;
  private frame = 0;
  private code!: FunctionCode;
  private metering!: Metering;
  private flow!: FlowAnalysis;
  /** Rows of the `end`s of loops with a fast version. */
  private readonly fastEnds = new Set<number>();

  /** Appends the body (without its size) of the function of the given index to `out`. */
  emit(
    index: number,
    code: FunctionCode,
    parameters: number,
    metering: Metering,
    flow: FlowAnalysis,
    out: Writer,
  ): void {
    this.begin(out, parameters + code.localCount);
    this.code = code;
    this.metering = metering;
    this.flow = flow;
    this.fastEnds.clear();
    this.allocate(code, flow, this.add.stackUse[index]!);
    this.locals(code);
    this.enterStack(this.add.stackUse[index]!, parameters);
    this.rows(0, code.count, false);
  }

  // ---- stack ----

  /**
   * Takes the function's frame off the stack that is left, if it may recurse or call what may. A
   * caller puts back what was left in itself after each call that may change it.
   */
  private enterStack(use: number, parameters: number): void {
    this.keepsStack = use !== StackUse.none;
    if (!this.keepsStack) return;
    const { stack, reason } = this.add.globals;
    const level = this.temporary('stack', ValType.i32);
    this.frame = frameBytes(this.code, parameters, this.flow);
    this.instruction(Op.globalGet, stack);
    this.constant(this.frame);
    this.out.u8(Op.i32Sub);
    this.instruction(Op.localTee, level);
    this.instruction(Op.globalSet, stack);
    if (use !== StackUse.recursive) return;
    this.instruction(Op.localGet, level);
    this.constant(0);
    this.out.u8(Op.i32LtS);
    this.unlikely();
    this.constant(STOPPED_BY_STACK);
    this.instruction(Op.globalSet, reason);
    this.out.u8(Op.unreachable);
    this.out.u8(Op.end);
  }

  /** Before a tail call the function's own frame is given back, after others that of the callee. */
  private restoreStack(callee: number, isTail: boolean): void {
    if (!this.keepsStack || (callee >= 0 && this.add.stackUse[callee] === StackUse.none)) return;
    this.instruction(Op.localGet, this.temporary('stack', ValType.i32));
    if (isTail) {
      this.constant(this.frame);
      this.out.u8(Op.i32Add);
    }
    this.instruction(Op.globalSet, this.add.globals.stack);
  }

  /** Writes the rows `[from, to)`; `bare`: without charges and checks. */
  private rows(from: number, to: number, bare: boolean): void {
    const { code, metering, flow } = this;
    const { op, pos } = code;
    const { dead, canonicalise, setsRaw, flagged, pages, fastLoops } = flow;
    let copied = pos[from]!;
    for (let row = from; row < to; row++) {
      const id = op[row]!;
      if (dead[row]) {
        this.flush(copied, pos[row]!);
        copied = pos[row + 1]!;
        continue;
      }
      const charge = bare ? Charge.none : metering.charge[row]!;
      const hasChecks = !bare && (pages.head[row] !== 0 || pages.teeBefore[row] !== 0);
      const either = canonicalise[row]! > Bits.noNan;
      if (charge !== Charge.none || hasChecks || isVerbatim[id] === 0 || either) {
        this.flush(copied, pos[row]!);
        if (charge !== Charge.none) this.charge(metering.cost[row]!, charge === Charge.checked);
        if (hasChecks) this.checks(row, id, flow);
        if (either) this.exactLocal(code.a[row]!, canonicalise[row]!);
        if (isVerbatim[id] === 0) {
          this.rewrite(id, row, code);
          copied = pos[row + 1]!;
        } else {
          copied = pos[row]!;
        }
      }
      if (id === Op.loop && fastLoops.has(row)) {
        this.flush(copied, pos[row]!);
        copied = pos[row + 1]!;
        this.fastLoop(row, fastLoops.get(row)!);
      } else if (id === Op.end && this.fastEnds.has(row)) {
        this.flush(copied, pos[row + 1]!);
        copied = pos[row + 1]!;
        this.out.u8(Op.end);
      }
      const rawAfter = canonicalise[row] !== 0 && !either;
      const teeAfter = bare ? 0 : pages.teeAfter[row]!;
      const setsFlag = setsRaw[row] !== 0 && flagged.size > 0 && flagged.has(code.a[row]!);
      if (rawAfter || teeAfter !== 0 || setsFlag) {
        this.flush(copied, pos[row + 1]!);
        copied = pos[row + 1]!;
        if (rawAfter) this.canonical(canonicalise[row]!);
        if (teeAfter !== 0) this.instruction(Op.localTee, this.addressTemporary(teeAfter - 1));
        if (setsFlag) {
          this.constant(setsRaw[row]! - 1);
          this.instruction(Op.localSet, this.flagOf(code.a[row]!));
        }
      }
    }
    this.flush(copied, pos[to]!);
  }

  // ---- fast loops ----

  /**
   * Opens a loop with its fast version at its head:
   *
   *     block                          the way out of both versions
   *       most = how many turns the steps of the addresses allow
   *       loop                         the loop as it was
   *         if (pages and instructions for many turns)
   *           pay; turns = most
   *           loop
   *             a turn; to go on: if (--turns) go back, else to the outer loop
   *           end
   *           give back what is left; leave the block
   *         end
   *         a turn with charges and checks
   */
  private fastLoop(row: number, loop: FastLoop): void {
    const { out, code } = this;
    const { first, back, test } = loop.shape;
    const turn = this.costAt(first) + (test < 0 ? 0 : this.costAt(test + 1));
    const lastTurn = test < 0 ? turn : this.costAt(first);
    const turns = this.temporary('turns', ValType.i32);
    const typed = (opcode: number): void => {
      out.u8(opcode);
      this.flush(code.pos[row]! + 1, code.pos[row + 1]!);
    };
    this.fastEnds.add(code.partner[row]!);
    typed(Op.block);
    const most = this.mostTurns(loop);
    typed(Op.loop);
    this.ready(loop, most, turn);
    out.u8(Op.if);
    out.u8(EMPTY_BLOCK_TYPE);
    this.adjustCounter(Op.i64Sub, () => {
      this.times(most, turn);
    });
    this.push(most);
    this.instruction(Op.localSet, turns);
    typed(Op.loop);
    this.rows(first, back, true);
    if (test < 0) {
      out.u8(Op.if);
      out.u8(EMPTY_BLOCK_TYPE);
    }
    this.instruction(Op.localGet, turns);
    this.constant(1);
    out.u8(Op.i32Sub);
    this.instruction(Op.localTee, turns);
    this.instruction(Op.brIf, 1);
    this.instruction(Op.br, 3);
    out.u8(Op.end);
    out.u8(Op.end);
    // Paid were `turns` more turns, of which this last one took `lastTurn`.
    this.adjustCounter(Op.i64Add, () => {
      this.times({ local: turns }, turn);
      this.constant64(lastTurn);
      out.u8(Op.i64Sub);
    });
    this.instruction(Op.br, 2);
    out.u8(Op.end);
  }

  private costAt(row: number): number {
    return this.metering.charge[row] === Charge.none ? 0 : this.metering.cost[row]!;
  }

  /**
   * How many turns may be looked up at once: a constant, or a local computed here where a step is
   * not known before. A step that is negative counts as a very long one.
   */
  private mostTurns({ turns, conditions }: FastLoop): Turns {
    const { out } = this;
    const variable = conditions.filter(({ step }) => step.variable !== undefined);
    if (variable.length === 0) return { constant: turns };
    const local = this.temporary('most', ValType.i32);
    const other = this.temporary('turns', ValType.i32);
    this.constant(turns);
    this.instruction(Op.localSet, local);
    for (const { low, high, step } of variable) {
      this.constant(WINDOW - (high - low + 1));
      this.step(step);
      this.constant(1);
      out.u8(Op.i32Or);
      out.u8(Op.i32DivU);
      this.constant(1);
      out.u8(Op.i32Add);
      this.instruction(Op.localTee, other);
      this.instruction(Op.localGet, local);
      this.instruction(Op.localGet, other);
      this.instruction(Op.localGet, local);
      out.u8(Op.i32LtU);
      out.u8(Op.select);
      this.instruction(Op.localSet, local);
    }
    return { local };
  }

  private push(turns: Turns): void {
    if ('constant' in turns) this.constant(turns.constant);
    else this.instruction(Op.localGet, turns.local);
  }

  /** Pushes a number of turns times a cost, as an i64. */
  private times(turns: Turns, cost: number): void {
    if ('constant' in turns) {
      this.constant64(turns.constant * cost);
      return;
    }
    this.instruction(Op.localGet, turns.local);
    this.out.u8(Op.i64ExtendI32U);
    this.constant64(cost);
    this.out.u8(Op.i64Mul);
  }

  private adjustCounter(operation: number, amount: () => void): void {
    const { counter } = this.add.globals;
    this.instruction(Op.globalGet, counter);
    amount();
    this.out.u8(operation);
    this.instruction(Op.globalSet, counter);
  }

  /** Pushes whether the fast version can take that many turns. */
  private ready(loop: FastLoop, most: Turns, turn: number): void {
    const { out } = this;
    if ('local' in most) {
      this.push(most);
      this.constant(MIN_TURNS);
      out.u8(Op.i32GeU);
      out.u8(Op.if);
      out.u8(ValType.i32);
    }
    this.instruction(Op.globalGet, this.add.globals.counter);
    this.times(most, turn);
    out.u8(Op.i64GeS);
    for (const condition of loop.conditions) this.condition(condition, loop.turns, most);
    if ('local' in most) {
      out.u8(Op.else);
      this.constant(0);
      out.u8(Op.end);
    }
  }

  /** Ands whether the pages of a condition were touched to the i32 on the stack. */
  private condition(condition: PageCondition, turns: number, most: Turns): void {
    const { address, low, high, step, write } = condition;
    const map = write ? WRITE_MAP : READ_MAP;
    if (step.variable !== undefined) {
      this.lookUpAt(address, low, map);
      this.lookUpAt(address, high, map, () => {
        this.step(step);
        this.push(most);
        this.constant(1);
        this.out.u8(Op.i32Sub);
        this.out.u8(Op.i32Mul);
      });
      return;
    }
    const way = step.constant * (turns - 1);
    const start = low + Math.min(0, way);
    const end = high + Math.max(0, way);
    this.lookUpAt(address, start, map);
    if (end !== start) this.lookUpAt(address, end, map);
  }

  private lookUpAt(
    address: AddressExpression,
    offset: number,
    map: number,
    more?: () => void,
  ): void {
    const { out } = this;
    const add = this.add.memory64 ? Op.i64Add : Op.i32Add;
    this.expression(address);
    if (offset !== 0) {
      this.address(-1, offset);
      out.u8(add);
    }
    if (more) {
      more();
      out.u8(add);
    }
    this.lookUp(map);
    out.u8(Op.i32And);
  }

  private step({ constant, variable }: Step): void {
    this.expression(variable!);
    if (constant === 0) return;
    this.constant(constant);
    this.out.u8(Op.i32Add);
  }

  private expression(address: AddressExpression): void {
    switch (address.kind) {
      case 'constant':
        this.address(-1, address.value);
        return;
      case 'local':
        this.address(address.local, address.offset);
        return;
      case 'operation':
        this.expression(address.x);
        this.expression(address.y);
        this.out.u8(address.id);
    }
  }

  // ---- locals ----

  /** Local variables must be declared before the code that uses them is written. */
  private allocate(code: FunctionCode, flow: FlowAnalysis, use: number): void {
    const { pages, canonicalise, flagged, dead } = flow;
    for (let row = 0; row < code.count; row++) {
      if (dead[row]) continue;
      const slot = pages.teeBefore[row]! || pages.teeAfter[row]! || pages.respill[row]!;
      if (slot !== 0) this.addressTemporary(slot - 1);
      if (pages.teeAfter[row]) this.addressTemporary(pages.teeAfter[row]! - 1);
      const id = code.op[row]!;
      if (pages.respill[row]) {
        this.valueTemporary(typeCodes[String.fromCharCode(valueAbove[id]!)]!);
      }
      const bits = canonicalise[row]!;
      if (bits !== 0) this.valueTemporary(shapeTypes[rawShape(bits)]!);
      if (id === Op.callIndirect || id === Op.returnCallIndirect) this.valueTemporary(ValType.i32);
    }
    for (const local of flagged) this.flagOf(local);
    if (use !== StackUse.none) this.temporary('stack', ValType.i32);
    if (flow.fastLoops.size > 0) {
      this.temporary('turns', ValType.i32);
      this.temporary('most', ValType.i32);
    }
  }

  // ---- pages ----

  private checks(row: number, id: number, flow: FlowAnalysis): void {
    const { pages } = flow;
    const before = pages.teeBefore[row]!;
    if (before !== 0) this.instruction(Op.localTee, this.addressTemporary(before - 1));
    const respill = pages.respill[row]!;
    if (respill !== 0) {
      const type = typeCodes[String.fromCharCode(valueAbove[id]!)]!;
      this.instruction(Op.localSet, this.valueTemporary(type));
      this.instruction(Op.localTee, this.addressTemporary(respill - 1));
      this.instruction(Op.localGet, this.valueTemporary(type));
    }
    for (let check = pages.head[row]!; check !== 0; check = pages.next[check]!) {
      this.check(
        pages.source[check]!,
        pages.sourceIndex[check]!,
        pages.low[check]!,
        pages.high[check]!,
        pages.isWrite[check] === 1,
      );
    }
  }

  // ---- instructions that change ----

  private rewrite(id: number, row: number, code: FunctionCode): void {
    const { out, add } = this;
    const a = code.a[row]!;
    switch (id) {
      case Op.refFunc:
        this.instruction(id, this.moved(a));
        return;
      case Op.call:
        this.instruction(id, this.moved(a));
        this.restoreStack(a, false);
        return;
      case Op.returnCall:
        this.restoreStack(a, true);
        this.instruction(id, this.moved(a));
        return;
      case Op.callIndirect:
      case Op.returnCallIndirect: {
        // Kept to tell an empty slot from a wrong signature after a trap.
        const temporary = this.valueTemporary(ValType.i32);
        this.instruction(Op.localTee, temporary);
        this.instruction(Op.globalSet, add.globals.indirectIndex);
        if (add.globals.indirectTable >= 0) {
          this.constant(code.b[row]!);
          this.instruction(Op.globalSet, add.globals.indirectTable);
        }
        if (id === Op.returnCallIndirect) this.restoreStack(-1, true);
        this.instruction(Op.localGet, temporary);
        this.instruction(id, a);
        out.u32(code.b[row]!);
        if (id === Op.callIndirect) this.restoreStack(-1, false);
        return;
      }
      case Op.memorySize:
        this.instruction(Op.globalGet, add.globals.pages);
        return;
      case Op.memoryGrow:
        this.instruction(Op.call, add.host.grow);
        return;
      case Op.memoryFill:
        this.instruction(Op.call, add.fill);
        return;
      case Op.memoryCopy:
        this.instruction(Op.call, add.copy);
        return;
      case Op.memoryInit:
        this.instruction(Op.call, add.init.get(a)!);
        return;
      case Op.dataDrop:
        this.constant(1);
        this.instruction(Op.globalSet, add.globals.dropped.get(a)!);
        return;
      default:
        this.memoryAccess(id, row, code);
    }
  }

  private moved(index: number): number {
    return index < this.add.importedFunctions ? index : index + this.add.functionShift;
  }

  private memoryAccess(id: number, row: number, code: FunctionCode): void {
    const { out } = this;
    const offset = code.b[row]! >>> 0;
    const outside = offset >= MAX_HEAP;
    if (outside) this.instruction(Op.call, this.add.host.outOfBounds);
    if (id >= 0x200) {
      out.u8(0xfd);
      out.u32(id - 0x200);
    } else {
      out.u8(id);
    }
    out.u32(code.a[row]!);
    out.unsigned(outside ? 0 : offset + HEAP_START);
    if (instructions[id]!.imm === Imm.memargLane) out.u8(this.source[code.pos[row + 1]! - 1]!);
  }
}
