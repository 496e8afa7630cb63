import fc from 'fast-check';

/**
 * Random programs: a tree that is both written as a WebAssembly module (`programText`) and run by a
 * plain interpreter (`interpret` in `interpreter.ts`).
 */
export type IntOp = 'add' | 'sub' | 'mul' | 'and' | 'or' | 'xor' | 'shl' | 'shr_u' | 'lt_u' | 'eq';
export type FloatOp = 'add' | 'sub' | 'mul' | 'div' | 'min' | 'max' | 'copysign';
export type FloatUnary = 'neg' | 'abs' | 'sqrt' | 'floor' | 'nearest';
export type VectorOp = 'add' | 'mul' | 'div' | 'max' | 'pmin' | 'pmax';

export type IntExpr =
  | { k: 'const'; value: number }
  | { k: 'local'; index: number }
  | { k: 'global' }
  | { k: 'size' }
  | { k: 'op'; op: IntOp; x: IntExpr; y: IntExpr }
  | { k: 'load'; bytes: 1 | 4; address: Address }
  | { k: 'bits'; x: FloatExpr }
  | { k: 'call'; x: IntExpr; y: IntExpr };
export type FloatExpr =
  | { k: 'fconst'; bits: number }
  | { k: 'flocal'; index: number }
  | { k: 'fglobal' }
  | { k: 'fop'; op: FloatOp; x: FloatExpr; y: FloatExpr }
  | { k: 'funary'; op: FloatUnary; x: FloatExpr }
  | { k: 'fload'; address: Address }
  | { k: 'fselect'; x: FloatExpr; y: FloatExpr; test: IntExpr }
  | { k: 'lane'; x: VectorExpr; lane: number };
export type VectorExpr =
  | { k: 'vlocal'; index: number }
  | { k: 'vglobal' }
  | { k: 'vop'; op: VectorOp; x: VectorExpr; y: VectorExpr }
  | { k: 'vneg'; x: VectorExpr }
  | { k: 'vload'; address: Address }
  | { k: 'splat'; x: FloatExpr }
  | { k: 'vxor'; x: VectorExpr; y: VectorExpr };
/** A base (masked into the heap, or a pointer local as it is) and a static offset. */
export interface Address {
  base: IntExpr | { k: 'pointer'; index: number } | { k: 'indexed'; index: number; by: number };
  offset: number;
}
export type Statement =
  | { k: 'set'; index: number; x: IntExpr }
  | { k: 'fset'; index: number; x: FloatExpr }
  | { k: 'vset'; index: number; x: VectorExpr }
  | { k: 'gset'; x: IntExpr }
  | { k: 'move'; index: number; from: number; by: number }
  | { k: 'fgset'; x: FloatExpr }
  | { k: 'vgset'; x: VectorExpr }
  | { k: 'store'; bytes: 1 | 4; address: Address; x: IntExpr }
  | { k: 'fstore'; address: Address; x: FloatExpr }
  | { k: 'vstore'; address: Address; x: VectorExpr }
  | { k: 'if'; test: IntExpr; then: Statement[]; else: Statement[] | null }
  | { k: 'block'; before: Statement[]; leave: IntExpr; after: Statement[] }
  | { k: 'loop'; turns: number; body: Statement[]; form: 'do' | 'for' }
  /** A loop with pointers that step: what may get a fast version. */
  | {
      k: 'stride';
      turns: number;
      starts: number[];
      steps: Step[];
      body: Statement[];
      form: 'do' | 'for';
    }
  | { k: 'fill'; to: IntExpr; value: IntExpr; length: number }
  | { k: 'copy'; to: IntExpr; from: IntExpr; length: number }
  | { k: 'grow'; pages: number };

/** By how much a pointer moves: a constant or an integer local. */
export type Step = number | { local: number };

export interface Program {
  main: Statement[];
  /** A function of two integers that `call` expressions call. */
  helper: { body: Statement[]; result: IntExpr };
}

export const INT_LOCALS = 3;
export const POINTERS = 2;
export const FLOAT_LOCALS = 2;
export const VECTOR_LOCALS = 2;
export const PAGES = 6;
export const MAX_PAGES = 9;
/** Addresses are masked with this, so that most accesses are inside of the heap. */
export const MASK = 0x3ffff;
/** What the integer locals and pointers of `main` start with. */
export const START_INTS = [7, 48, 140_000];
export const START_POINTERS = [131_064, 200_000];

