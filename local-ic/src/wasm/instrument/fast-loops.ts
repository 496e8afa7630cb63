import { instructions, Op, OPCODE_COUNT } from '../opcodes.js';
import type { FunctionCode } from './function-code.js';
import type { LocalValues } from './local-values.js';
import type { PageChecks } from './page-checks.js';
import type { ValueNumbers } from './value-numbers.js';

/**
 * Loops that are given a second, fast version without charges and checks in each turn: before it,
 * the pages of many turns are looked up at once and the turns are paid in advance; what is left is
 * given back after it. Where anything is not as hoped (a page not touched yet, few instructions
 * left), the loop as it was takes a turn, so the fast version never decides anything.
 *
 * A loop qualifies if it is one straight line of code that goes back at its end, or ends where an
 * `if` that holds the rest of it is not taken, without calls and traps, whose addresses move by
 * constants from turn to turn.
 */
export interface FastLoop {
  shape: LoopShape;
  /** How many turns are paid and looked up in advance. */
  turns: number;
  conditions: readonly PageCondition[];
}

/** The pages of all bytes from `low` of the first turn on must have been touched. */
export interface PageCondition {
  address: AddressExpression;
  /** First byte, relative to the address at the loop's start. */
  low: number;
  /** Last byte of all turns. */
  high: number;
  write: boolean;
}

/** How to compute an address at the start of a turn. */
export type AddressExpression =
  | { kind: 'constant'; value: number }
  | { kind: 'local'; local: number; offset: number }
  | { kind: 'operation'; id: number; x: AddressExpression; y: AddressExpression };

export interface LoopShape {
  /** Row of the first instruction of a turn. */
  first: number;
  /** Row of the `br` or `br_if` that goes back. */
  back: number;
  /** Row of the `if` that is not taken after the last turn; -1 if the loop ends after `back`. */
  test: number;
}

/** What is known at a loop's start. */
export interface LoopStart {
  shape: LoopShape;
  /** Locals set in the loop, by the root of their value at the start of a turn. */
  movedLocals: ReadonlyMap<number, number>;
  /** Roots from here on were numbered in the loop. */
  firstRoot: number;
  /** Number of checks found before the loop. */
  checks: number;
  /** Rows that set locals in the loop: `[firstSet, lastSet)` of `FunctionCode.setRow`. */
  firstSet: number;
  lastSet: number;
}

/** A pure operation on roots plus offsets; `rootY` 0 with an offset is a constant. */
export interface RootExpression {
  id: number;
  rootX: number;
  offX: number;
  rootY: number;
  offY: number;
}

const MAX_TURNS = 64;
const MIN_TURNS = 4;
const MAX_ROWS = 2000;
const WINDOW = 65536;
const MAX_DEPTH = 4;

const addition = new Uint8Array(OPCODE_COUNT);
const subtraction = new Uint8Array(OPCODE_COUNT);
const shift = new Uint8Array(OPCODE_COUNT);
const forbidden = new Uint8Array(OPCODE_COUNT);
instructions.forEach((instruction, id) => {
  if (!instruction) return;
  const [type, operation = ''] = instruction.name.split('.') as [string, string?];
  const integer = type === 'i32' || type === 'i64';
  if (integer && operation === 'add') addition[id] = 1;
  if (integer && operation === 'sub') subtraction[id] = 1;
  if (integer && operation === 'shl') shift[id] = 1;
  if (integer && /^(div|rem)_|^trunc_f/.test(operation)) forbidden[id] = 1;
  if (type === 'memory' && operation !== 'size') forbidden[id] = 1;
  if (type === 'table' || type === 'data' || type === 'elem') forbidden[id] = 1;
});
for (const id of [
  Op.unreachable,
  Op.block,
  Op.loop,
  Op.else,
  Op.brTable,
  Op.return,
  Op.call,
  Op.callIndirect,
  Op.returnCall,
  Op.returnCallIndirect,
]) {
  forbidden[id] = 1;
}

/** Whether a loop may compute addresses with the operation. */
export function isLinear(id: number): boolean {
  return addition[id] === 1 || subtraction[id] === 1 || shift[id] === 1;
}

/** The shape of the loop that starts in `row`, if it is one that may be fast. */
export function loopShape(code: FunctionCode, row: number): LoopShape | undefined {
  const { op, a, partner } = code;
  const end = partner[row]!;
  if (end - row > MAX_ROWS) return undefined;
  let test = -1;
  for (let at = row + 1; at < end; at++) {
    const id = op[at]!;
    if (forbidden[id]) return undefined;
    if (id === Op.brIf) {
      const closes = test < 0 && at === end - 1 && a[at] === 0;
      return closes ? { first: row + 1, back: at, test } : undefined;
    }
    if (id === Op.br) {
      const closes = test >= 0 && at === end - 2 && a[at] === 1;
      return closes ? { first: row + 1, back: at, test } : undefined;
    }
    if (id === Op.if) {
      // Its `end` must be the last thing in the loop.
      if (test >= 0 || partner[at] !== end - 1 || a[at] !== -64) return undefined;
      test = at;
    }
  }
  return undefined;
}

