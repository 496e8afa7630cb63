import { instructionCosts } from '../../costs/index.js';
import type { Address, FloatExpr, IntExpr, Program, Statement, VectorExpr } from './program.js';
import {
  FLOAT_LOCALS,
  INT_LOCALS,
  MASK,
  MAX_PAGES,
  PAGES,
  POINTERS,
  START_INTS,
  START_POINTERS,
  VECTOR_LOCALS,
} from './program.js';

const WASM_PAGE = 65536;

/** What a program did, said by an interpreter that knows nothing of instrumentation. */
export interface Trace {
  trapped: boolean;
  /** Instructions, without what touching pages costs. */
  count: number;
  memory: Uint8Array;
  pages: number;
  int: number;
  float: number;
  vector: number[];
  /** 64 KiB pages accessed at all, and written. */
  accessed: Set<number>;
  written: Set<number>;
}

class OutOfBounds extends Error {}

function cost(name: string): number {
  const found = instructionCosts[name];
  if (found === undefined) throw new Error(`no cost of ${name}`);
  return typeof found === 'number' ? found : found.wasm32;
}

/** Runs a program's `main` on the memory and globals that its module starts with. */
export function interpret(program: Program): Trace {
  const interpreter = new Interpreter(program);
  let trapped = false;
  try {
    interpreter.main();
  } catch (error) {
    if (!(error instanceof OutOfBounds)) throw error;
    trapped = true;
  }
  return { ...interpreter.trace, trapped };
}

interface Locals {
  ints: number[];
  pointers: number[];
  floats: number[];
  vectors: number[][];
}

const newLocals = (): Locals => ({
  ints: new Array<number>(INT_LOCALS).fill(0),
  pointers: new Array<number>(POINTERS).fill(0),
  floats: new Array<number>(FLOAT_LOCALS).fill(0),
  vectors: Array.from({ length: VECTOR_LOCALS }, () => [0, 0, 0, 0]),
});

/** Floats are kept as their bits, so that NaNs keep theirs. */
const view = new DataView(new ArrayBuffer(4));
function toNumber(bits: number): number {
  view.setUint32(0, bits);
  return view.getFloat32(0);
}
/** The bits of an operation's result: NaNs become canonical. */
function toBits(value: number): number {
  if (Number.isNaN(value)) return 0x7fc00000;
  view.setFloat32(0, value);
  return view.getUint32(0);
}

class Interpreter {
  readonly trace: Trace = {
    trapped: false,
    count: 0,
    memory: new Uint8Array(MAX_PAGES * WASM_PAGE),
    pages: PAGES,
    int: 12345,
    float: toBits(2.5),
    vector: [0x3f800000, 0x7fa00001, 0xffc00000, 7],
    accessed: new Set(),
    written: new Set(),
  };
  private locals = newLocals();
  private readonly data: DataView;

  constructor(private readonly program: Program) {
    const { memory } = this.trace;
    memory.set(Buffer.from('abcdefghijklmnop'), 65530);
    memory.set([0, 0, 0xc0, 0xff, 1, 0, 0xa0, 0x7f, 0, 0, 0x80, 0x3f], 131000);
    this.data = new DataView(memory.buffer);
  }

  main(): void {
    this.pay(1 + START_INTS.length + START_POINTERS.length);
    this.op('call');
    this.pay(1);
    this.locals.ints = [...START_INTS];
    this.locals.pointers = [...START_POINTERS];
    this.run(this.program.main);
  }

  private pay(instructions: number): void {
    this.trace.count += instructions;
  }
  private op(name: string): void {
    this.pay(cost(name));
  }

  // ---- memory ----

  private touch(start: number, length: number, write: boolean): void {
    if (start + length > this.trace.pages * WASM_PAGE) throw new OutOfBounds();
    for (let at = start; at < start + length; at++) {
      const page = Math.floor(at / WASM_PAGE);
      this.trace.accessed.add(page);
      if (write) this.trace.written.add(page);
      at = (page + 1) * WASM_PAGE - 1;
    }
  }

  /** The effective address; its bounds are checked by `touch` when it is used. */
  private address({ base, offset }: Address): number {
    let start: number;
    switch (base.k) {
      case 'pointer':
        this.op('local.get');
        start = this.locals.pointers[base.index]! >>> 0;
        break;
      case 'indexed':
        this.pay(5);
        start = (this.locals.pointers[base.index]! + (this.locals.ints[base.by]! & 255)) >>> 0;
        break;
      default:
        start = this.masked(base);
    }
    return start + offset;
  }

  private masked(x: IntExpr): number {
    const value = this.int(x);
    this.pay(2);
    return value & MASK;
  }

  // ---- expressions ----