const interesting = [0, 1, 4, 65535, 65536, 65532, 131072, 131071, 0x3fff0, -1];
const floatBits = [
  0, 0x80000000, 0x3f800000, 0xbf800000, 0x7f800000, 0xff800000, 0x7fc00000, 0xffc00001, 0x7fa00001,
  0x7f7fffff, 0x40490fdb, 1,
];
const offsets = fc.oneof(fc.nat(64), fc.constantFrom(4096, 65520, 65535, 65536));
const steps: fc.Arbitrary<Step> = fc.oneof(
  { arbitrary: fc.constantFrom(0, 1, 4, 16, 16, 64, 256, 4096, -16, -4), weight: 3 },
  { arbitrary: fc.record({ local: fc.nat(INT_LOCALS - 1) }), weight: 2 },
);

const expressions = fc.letrec<{
  int: IntExpr;
  float: FloatExpr;
  vector: VectorExpr;
  address: Address;
}>((tie) => ({
  address: fc.record({
    base: fc.oneof(
      { depthSize: 'small', withCrossShrink: true },
      fc.record({ k: fc.constant('pointer' as const), index: fc.nat(POINTERS - 1) }),
      fc.record({
        k: fc.constant('indexed' as const),
        index: fc.nat(POINTERS - 1),
        by: fc.nat(INT_LOCALS - 1),
      }),
      tie('int'),
    ),
    offset: offsets,
  }),
  int: fc.oneof(
    { depthSize: 'small', withCrossShrink: true },
    fc.record({
      k: fc.constant('const' as const),
      value: fc.oneof(fc.constantFrom(...interesting), fc.integer({ min: -1000, max: 200_000 })),
    }),
    fc.record({ k: fc.constant('local' as const), index: fc.nat(INT_LOCALS - 1) }),
    fc.record({ k: fc.constant('global' as const) }),
    fc.record({ k: fc.constant('size' as const) }),
    fc.record({
      k: fc.constant('op' as const),
      op: fc.constantFrom<IntOp>(
        'add',
        'sub',
        'mul',
        'and',
        'or',
        'xor',
        'shl',
        'shr_u',
        'lt_u',
        'eq',
      ),
      x: tie('int'),
      y: tie('int'),
    }),
    fc.record({
      k: fc.constant('load' as const),
      bytes: fc.constantFrom<1 | 4>(1, 4),
      address: tie('address'),
    }),
    fc.record({ k: fc.constant('bits' as const), x: tie('float') }),
    fc.record({ k: fc.constant('call' as const), x: tie('int'), y: tie('int') }),
  ),
  float: fc.oneof(
    { depthSize: 'small', withCrossShrink: true },
    fc.record({ k: fc.constant('fconst' as const), bits: fc.constantFrom(...floatBits) }),
    fc.record({ k: fc.constant('flocal' as const), index: fc.nat(FLOAT_LOCALS - 1) }),
    fc.record({ k: fc.constant('fglobal' as const) }),
    fc.record({
      k: fc.constant('fop' as const),
      op: fc.constantFrom<FloatOp>('add', 'sub', 'mul', 'div', 'min', 'max', 'copysign'),
      x: tie('float'),
      y: tie('float'),
    }),
    fc.record({
      k: fc.constant('funary' as const),
      op: fc.constantFrom<FloatUnary>('neg', 'abs', 'sqrt', 'floor', 'nearest'),
      x: tie('float'),
    }),
    fc.record({ k: fc.constant('fload' as const), address: tie('address') }),
    fc.record({
      k: fc.constant('fselect' as const),
      x: tie('float'),
      y: tie('float'),
      test: tie('int'),
    }),
    fc.record({ k: fc.constant('lane' as const), x: tie('vector'), lane: fc.nat(3) }),
  ),
  vector: fc.oneof(
    { depthSize: 'small', withCrossShrink: true },
    fc.record({ k: fc.constant('vlocal' as const), index: fc.nat(VECTOR_LOCALS - 1) }),
    fc.record({ k: fc.constant('vglobal' as const) }),
    fc.record({
      k: fc.constant('vop' as const),
      op: fc.constantFrom<VectorOp>('add', 'mul', 'div', 'max', 'pmin', 'pmax'),
      x: tie('vector'),
      y: tie('vector'),
    }),
    fc.record({ k: fc.constant('vneg' as const), x: tie('vector') }),
    fc.record({ k: fc.constant('vload' as const), address: tie('address') }),
    fc.record({ k: fc.constant('splat' as const), x: tie('float') }),
    fc.record({ k: fc.constant('vxor' as const), x: tie('vector'), y: tie('vector') }),
  ),
}));
const { int, float, vector, address } = expressions;