/** The fast version of a loop whose end was reached, if its addresses allow one. */
export function fastLoop(
  start: LoopStart,
  code: FunctionCode,
  pages: PageChecks,
  memory64: boolean,
  numbers: ValueNumbers,
  locals: LocalValues,
): FastLoop | undefined {
  const steps = new Map<number, number>();
  for (const [root, local] of start.movedLocals)
    steps.set(root, stepOf(local, start, code, memory64));
  const resolver = new Resolver(start, steps, numbers, locals);
  let turns = MAX_TURNS;
  const found: {
    address: AddressExpression;
    step: number;
    low: number;
    high: number;
    write: boolean;
  }[] = [];
  for (let check = start.checks + 1; check <= pages.checkCount; check++) {
    const resolved = resolver.resolve(pages.root[check]!, MAX_DEPTH);
    if (!resolved || Number.isNaN(resolved.step)) return undefined;
    const offset = pages.sourceOffset[check]!;
    const ends = [pages.low[check]!, pages.high[check]!].filter((end) => !Number.isNaN(end));
    const low = Math.min(...ends) + offset;
    const high = Math.max(...ends) + offset;
    const { address, step } = resolved;
    if (step !== 0) {
      const room = WINDOW - (high - low + 1);
      turns = Math.min(turns, Math.floor(room / Math.abs(step)) + 1);
    }
    found.push({ address, step, low, high, write: pages.isWrite[check] === 1 });
  }
  if (turns < MIN_TURNS) return undefined;
  const conditions = found.map(({ address, step, low, high, write }) => {
    const way = step * (turns - 1);
    return { address, low: low + Math.min(0, way), high: high + Math.max(0, way), write };
  });
  return { shape: start.shape, turns, conditions };
}

/** By how much a turn moves a local; NaN if not by a constant. */
function stepOf(local: number, start: LoopStart, code: FunctionCode, memory64: boolean): number {
  const { op, a, b } = code;
  const constant = memory64 ? Op.i64Const : Op.i32Const;
  const add = memory64 ? Op.i64Add : Op.i32Add;
  const sub = memory64 ? Op.i64Sub : Op.i32Sub;
  const reads = (at: number): boolean => op[at] === Op.localGet && a[at] === local;
  const holds = (at: number): boolean => op[at] === constant && (!memory64 || b[at] === 1);
  let step = 0;
  for (let i = start.firstSet; i < start.lastSet; i++) {
    const row = code.setRow[i]!;
    if (a[row] !== local) continue;
    if (reads(row - 3) && holds(row - 2) && op[row - 1] === add) step += a[row - 2]!;
    else if (reads(row - 3) && holds(row - 2) && op[row - 1] === sub) step -= a[row - 2]!;
    else if (holds(row - 3) && reads(row - 2) && op[row - 1] === add) step += a[row - 3]!;
    else return NaN;
  }
  return step;
}

interface Resolved {
  address: AddressExpression;
  step: number;
}

/** Finds how to compute roots at the start of a turn, and by how much they move. */
class Resolver {
  private readonly moved: ReadonlySet<number>;

  constructor(
    private readonly start: LoopStart,
    private readonly steps: ReadonlyMap<number, number>,
    private readonly numbers: ValueNumbers,
    private readonly locals: LocalValues,
  ) {
    this.moved = new Set(start.movedLocals.values());
  }

  resolve(root: number, depth: number): Resolved | undefined {
    if (root === 0) return { address: { kind: 'constant', value: 0 }, step: 0 };
    const moved = this.start.movedLocals.get(root);
    if (moved !== undefined) {
      return { address: { kind: 'local', local: moved, offset: 0 }, step: this.steps.get(root)! };
    }
    if (root < this.start.firstRoot) {
      const held = this.locals.holding(root, this.moved);
      if (held) return { address: { kind: 'local', local: held[0], offset: -held[1] }, step: 0 };
    }
    const expression = this.numbers.expressionOf(root);
    return expression && depth > 0 ? this.operation(expression, depth - 1) : undefined;
  }

  private operation(expression: RootExpression, depth: number): Resolved | undefined {
    const { id, rootX, offX, rootY, offY } = expression;
    const x = this.operand(rootX, offX, depth);
    const y = this.operand(rootY, offY, depth);
    if (!x || !y) return undefined;
    const address: AddressExpression = { kind: 'operation', id, x: x.address, y: y.address };
    if (addition[id]) return { address, step: x.step + y.step };
    if (subtraction[id]) return { address, step: x.step - y.step };
    if (rootY !== 0 || offY < 0 || offY > 16) return undefined;
    return { address, step: x.step * 2 ** offY };
  }

  private operand(root: number, offset: number, depth: number): Resolved | undefined {
    const resolved = this.resolve(root, depth);
    if (!resolved || offset === 0) return resolved;
    const { address } = resolved;
    if (address.kind === 'constant') {
      return { ...resolved, address: { kind: 'constant', value: address.value + offset } };
    }
    if (address.kind === 'local') {
      return { ...resolved, address: { ...address, offset: address.offset + offset } };
    }
    return undefined;
  }
}
