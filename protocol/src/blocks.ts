/**
 * Into which blocks of rows workers cut matrix products. The worker's constants are generated from these;
 * the planner reckons memory and cost with the same.
 */

/** Up to so many rows each goes alone: below, holding weights for several rows does not pay. */
export const singleRows = 2;

/**
 * Input channels that go through a panel without a look at the budget: a deeper product is done in
 * pieces of as many. A multiple of the depths that kernels unroll, so sums are the same.
 */
export const depthPiece = 4096;

/** Linear and Conv: input floats of a block, what a second-level cache holds while panels pass. */
export const linearBlockFloats = 65536;
export const linearMinBlockRows = 32;
export const linearMaxBlockRows = 1024;

/** MatMul: floats of A in a block of rows, and rows it has at least. */
export const matMulBlockFloats = 262144;
export const matMulMinBlockRows = 64;

/** Rows of a block of Linear and Conv for so many input numbers a row. */
export function linearBlockRows(depth: number): number {
  const rows = Math.floor(linearBlockFloats / Math.max(depth, 1));
  return Math.min(linearMaxBlockRows, Math.max(linearMinBlockRows, rows));
}

/** Rows of a block of MatMul, of `rows` in all. */
export function matMulBlockRows(depth: number, rows: number): number {
  const some = Math.floor(matMulBlockFloats / Math.min(Math.max(depth, 1), depthPiece));
  return Math.min(rows, Math.max(matMulMinBlockRows, some));
}

/** Channels that rows go through at a time where weights are integers: their sums take few pages. */
export const integerChannels = 1024;

/**
 * Numbers of rows that the kernels of Linear are compiled for, and the depths of each, the greatest first.
 * Each divides {@link linearPiece}, the depth between two looks at the budget.
 */
export const linearKernels: Readonly<Record<number, readonly number[]>> = {
  1: [256, 64, 16, 4, 1],
  4: [128, 32, 8, 1],
  8: [64, 16, 4, 1],
  16: [32, 8, 2, 1],
};
export const linearPiece = 256;

/** Depth from which these kernels pay; a matrix of less goes panel by panel. */
export const linearMinDepth = 64;

/** Channels that rows go through at a time in them: their sums take 16 KiB. */
export const linearChannels = 256;

/** Into which numbers of rows of `kernels` so many rows are taken, and how often each: the greatest first. */
export function rowGroups(
  kernels: Readonly<Record<number, unknown>>,
  rows: number,
): { rows: number; times: number }[] {
  let rest = rows;
  return Object.keys(kernels)
    .map(Number)
    .toSorted((a, b) => b - a)
    .map((some) => {
      const times = Math.floor(rest / some);
      rest %= some;
      return { rows: some, times };
    })
    .filter(({ times }) => times > 0);
}