const simple: fc.Arbitrary<Statement> = fc.oneof(
  fc.record({ k: fc.constant('set' as const), index: fc.nat(INT_LOCALS - 1), x: int }),
  fc.record({ k: fc.constant('fset' as const), index: fc.nat(FLOAT_LOCALS - 1), x: float }),
  fc.record({ k: fc.constant('vset' as const), index: fc.nat(VECTOR_LOCALS - 1), x: vector }),
  fc.record({ k: fc.constant('gset' as const), x: int }),
  fc.record({
    k: fc.constant('move' as const),
    index: fc.nat(POINTERS - 1),
    from: fc.nat(POINTERS - 1),
    by: fc.constantFrom(0, 4, 64, 65_536, -65_536, -16),
  }),
  fc.record({ k: fc.constant('fgset' as const), x: float }),
  fc.record({ k: fc.constant('vgset' as const), x: vector }),
  fc.record({
    k: fc.constant('store' as const),
    bytes: fc.constantFrom<1 | 4>(1, 4),
    address,
    x: int,
  }),
  fc.record({ k: fc.constant('fstore' as const), address, x: float }),
  fc.record({ k: fc.constant('vstore' as const), address, x: vector }),
);
const bulk: fc.Arbitrary<Statement> = fc.oneof(
  fc.record({
    k: fc.constant('fill' as const),
    to: int,
    value: int,
    length: fc.constantFrom(0, 1, 100, 5000, 70_000),
  }),
  fc.record({
    k: fc.constant('copy' as const),
    to: int,
    from: int,
    length: fc.constantFrom(0, 1, 100, 5000, 70_000),
  }),
  fc.record({ k: fc.constant('grow' as const), pages: fc.nat(2) }),
);
const form = fc.constantFrom<'do' | 'for'>('do', 'for');

const statements = fc.letrec<{ list: Statement[]; one: Statement }>((tie) => ({
  list: fc.array(tie('one'), { maxLength: 4, depthIdentifier: 'statements' }),
  one: fc.oneof(
    { depthSize: 'small', withCrossShrink: true, depthIdentifier: 'statements' },
    { arbitrary: simple, weight: 6 },
    { arbitrary: bulk, weight: 1 },
    {
      arbitrary: fc.record({
        k: fc.constant('stride' as const),
        turns: fc.integer({ min: 1, max: 150 }),
        starts: fc.array(fc.constantFrom(16, 4096, 60_000, 65_500, 131_000, 200_000), {
          minLength: POINTERS,
          maxLength: POINTERS,
        }),
        steps: fc.array(steps, { minLength: POINTERS, maxLength: POINTERS }),
        body: fc.array(
          fc.oneof({ arbitrary: simple, weight: 6 }, { arbitrary: tie('one'), weight: 1 }),
          {
            minLength: 1,
            maxLength: 4,
          },
        ),
        form,
      }),
      weight: 3,
    },
    {
      arbitrary: fc.record({
        k: fc.constant('if' as const),
        test: int,
        then: tie('list'),
        else: fc.option(tie('list')),
      }),
      weight: 2,
    },
    {
      arbitrary: fc.record({
        k: fc.constant('block' as const),
        before: tie('list'),
        leave: int,
        after: tie('list'),
      }),
      weight: 1,
    },
    {
      arbitrary: fc.record({
        k: fc.constant('loop' as const),
        turns: fc.integer({ min: 1, max: 5 }),
        body: tie('list'),
        form,
      }),
      weight: 2,
    },
  ),
}));

/** A program; its helper does not call itself. */
export const program: fc.Arbitrary<Program> = fc.record({
  main: fc.array(statements.one, { minLength: 1, maxLength: 6 }),
  helper: fc.record({ body: fc.array(simple, { maxLength: 2 }), result: int }).map(withoutCalls),
});

function withoutCalls<T>(tree: T): T {
  return JSON.parse(JSON.stringify(tree), (_, value: unknown) =>
    typeof value === 'object' && value !== null && (value as { k?: string }).k === 'call'
      ? { k: 'local', index: 0 }
      : value,
  ) as T;
}
