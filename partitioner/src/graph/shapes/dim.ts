/**
 * Sizes as expressions over named sizes: `seq + 1`, `2*h`, `floor((w - 1)/2)`. An expression is kept
 * in one normal form, a sum of products, so that equal ones have equal texts. A named size is a whole
 * number of 0 or more.
 */
export type Dim = number | Expression;

/** What a product is made of: a named size, or a function of sizes that is no sum of products. */
interface Atom {
  /** Its text, by which atoms are compared. */
  key: string;
  /** The named sizes in it. */
  symbols: ReadonlySet<string>;
  /** Whether it cannot be below 0. */
  atLeastZero: boolean;
  /** What of, where it is a function. */
  call?: { name: string; operands: readonly Dim[] };
  evaluate(sizeOf: SizeOf): number;
}

interface Term {
  coefficient: number;
  /** Ordered by key; a power is its atom several times. */
  factors: readonly Atom[];
}

/** The size that a name stands for. */
export type SizeOf = (symbol: string) => number;

/** A sum of products that is not just a number. */
export class Expression {
  readonly text: string;

  /** @param terms by the text of their factors, in its order; none with coefficient 0 */
  constructor(readonly terms: ReadonlyMap<string, Term>) {
    this.text = [...terms]
      .map(([key, { coefficient }], index) => {
        const size = Math.abs(coefficient);
        const product = key === '' ? `${size}` : size === 1 ? key : `${size}*${key}`;
        if (index === 0) return coefficient < 0 ? `-${product}` : product;
        return coefficient < 0 ? ` - ${product}` : ` + ${product}`;
      })
      .join('');
  }

  /** The number of the term without factors. */
  get constant(): number {
    return this.terms.get('')?.coefficient ?? 0;
  }
  toString(): string {
    return this.text;
  }
}

/** From terms in any order. */
function fromTerms(terms: ReadonlyMap<string, Term>): Dim {
  const kept = [...terms].filter(([, { coefficient }]) => coefficient !== 0);
  if (kept.length === 0) return 0;
  if (kept.length === 1 && kept[0]![0] === '') return kept[0]![1].coefficient;
  // Numbers last, as one writes them.
  const order = ([key]: [string, Term]): string => (key === '' ? '\uffff' : key);
  kept.sort((a, b) => (order(a) < order(b) ? -1 : 1));
  return new Expression(new Map(kept));
}

function termsOf(dim: Dim): ReadonlyMap<string, Term> {
  return typeof dim === 'number' ? new Map([['', { coefficient: dim, factors: [] }]]) : dim.terms;
}

function fromAtom(atom: Atom): Dim {
  return new Expression(new Map([[atom.key, { coefficient: 1, factors: [atom] }]]));
}

/** A named size. */
export function symbol(name: string): Dim {
  return fromAtom({
    key: /^[A-Za-z_][\w.]*$/.test(name) ? name : JSON.stringify(name),
    symbols: new Set([name]),
    atLeastZero: true,
    evaluate: (sizeOf) => sizeOf(name),
  });
}

/** Whether two sizes are the same for all sizes of the names in them. */
export function same(a: Dim, b: Dim): boolean {
  if (typeof a === 'number' || typeof b === 'number') return a === b;
  return a === b || a.text === b.text;
}

export function add(a: Dim, b: Dim): Dim {
  if (typeof a === 'number' && typeof b === 'number') return a + b;
  if (a === 0) return b;
  if (b === 0) return a;
  const terms = new Map(termsOf(a));
  for (const [key, term] of termsOf(b)) {
    const coefficient = (terms.get(key)?.coefficient ?? 0) + term.coefficient;
    terms.set(key, { ...term, coefficient });
  }
  return fromTerms(terms);
}

export function subtract(a: Dim, b: Dim): Dim {
  return add(a, multiply(b, -1));
}

function productOf(a: Term, b: Term): Term {
  const factors = [...a.factors, ...b.factors].sort((x, y) => (x.key < y.key ? -1 : 1));
  return { coefficient: a.coefficient * b.coefficient, factors };
}

function keyOf(factors: readonly Atom[]): string {
  return factors.map(({ key }) => key).join('*');
}

export function multiply(a: Dim, b: Dim): Dim {
  if (typeof a === 'number' && typeof b === 'number') return a * b;
  if (a === 1) return b;
  if (b === 1) return a;
  const terms = new Map<string, Term>();
  for (const left of termsOf(a).values()) {
    for (const right of termsOf(b).values()) {
      const term = productOf(left, right);
      const key = keyOf(term.factors);
      const coefficient = (terms.get(key)?.coefficient ?? 0) + term.coefficient;
      terms.set(key, { ...term, coefficient });
    }
  }
  return fromTerms(terms);
}

