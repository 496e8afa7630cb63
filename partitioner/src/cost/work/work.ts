/** Work of one kernel: how often it does each thing that its instructions are proportional to. */
export interface Work {
  /** Name of the kernel: a key of `kernels` in the coefficients. */
  kernel: string;
  counts: Readonly<Record<string, number>>;
}

/** Collects counts by name. */
export class Counts {
  readonly counts: Record<string, number> = {};
  add(name: string, count: number): this {
    this.counts[name] = (this.counts[name] ?? 0) + count;
    return this;
  }
}
