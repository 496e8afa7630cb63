import { expect, test } from 'vitest';
import { boundOf, countValue, histogramAt, histogramCells } from './histogram.js';

test.each([
  { first: 1_000_000, ratio: 4 },
  { first: 0.5, ratio: 2 },
])('a value counts at the first bound that it does not exceed: %o', (scale) => {
  const bounds = Array.from({ length: 12 }, (_, bucket) => boundOf(scale, bucket));
  const near = bounds.flatMap((bound) => [bound * (1 - 1e-15), bound, bound * (1 + 1e-15)]);
  const values = [0, 1e-9, ...near, 1e300];
  for (const value of values) {
    const cells = new Float64Array(3 + histogramCells);
    countValue(cells, 3, scale, value);
    const { buckets, sum } = histogramAt(cells, 3, scale);
    for (const { bound = Infinity, atMost } of buckets) {
      expect(atMost, `${value} at ${bound}`).toBe(value <= bound ? 1 : 0);
    }
    expect(sum).toBe(value);
    expect([...cells.subarray(0, 3)]).toEqual([0, 0, 0]);
  }
});
