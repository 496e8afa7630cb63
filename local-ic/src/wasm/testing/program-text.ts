import type {
  Address,
  FloatExpr,
  IntExpr,
  Program,
  Statement,
  Step,
  VectorExpr,
} from './program.js';
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

/**
 * A program as a module in text form, with exports `main` (its only update), `start` values in its
 * globals and a data segment, so that there is something to change and to roll back.
 */
export function programText({ main, helper }: Program): string {
  const writer = new TextWriter();
  const body = writer.list(main);
  const helperBody = writer.list(helper.body);
  const result = writer.int(helper.result);
  return `(module
    (memory (export "memory") ${PAGES} ${MAX_PAGES})
    (global $g (mut i32) (i32.const 12345))
    (global $fg (mut f32) (f32.const 2.5))
    (global $vg (mut v128) (v128.const i32x4 0x3f800000 0x7fa00001 0xffc00000 7))
    (data (i32.const 65530) "abcdefghijklmnop")
    (data (i32.const 131000) "\\00\\00\\c0\\ff\\01\\00\\a0\\7f\\00\\00\\80\\3f")
    (func $helper (param $i0 i32) (param $i1 i32) (result i32) (local $i2 i32) ${locals(writer)}
      ${helperBody} ${result})
    (func $main ${parameters()} ${others(writer)} ${body})
    (func (export "main") (call $main ${starts()})))`;
}

const each = (count: number, text: (i: number) => string): string =>
  Array.from({ length: count }, (_, i) => text(i)).join(' ');
const parameters = (): string =>
  each(INT_LOCALS, (i) => `(param $i${i} i32)`) + each(POINTERS, (i) => `(param $p${i} i32)`);
const starts = (): string =>
  [...START_INTS, ...START_POINTERS].map((value) => `(i32.const ${value})`).join(' ');
const locals = (writer: TextWriter): string =>
  `${each(POINTERS, (i) => `(local $p${i} i32)`)} ${others(writer)}`;
const others = (writer: TextWriter): string =>
  [
    each(FLOAT_LOCALS, (i) => `(local $f${i} f32)`),
    each(VECTOR_LOCALS, (i) => `(local $v${i} v128)`),
    each(writer.counters, (i) => `(local $n${i} i32)`),
  ].join(' ');

class TextWriter {
  /** Loops so far: each has a counter of its own. */
  counters = 0;
  private labels = 0;

  list(statements: readonly Statement[]): string {
    return statements.map((statement) => this.statement(statement)).join('\n');
  }

  private address({ base, offset }: Address): string {
    switch (base.k) {
      case 'pointer':
        return `offset=${offset} (local.get $p${base.index})`;
      case 'indexed':
        return `offset=${offset} (i32.add (local.get $p${base.index}) (i32.and (local.get $i${base.by}) (i32.const 255)))`;
      default:
        return `offset=${offset} (i32.and ${this.int(base)} (i32.const ${MASK}))`;
    }
  }

  int(x: IntExpr): string {
    switch (x.k) {
      case 'const':
        return `(i32.const ${x.value})`;
      case 'local':
        return `(local.get $i${x.index})`;
      case 'global':
        return '(global.get $g)';
      case 'size':
        return '(memory.size)';
      case 'op':
        return `(i32.${x.op} ${this.int(x.x)} ${this.int(x.y)})`;
      case 'load':
        return `(i32.load${x.bytes === 1 ? '8_u' : ''} ${this.address(x.address)})`;
      case 'bits':
        return `(i32.reinterpret_f32 ${this.float(x.x)})`;
      case 'call':
        return `(call $helper ${this.int(x.x)} ${this.int(x.y)})`;
    }
  }

  private float(x: FloatExpr): string {
    switch (x.k) {
      case 'fconst':
        return `(f32.reinterpret_i32 (i32.const 0x${x.bits.toString(16)}))`;
      case 'flocal':
        return `(local.get $f${x.index})`;
      case 'fglobal':
        return '(global.get $fg)';
      case 'fop':
        return `(f32.${x.op} ${this.float(x.x)} ${this.float(x.y)})`;
      case 'funary':
        return `(f32.${x.op} ${this.float(x.x)})`;
      case 'fload':
        return `(f32.load ${this.address(x.address)})`;
      case 'fselect':
        return `(select ${this.float(x.x)} ${this.float(x.y)} ${this.int(x.test)})`;
      case 'lane':
        return `(f32x4.extract_lane ${x.lane} ${this.vector(x.x)})`;
    }
  }

