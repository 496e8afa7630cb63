/** Work of one kernel: how often it does each thing that its instructions are proportional to. */
export interface Work {
  /** Name of the kernel: a key of `kernels` in the coefficients. */
  kernel: string;
  counts: Readonly<Record<string, number>>;
}

/** Kernel of {@link plainWork}. */
export const plainKernel = 'plain';

/** Work that is told in instructions: of kernels that no coefficients were measured for. */
export function plainWork(instructions: number): Work[] {
  return [{ kernel: plainKernel, counts: { instruction: instructions } }];
}

/** The same work several times. */
export function times(work: readonly Work[], count: number): Work[] {
  return work.map(({ kernel, counts }) => ({
    kernel,
    counts: Object.fromEntries(Object.entries(counts).map(([name, each]) => [name, each * count])),
  }));
}

/** Collects counts by name. */
export class Counts {
  readonly counts: Record<string, number> = {};
  add(name: string, count: number): this {
    this.counts[name] = (this.counts[name] ?? 0) + count;
    return this;
  }
}
