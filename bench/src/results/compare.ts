import { runKey, type BenchResult } from './schema.js';

/** A count that is not what it was. */
export interface Difference {
  /** Which run, which field. */
  where: string;
  expected: number;
  /** NaN where it is missing. */
  actual: number;
}

/** Differences of so much and more are reported. */
const tolerance = 0.01;
/** Differences this small are rounding, whatever they are compared with. */
const negligible = 1e-6;
/** Seconds depend on the machine; changed heap varies by a few percent between builds. */
const inexact = new Set(['secondsRatio', 'heapChangedPerRound']);

/**
 * Where counts of `actual` differ by 1 % or more from those of `expected`, run by run. Runs that
 * only `actual` has are not compared.
 */
export function compareResults(actual: BenchResult, expected: BenchResult): Difference[] {
  const differences: Difference[] = [];
  const runs = new Map(actual.runs.map((run) => [runKey(run), run]));
  for (const run of expected.runs) {
    const where = runKey(run);
    const same = runs.get(where);
    if (same) compare(where, same, run, differences);
    else differences.push({ where: `${where} was not run`, expected: NaN, actual: NaN });
  }
  for (const model of expected.models) {
    const same = actual.models.find((entry) => entry.name === model.name);
    compare(model.name, same, model, differences);
  }
  if (expected.load) compare('load', actual.load, expected.load, differences);
  return differences;
}

/** Compares all numbers of two values of the same shape. */
function compare(where: string, actual: unknown, expected: unknown, out: Difference[]): void {
  if (typeof expected === 'number') {
    const value = typeof actual === 'number' ? actual : NaN;
    const size = Math.max(Math.abs(value), Math.abs(expected));
    if (!(Math.abs(value - expected) <= Math.max(negligible, size * tolerance))) {
      out.push({ where, expected, actual: value });
    }
  } else if (typeof expected === 'object' && expected !== null) {
    for (const [key, value] of Object.entries(expected)) {
      if (inexact.has(key)) continue;
      const other = (actual as Record<string, unknown> | null | undefined)?.[key];
      compare(`${where}, ${key}`, other, value, out);
    }
  }
}