  private int(x: IntExpr): number {
    switch (x.k) {
      case 'const':
        this.op('i32.const');
        return x.value | 0;
      case 'local':
        this.op('local.get');
        return this.locals.ints[x.index]!;
      case 'global':
        this.op('global.get');
        return this.trace.int;
      case 'size':
        this.op('memory.size');
        return this.trace.pages;
      case 'op': {
        const a = this.int(x.x);
        const b = this.int(x.y);
        this.op(`i32.${x.op}`);
        return this.intOp(x.op, a, b);
      }
      case 'load': {
        const at = this.address(x.address);
        this.op('i32.load');
        this.touch(at, x.bytes, false);
        return x.bytes === 1 ? this.data.getUint8(at) : this.data.getInt32(at, true);
      }
      case 'bits': {
        const bits = this.float(x.x);
        this.op('i32.reinterpret_f32');
        return bits | 0;
      }
      case 'call':
        return this.call(this.int(x.x), this.int(x.y));
    }
  }

  private intOp(op: string, a: number, b: number): number {
    switch (op) {
      case 'add':
        return (a + b) | 0;
      case 'sub':
        return (a - b) | 0;
      case 'mul':
        return Math.imul(a, b);
      case 'and':
        return a & b;
      case 'or':
        return a | b;
      case 'xor':
        return a ^ b;
      case 'shl':
        return a << b;
      case 'shr_u':
        return (a >>> b) | 0;
      case 'lt_u':
        return a >>> 0 < b >>> 0 ? 1 : 0;
      default:
        return a === b ? 1 : 0;
    }
  }

  private call(x: number, y: number): number {
    this.op('call');
    this.pay(1);
    const outer = this.locals;
    this.locals = newLocals();
    this.locals.ints[0] = x;
    this.locals.ints[1] = y;
    this.run(this.program.helper.body);
    const result = this.int(this.program.helper.result);
    this.locals = outer;
    return result;
  }

  private float(x: FloatExpr): number {
    switch (x.k) {
      case 'fconst':
        this.pay(2);
        return x.bits;
      case 'flocal':
        this.op('local.get');
        return this.locals.floats[x.index]!;
      case 'fglobal':
        this.op('global.get');
        return this.trace.float;
      case 'fop': {
        const a = this.float(x.x);
        const b = this.float(x.y);
        this.op(`f32.${x.op}`);
        return floatOp(x.op, a, b);
      }
      case 'funary': {
        const a = this.float(x.x);
        this.op(`f32.${x.op}`);
        if (x.op === 'neg') return (a ^ 0x80000000) >>> 0;
        if (x.op === 'abs') return a & 0x7fffffff;
        const value = toNumber(a);
        if (x.op === 'sqrt') return toBits(Math.fround(Math.sqrt(value)));
        return toBits(x.op === 'floor' ? Math.floor(value) : roundToEven(value));
      }
      case 'fload': {
        const at = this.address(x.address);
        this.op('f32.load');
        this.touch(at, 4, false);
        return this.data.getUint32(at, true);
      }
      case 'fselect': {
        const a = this.float(x.x);
        const b = this.float(x.y);
        const test = this.int(x.test);
        this.op('select');
        return test !== 0 ? a : b;
      }
      case 'lane': {
        const lanes = this.vector(x.x);
        this.op('f32x4.extract_lane');
        return lanes[x.lane]!;
      }
    }
  }

  private vector(x: VectorExpr): number[] {
    switch (x.k) {
      case 'vlocal':
        this.op('local.get');
        return this.locals.vectors[x.index]!;
      case 'vglobal':
        this.op('global.get');
        return this.trace.vector;
      case 'vop': {
        const a = this.vector(x.x);
        const b = this.vector(x.y);
        this.op(`f32x4.${x.op}`);
        return a.map((lane, i) => vectorOp(x.op, lane, b[i]!));
      }
      case 'vneg': {
        const a = this.vector(x.x);
        this.op('f32x4.neg');
        return a.map((lane) => (lane ^ 0x80000000) >>> 0);
      }
      case 'vload': {
        const at = this.address(x.address);
        this.op('v128.load');
        this.touch(at, 16, false);
        return [0, 4, 8, 12].map((i) => this.data.getUint32(at + i, true));
      }
      case 'splat': {
        const lane = this.float(x.x);
        this.op('f32x4.splat');
        return [lane, lane, lane, lane];
      }
      case 'vxor': {
        const a = this.vector(x.x);
        const b = this.vector(x.y);
        this.op('v128.xor');
        return a.map((lane, i) => (lane ^ b[i]!) >>> 0);
      }
    }
  }

  // ---- statements ----

  private run(statements: readonly Statement[]): void {
    for (const statement of statements) this.statement(statement);
  }