/** Product of sizes; 1 of none. */
export function product(dims: readonly Dim[]): Dim {
  return dims.reduce<Dim>(multiply, 1);
}

/** Sum of sizes; 0 of none. */
export function sum(dims: readonly Dim[]): Dim {
  return dims.reduce<Dim>(add, 0);
}

/** `a` without the factors of `b`; undefined where they are not all in it. */
function termQuotient(a: Term, b: Term): Term | undefined {
  const coefficient = a.coefficient / b.coefficient;
  if (!Number.isInteger(coefficient)) return undefined;
  const factors = [...a.factors];
  for (const { key } of b.factors) {
    const at = factors.findIndex((factor) => factor.key === key);
    if (at < 0) return undefined;
    factors.splice(at, 1);
  }
  return { coefficient, factors };
}

/** The term of most factors, for long division. */
function leadingTerm(dim: Dim): Term {
  return [...termsOf(dim).values()].reduce((most, term) =>
    term.factors.length > most.factors.length ? term : most,
  );
}

/** `a / b` where that leaves nothing over whatever the sizes are; else undefined. */
export function quotient(a: Dim, b: Dim): Dim | undefined {
  if (b === 0) return undefined;
  if (same(a, b)) return 1;
  const divisor = leadingTerm(b);
  let rest = a;
  let result: Dim = 0;
  // Each turn takes the leading term away; more turns than terms can only go on for ever.
  for (let turn = 0; rest !== 0; turn++) {
    const term = turn < 64 ? termQuotient(leadingTerm(rest), divisor) : undefined;
    if (!term) return undefined;
    const part = fromTerms(new Map([[keyOf(term.factors), term]]));
    result = add(result, part);
    rest = subtract(rest, multiply(part, b));
  }
  return result;
}

/** The named sizes in a size. */
export function symbolsOf(dim: Dim): ReadonlySet<string> {
  const found = new Set<string>();
  if (typeof dim === 'number') return found;
  for (const { factors } of dim.terms.values()) {
    for (const factor of factors) for (const name of factor.symbols) found.add(name);
  }
  return found;
}

/** Whether a size cannot be below 0, as far as its form shows. */
export function isAtLeastZero(dim: Dim): boolean {
  return [...termsOf(dim).values()].every(
    ({ coefficient, factors }) =>
      coefficient >= 0 && factors.every(({ atLeastZero }) => atLeastZero),
  );
}

/** A function of sizes that is no sum of products. */
function call(
  name: string,
  operands: readonly Dim[],
  atLeastZero: boolean,
  compute: (...values: number[]) => number,
  key = `${name}(${operands.map(String).sort().join(', ')})`,
): Dim {
  return fromAtom({
    key,
    symbols: new Set(operands.flatMap((operand) => [...symbolsOf(operand)])),
    atLeastZero,
    call: { name, operands },
    evaluate: (sizeOf) => compute(...operands.map((operand) => evaluate(operand, sizeOf))),
  });
}

/** Operands of a function, where a size is nothing but that. */
function operandsOf(name: string, dim: Dim): readonly Dim[] | undefined {
  if (typeof dim === 'number' || dim.terms.size !== 1) return undefined;
  const [{ coefficient, factors }] = [...dim.terms.values()] as [Term];
  const [only] = factors;
  const alone = coefficient === 1 && factors.length === 1 && only?.call?.name === name;
  return alone ? only.call!.operands : undefined;
}

/** The largest number that divides all numbers. */
function commonDivisor(numbers: readonly number[]): number {
  return numbers.reduce((a, b) => {
    let [x, y] = [Math.abs(a), Math.abs(b)];
    while (y !== 0) [x, y] = [y, x % y];
    return x;
  }, 0);
}

