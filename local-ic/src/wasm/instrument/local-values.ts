import type { FunctionCode } from './function-code.js';
import { Bits, joinBits } from './numeric-shapes.js';
import { NOWHERE } from './operand-stack.js';
import { ROOT_CONST } from './roots.js';
import type { ValueNumbers } from './value-numbers.js';

/** What the local variables hold at a point of a function, as columns by local. */
export class LocalValues {
  count = 0;
  root = new Int32Array(256);
  offset = new Float64Array(256);
  /** What is known of a float's bits (see `Bits`). */
  bits = new Uint8Array(256);
  /** The row that last set the local, or `NOWHERE`. */
  setRow = new Int32Array(256);
  /**
   * Locals that are only given exact values, because raw values of two shapes met in them. Found in
   * one pass over the function, kept for the next.
   */
  readonly strict = new Set<number>();

  constructor(private readonly numbers: ValueNumbers) {}

  /** Parameters are unknown, other locals zero. */
  beginFunction(parameters: number, count: number): void {
    this.count = count;
    if (this.root.length < count) {
      this.root = new Int32Array(2 * count);
      this.offset = new Float64Array(2 * count);
      this.bits = new Uint8Array(2 * count);
      this.setRow = new Int32Array(2 * count);
    }
    for (let local = 0; local < count; local++) {
      const isParameter = local < parameters;
      this.root[local] = isParameter ? this.numbers.fresh() : ROOT_CONST;
      this.offset[local] = 0;
      this.bits[local] = isParameter ? Bits.exact : Bits.noNan;
      this.setRow[local] = NOWHERE;
    }
  }

  /** What the sets `[from, to)` of the function set is unknown from here. */
  renumber(code: FunctionCode, from: number, to: number): void {
    for (let i = from; i < to; i++) {
      const local = code.a[code.setRow[i]!]!;
      this.root[local] = this.numbers.fresh();
      this.offset[local] = 0;
    }
  }

  /** A local that holds `root` plus the offset returned, among those that `except` does not name. */
  holding(root: number, except: ReadonlySet<number>): [local: number, offset: number] | undefined {
    for (let local = 0; local < this.count; local++) {
      if (this.root[local] === root && !except.has(local)) return [local, this.offset[local]!];
    }
    return undefined;
  }

  snapshotBits(): Uint8Array {
    return this.bits.slice(0, this.count);
  }

  /**
   * Joins what is known of the locals' bits here into `state`, the state where this path meets
   * others; returns whether that changed it.
   */
  joinBitsInto(state: Uint8Array): boolean {
    let changed = false;
    for (let local = 0; local < this.count; local++) {
      const joined = joinBits(state[local]!, this.bits[local]!);
      if (joined === state[local]) continue;
      if (joined !== -1) state[local] = joined;
      else if (this.strict.has(local)) continue;
      else this.strict.add(local);
      changed = true;
    }
    return changed;
  }
}
