/**
 * Counts of values by size, as Prometheus has them, among other numbers of one array: a request pays for each
 * page of memory that it touches.
 */

/** Upper bounds `first`, `first * ratio`, and so on. */
export interface Scale {
  first: number;
  ratio: number;
}

/** Bounds of a scale; a last bucket has what is beyond them. */
const boundCount = 12;
/** Numbers that a histogram takes: its buckets, then the sum of its values. */
export const histogramCells = boundCount + 2;

export function boundOf({ first, ratio }: Scale, bucket: number): number {
  return first * ratio ** bucket;
}

/** Counts a value in the histogram that begins at `at`. */
export function countValue(cells: Float64Array, at: number, scale: Scale, value: number): void {
  const { first, ratio } = scale;
  const exponent = Math.ceil(Math.log2(value / first) / Math.log2(ratio));
  let bucket = Math.min(Math.max(exponent, 0), boundCount);
  // The logarithm of a bound may be off by a bit.
  if (bucket < boundCount && value > boundOf(scale, bucket)) bucket++;
  else if (bucket > 0 && value <= boundOf(scale, bucket - 1)) bucket--;
  cells[at + bucket]!++;
  cells[at + boundCount + 1]! += value;
}

/** A histogram as it is shown. */
export interface Histogram {
  /** For each bound how many values are at most that; then, without a bound, of all. */
  buckets: { bound: number | undefined; atMost: number }[];
  sum: number;
}

/** The histogram that begins at `at`. */
export function histogramAt(cells: Float64Array, at: number, scale: Scale): Histogram {
  let atMost = 0;
  const buckets = Array.from({ length: boundCount + 1 }, (_, bucket) => {
    atMost += cells[at + bucket]!;
    return { bound: bucket < boundCount ? boundOf(scale, bucket) : undefined, atMost };
  });
  return { buckets, sum: cells[at + boundCount + 1]! };
}