/** `a / b` rounded down. */
export function floorDivide(a: Dim, b: Dim): Dim {
  if (typeof a === 'number' && typeof b === 'number' && b !== 0) return Math.floor(a / b);
  const exact = quotient(a, b);
  if (exact !== undefined) return exact;
  let whole: Dim = 0;
  let dividend = a;
  if (typeof b === 'number' && b > 0) {
    // Floors of floors are one floor: floor((floor(x / d) + c) / b) = floor((x + c*d) / (b*d)).
    const offset = typeof a === 'number' ? 0 : a.constant;
    const [inner, divisor] = operandsOf('floor', subtract(a, offset)) ?? [];
    if (inner !== undefined && typeof divisor === 'number') {
      return floorDivide(add(inner, offset * divisor), b * divisor);
    }
    // What b divides comes out of the floor.
    const out = new Map<string, Term>();
    for (const [key, term] of termsOf(a)) {
      const coefficient =
        key === ''
          ? Math.floor(term.coefficient / b)
          : Number.isInteger(term.coefficient / b)
            ? term.coefficient / b
            : 0;
      out.set(key, { ...term, coefficient });
    }
    whole = fromTerms(out);
    dividend = subtract(a, multiply(whole, b));
    if (typeof dividend === 'number') return add(whole, Math.floor(dividend / b));
    const factors = [...dividend.terms.values()].map(({ coefficient }) => coefficient);
    const common = commonDivisor([b, ...factors]);
    if (common > 1) return add(whole, floorDivide(quotient(dividend, common)!, b / common));
  }
  const atLeastZero = isAtLeastZero(dividend) && isAtLeastZero(b);
  const key = `floor(${wrapped(dividend)}/${wrapped(b)})`;
  return add(
    whole,
    call('floor', [dividend, b], atLeastZero, (x, y) => Math.floor(x / y), key),
  );
}

/** `a / b` rounded towards 0, `b` a number above 0. */
export function truncatedDivide(a: Dim, b: number): Dim {
  if (typeof a === 'number') return Math.trunc(a / b);
  if (b === 1 || isAtLeastZero(a)) return floorDivide(a, b);
  const key = `trunc(${wrapped(a)}/${b})`;
  return call('trunc', [a], false, (x) => Math.trunc(x / b), key);
}

/** `a / b` rounded up. */
export function ceilDivide(a: Dim, b: Dim): Dim {
  return floorDivide(add(a, subtract(b, 1)), b);
}

function wrapped(dim: Dim): string {
  return typeof dim !== 'number' && dim.terms.size > 1 ? `(${dim.text})` : String(dim);
}

/** The larger of two sizes. */
export function maximum(a: Dim, b: Dim): Dim {
  if (isAtLeastZero(subtract(a, b))) return a;
  if (isAtLeastZero(subtract(b, a))) return b;
  const atLeastZero = isAtLeastZero(a) || isAtLeastZero(b);
  return call('max', [a, b], atLeastZero, Math.max);
}

/** The smaller of two sizes. */
export function minimum(a: Dim, b: Dim): Dim {
  if (isAtLeastZero(subtract(a, b))) return b;
  if (isAtLeastZero(subtract(b, a))) return a;
  const atLeastZero = isAtLeastZero(a) && isAtLeastZero(b);
  return call('min', [a, b], atLeastZero, Math.min);
}

/** The size that two make together when they are broadcast as numpy does: 1 takes the other's. */
export function broadcast(a: Dim, b: Dim): Dim {
  if (a === 1 || same(a, b)) return b;
  if (b === 1) return a;
  if (typeof a === 'number') return a;
  if (typeof b === 'number') return b;
  // min(k, b) is b, or else no size that goes with b.
  if (isCutOff(a, b)) return b;
  if (isCutOff(b, a)) return a;
  return call('broadcast', [a, b], true, (x, y) => (x === 1 ? y : x));
}

/** Whether `part` is `whole`, but a number above 0 at most. */
function isCutOff(part: Dim, whole: Dim): boolean {
  const operands = operandsOf('min', part) ?? [];
  const most = operands.find((operand) => typeof operand === 'number') ?? 0;
  return most > 0 && operands.some((operand) => same(operand, whole));
}

/** `size * factor` in f32, rounded down; the factor is any number. */
export function scale(size: Dim, factor: number): Dim {
  const scaled = (x: number): number => Math.floor(Math.fround(x * factor));
  if (typeof size === 'number') return scaled(size);
  if (Number.isInteger(factor)) return multiply(size, factor);
  if (Number.isInteger(1 / factor)) return floorDivide(size, 1 / factor);
  const key = `floor(${factor}*${wrapped(size)})`;
  return call('scale', [size], isAtLeastZero(size), (x) => scaled(x), key);
}

/** The number that a size is when its names stand for these sizes. */
export function evaluate(dim: Dim, sizeOf: SizeOf): number {
  if (typeof dim === 'number') return dim;
  let result = 0;
  for (const { coefficient, factors } of dim.terms.values()) {
    result += factors.reduce((value, factor) => value * factor.evaluate(sizeOf), coefficient);
  }
  return result;
}