  private vector(x: VectorExpr): string {
    switch (x.k) {
      case 'vlocal':
        return `(local.get $v${x.index})`;
      case 'vglobal':
        return '(global.get $vg)';
      case 'vop':
        return `(f32x4.${x.op} ${this.vector(x.x)} ${this.vector(x.y)})`;
      case 'vneg':
        return `(f32x4.neg ${this.vector(x.x)})`;
      case 'vload':
        return `(v128.load ${this.address(x.address)})`;
      case 'splat':
        return `(f32x4.splat ${this.float(x.x)})`;
      case 'vxor':
        return `(v128.xor ${this.vector(x.x)} ${this.vector(x.y)})`;
    }
  }

  private statement(s: Statement): string {
    switch (s.k) {
      case 'set':
        return `(local.set $i${s.index} ${this.int(s.x)})`;
      case 'fset':
        return `(local.set $f${s.index} ${this.float(s.x)})`;
      case 'vset':
        return `(local.set $v${s.index} ${this.vector(s.x)})`;
      case 'gset':
        return `(global.set $g ${this.int(s.x)})`;
      case 'move':
        return `(local.set $p${s.index} (i32.add (local.get $p${s.from}) (i32.const ${s.by})))`;
      case 'fgset':
        return `(global.set $fg ${this.float(s.x)})`;
      case 'vgset':
        return `(global.set $vg ${this.vector(s.x)})`;
      case 'store':
        return `(i32.store${s.bytes === 1 ? '8' : ''} ${this.address(s.address)} ${this.int(s.x)})`;
      case 'fstore':
        return `(f32.store ${this.address(s.address)} ${this.float(s.x)})`;
      case 'vstore':
        return `(v128.store ${this.address(s.address)} ${this.vector(s.x)})`;
      case 'if': {
        const otherwise = s.else ? `(else ${this.list(s.else)})` : '';
        return `(if ${this.int(s.test)} (then ${this.list(s.then)}) ${otherwise})`;
      }
      case 'block': {
        const label = `$b${this.labels++}`;
        return `(block ${label} ${this.list(s.before)} (br_if ${label} ${this.int(s.leave)}) ${this.list(s.after)})`;
      }
      case 'loop':
        return this.loop(s.form, s.turns, this.list(s.body), '');
      case 'stride': {
        const starts = s.starts
          .map((start, i) => `(local.set $p${i} (i32.const ${start}))`)
          .join(' ');
        const moves = s.steps
          .map((step, i) => `(local.set $p${i} (i32.add (local.get $p${i}) ${this.step(step)}))`)
          .join(' ');
        return `${starts} ${this.loop(s.form, s.turns, this.list(s.body), moves)}`;
      }
      case 'fill':
        return `(memory.fill (i32.and ${this.int(s.to)} (i32.const ${MASK})) ${this.int(s.value)} (i32.const ${s.length}))`;
      case 'copy':
        return `(memory.copy (i32.and ${this.int(s.to)} (i32.const ${MASK})) (i32.and ${this.int(s.from)} (i32.const ${MASK})) (i32.const ${s.length}))`;
      case 'grow':
        return `(drop (memory.grow (i32.const ${s.pages})))`;
    }
  }

  private step(step: Step): string {
    return typeof step === 'number' ? `(i32.const ${step})` : `(local.get $i${step.local})`;
  }

  private loop(form: 'do' | 'for', turns: number, body: string, moves: string): string {
    const n = `$n${this.counters++}`;
    const label = `$l${this.labels++}`;
    if (form === 'do') {
      return `(local.set ${n} (i32.const ${turns}))
        (loop ${label} ${body} ${moves}
          (br_if ${label} (local.tee ${n} (i32.sub (local.get ${n}) (i32.const 1)))))`;
    }
    return `(local.set ${n} (i32.const 0))
      (loop ${label} (if (i32.lt_s (local.get ${n}) (i32.const ${turns})) (then ${body} ${moves}
        (local.set ${n} (i32.add (local.get ${n}) (i32.const 1))) (br ${label}))))`;
  }
}
