import { instructions, Op, OPCODE_COUNT } from '../opcodes.js';
import type { FunctionCode } from './function-code.js';
import { addition, subtraction } from './linear-operations.js';
import type { LocalValues } from './local-values.js';
import type { PageChecks } from './page-checks.js';
import { ROOT_CONST, type RootExpression } from './roots.js';
import type { ValueNumbers } from './value-numbers.js';

/**
 * Loops that are given a second, fast version without charges and checks in each turn: before it,
 * the pages of many turns are looked up at once and the turns are paid in advance; what is left is
 * given back after it. Where anything is not as hoped (a page not touched yet, few instructions
 * left), the loop as it was takes a turn, so the fast version never decides anything.
 *
 * A loop qualifies if it is one straight line of code that goes back at its end, or ends where an
 * `if` that holds the rest of it is not taken, without calls and traps, whose addresses move from
 * turn to turn by constants or by values that the loop does not change.
 */
export interface FastLoop {
  shape: LoopShape;
  /** How many turns are paid and looked up in advance, at most. */
  turns: number;
  conditions: readonly PageCondition[];
}

/** The pages of all bytes accessed from an address, in all turns, must have been touched. */
export interface PageCondition {
  address: AddressExpression;
  /** First and last byte of the first turn, relative to the address at its start. */
  low: number;
  high: number;
  write: boolean;
  /** By how much the address moves in a turn. */
  step: Step;
}

/** A constant and a value that the loop does not change, together. */
export interface Step {
  constant: number;
  variable: AddressExpression | undefined;
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
}

const MAX_TURNS = 64;
export const MIN_TURNS = 4;
const MAX_ROWS = 2000;
/** Bytes that lie on the pages of their two ends. */
export const WINDOW = 65536;
const MAX_DEPTH = 4;

const forbidden = new Uint8Array(OPCODE_COUNT);
instructions.forEach((instruction, id) => {
  if (!instruction) return;
  const [type, operation = ''] = instruction.name.split('.') as [string, string?];
  const integer = type === 'i32' || type === 'i64';
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

/** The fast version of a loop, seen from where it goes back, if its addresses allow one. */
export function fastLoop(
  start: LoopStart,
  pages: PageChecks,
  memory64: boolean,
  numbers: ValueNumbers,
  locals: LocalValues,
): FastLoop | undefined {
  const resolver = new Resolver(start, numbers, locals);
  let turns = MAX_TURNS;
  const conditions: PageCondition[] = [];
  for (let check = start.checks + 1; check <= pages.checkCount; check++) {
    const resolved = resolver.resolve(pages.root[check]!, MAX_DEPTH);
    if (!resolved?.step) return undefined;
    const { address, step } = resolved;
    if (step.variable && memory64) return undefined;
    const offset = pages.sourceOffset[check]!;
    const ends = [pages.low[check]!, pages.high[check]!].filter((end) => !Number.isNaN(end));
    const low = Math.min(...ends) + offset;
    const high = Math.max(...ends) + offset;
    if (step.variable === undefined && step.constant !== 0) {
      const room = WINDOW - (high - low + 1);
      turns = Math.min(turns, Math.floor(room / Math.abs(step.constant)) + 1);
    }
    conditions.push({ address, low, high, write: pages.isWrite[check] === 1, step });
  }
  return turns < MIN_TURNS ? undefined : { shape: start.shape, turns, conditions };
}

interface Resolved {
  address: AddressExpression;
  /** `undefined`: by an amount that changes from turn to turn. */
  step: Step | undefined;
}

const STILL: Step = { constant: 0, variable: undefined };

/** Finds how to compute roots at the start of a turn, and by how much they move. */
class Resolver {
  private readonly moved: ReadonlySet<number>;

  constructor(
    private readonly start: LoopStart,
    private readonly numbers: ValueNumbers,
    private readonly locals: LocalValues,
  ) {
    this.moved = new Set(start.movedLocals.values());
  }

  resolve(root: number, depth: number): Resolved | undefined {
    if (root === ROOT_CONST) return { address: { kind: 'constant', value: 0 }, step: STILL };
    const moved = this.start.movedLocals.get(root);
    if (moved !== undefined) {
      const { root: roots, offset } = this.locals;
      const step = this.distance(root, roots[moved]!, offset[moved]!, depth);
      return { address: { kind: 'local', local: moved, offset: 0 }, step };
    }
    if (root < this.start.firstRoot) {
      const held = this.locals.holding(root, this.moved);
      if (held)
        return { address: { kind: 'local', local: held[0], offset: 0 - held[1] }, step: STILL };
    }
    const expression = this.numbers.expressionOf(root);
    return expression && depth > 0 ? this.operation(expression, depth - 1) : undefined;
  }

  /** What was added to `from` to get `to + offset`, if the loop does not change it. */
  private distance(from: number, to: number, offset: number, depth: number): Step | undefined {
    if (from === to) return { constant: offset, variable: undefined };
    const expression = this.numbers.expressionOf(to);
    if (!expression || !addition[expression.id] || depth === 0) return undefined;
    const { rootX, offX, rootY, offY } = expression;
    for (const [base, baseOffset, added, addedOffset] of [
      [rootX, offX, rootY, offY],
      [rootY, offY, rootX, offX],
    ] as const) {
      const before = this.distance(from, base, baseOffset, depth - 1);
      if (!before || this.start.movedLocals.has(added)) continue;
      const value = this.operand(added, addedOffset, depth - 1);
      if (value?.step !== STILL) continue;
      return {
        constant: before.constant + offset,
        variable: sum(before.variable, value.address),
      };
    }
    return undefined;
  }

  private operation(expression: RootExpression, depth: number): Resolved | undefined {
    const { id, rootX, offX, rootY, offY } = expression;
    const x = this.operand(rootX, offX, depth);
    const y = this.operand(rootY, offY, depth);
    if (!x || !y) return undefined;
    const address: AddressExpression = { kind: 'operation', id, x: x.address, y: y.address };
    return { address, step: x.step && y.step && this.stepOf(expression, x.step, y.step) };
  }

  private stepOf({ id, rootY, offY }: RootExpression, x: Step, y: Step): Step | undefined {
    if (x === STILL && y === STILL) return STILL;
    if (addition[id]) {
      return { constant: x.constant + y.constant, variable: sum(x.variable, y.variable) };
    }
    if (subtraction[id]) {
      if (y.variable) return undefined;
      return { constant: x.constant - y.constant, variable: x.variable };
    }
    if (rootY !== ROOT_CONST || offY < 0 || offY > 16) return undefined;
    const places: AddressExpression = { kind: 'constant', value: offY };
    return {
      constant: x.constant * 2 ** offY,
      variable: x.variable && { kind: 'operation', id, x: x.variable, y: places },
    };
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

function sum(
  x: AddressExpression | undefined,
  y: AddressExpression | undefined,
): AddressExpression | undefined {
  if (!x || !y) return x ?? y;
  return { kind: 'operation', id: Op.i32Add, x, y };
}
