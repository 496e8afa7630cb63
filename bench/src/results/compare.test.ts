import { describe, expect, it } from 'vitest';
import { compareResults } from './compare.js';
import { parseBenchResult, type BenchResult } from './schema.js';

function result(rounds: number, secondsRatio = 1): BenchResult {
  const run = {
    model: 'm',
    way: 'd',
    workers: 4,
    batch: 1,
    concurrency: 8,
    costSchedule: '2026-07',
  };
  return {
    schemaVersion: 1,
    models: [{ name: 'm', secondsRatio }],
    runs: [{ ...run, rounds: { total: rounds }, steady: null, atWork: [0, 1] }],
  } as unknown as BenchResult;
}

describe('comparing results', () => {
  it('reports counts that differ by 1 % or more, by run and field', () => {
    expect(compareResults(result(1000), result(1009))).toEqual([]);
    expect(compareResults(result(1000), result(1011))).toEqual([
      {
        where: 'm d 4 workers batch 1 concurrency 8 2026-07, rounds, total',
        expected: 1011,
        actual: 1000,
      },
    ]);
  });

  it('does not compare seconds', () => {
    expect(compareResults(result(10, 50), result(10, 100))).toEqual([]);
  });

  it('reports a run that is missing', () => {
    const none = { ...result(10), runs: [] };
    const [missing, ...others] = compareResults(none, result(10));
    expect(missing!.where).toContain('concurrency 8 2026-07 was not run');
    expect(others).toEqual([]);
    expect(compareResults(result(10), none)).toEqual([]);
  });
});

describe('a result file', () => {
  it('is refused where its version is another', () => {
    expect(() => parseBenchResult('{"schemaVersion":0}', 'x.json')).toThrow('schema version 0');
    expect(() => parseBenchResult('{', 'x.json')).toThrow('x.json is not JSON');
    expect(parseBenchResult(JSON.stringify(result(1)), 'x.json').runs).toHaveLength(1);
  });
});