  private statement(s: Statement): void {
    switch (s.k) {
      case 'set':
        this.locals.ints[s.index] = this.int(s.x);
        this.op('local.set');
        return;
      case 'fset':
        this.locals.floats[s.index] = this.float(s.x);
        this.op('local.set');
        return;
      case 'vset':
        this.locals.vectors[s.index] = this.vector(s.x);
        this.op('local.set');
        return;
      case 'gset':
        this.trace.int = this.int(s.x);
        this.op('global.set');
        return;
      case 'move':
        this.pay(4);
        this.locals.pointers[s.index] = (this.locals.pointers[s.from]! + s.by) | 0;
        return;
      case 'fgset':
        this.trace.float = this.float(s.x);
        this.op('global.set');
        return;
      case 'vgset':
        this.trace.vector = this.vector(s.x);
        this.op('global.set');
        return;
      case 'store': {
        const at = this.address(s.address);
        const value = this.int(s.x);
        this.op('i32.store');
        this.touch(at, s.bytes, true);
        if (s.bytes === 1) this.data.setUint8(at, value);
        else this.data.setInt32(at, value, true);
        return;
      }
      case 'fstore': {
        const at = this.address(s.address);
        const bits = this.float(s.x);
        this.op('f32.store');
        this.touch(at, 4, true);
        this.data.setUint32(at, bits, true);
        return;
      }
      case 'vstore': {
        const at = this.address(s.address);
        const lanes = this.vector(s.x);
        this.op('v128.store');
        this.touch(at, 16, true);
        lanes.forEach((lane, i) => {
          this.data.setUint32(at + 4 * i, lane, true);
        });
        return;
      }
      case 'if': {
        const test = this.int(s.test);
        this.op('if');
        if (test !== 0) this.run(s.then);
        else if (s.else) this.run(s.else);
        return;
      }
      case 'block':
        this.run(s.before);
        this.pay(0);
        if (this.leaves(s.leave)) return;
        this.run(s.after);
        return;
      case 'loop':
        this.loop(s.form, s.turns, () => {
          this.run(s.body);
        });
        return;
      case 'stride':
        s.starts.forEach((start, i) => {
          this.pay(2);
          this.locals.pointers[i] = start;
        });
        this.loop(s.form, s.turns, () => {
          this.run(s.body);
          s.steps.forEach((step, i) => {
            this.pay(4);
            const by = typeof step === 'number' ? step : this.locals.ints[step.local]!;
            this.locals.pointers[i] = (this.locals.pointers[i]! + by) | 0;
          });
        });
        return;
      case 'fill': {
        const to = this.masked(s.to);
        const value = this.int(s.value);
        this.pay(1);
        this.op('memory.fill');
        this.pay(s.length);
        this.touch(to, s.length, true);
        this.trace.memory.fill(value, to, to + s.length);
        return;
      }
      case 'copy': {
        const to = this.masked(s.to);
        const from = this.masked(s.from);
        this.pay(1);
        this.op('memory.copy');
        this.pay(s.length);
        this.touch(from, s.length, false);
        this.touch(to, s.length, true);
        this.trace.memory.copyWithin(to, from, from + s.length);
        return;
      }
      case 'grow':
        this.pay(1);
        this.op('memory.grow');
        this.op('drop');
        if (this.trace.pages + s.pages <= MAX_PAGES) this.trace.pages += s.pages;
        return;
    }
  }

  private leaves(test: IntExpr): boolean {
    const value = this.int(test);
    this.op('br_if');
    return value !== 0;
  }

  private loop(form: 'do' | 'for', turns: number, turn: () => void): void {
    this.pay(2);
    for (let n = 0; n < turns; n++) {
      if (form === 'for') this.pay(3 + cost('if'));
      turn();
      this.pay(form === 'for' ? 4 + cost('br') : 4 + cost('br_if'));
    }
    if (form === 'for') this.pay(3 + cost('if'));
  }
}

function floatOp(op: string, x: number, y: number): number {
  if (op === 'copysign') return ((x & 0x7fffffff) | (y & 0x80000000)) >>> 0;
  const a = toNumber(x);
  const b = toNumber(y);
  switch (op) {
    case 'add':
      return toBits(Math.fround(a + b));
    case 'sub':
      return toBits(Math.fround(a - b));
    case 'mul':
      return toBits(Math.fround(a * b));
    case 'div':
      return toBits(Math.fround(a / b));
    case 'min':
      return toBits(Math.min(a, b));
    default:
      return toBits(Math.max(a, b));
  }
}

function vectorOp(op: string, x: number, y: number): number {
  if (op === 'pmin') return toNumber(y) < toNumber(x) ? y : x;
  if (op === 'pmax') return toNumber(x) < toNumber(y) ? y : x;
  return floatOp(op, x, y);
}

function roundToEven(value: number): number {
  const floor = Math.floor(value);
  const rest = value - floor;
  if (!Number.isFinite(value)) return value;
  const up = rest > 0.5 || (rest === 0.5 && floor % 2 !== 0);
  const rounded = up ? floor + 1 : floor;
  return rounded === 0 && (value < 0 || Object.is(value, -0)) ? -0 : rounded;
}
