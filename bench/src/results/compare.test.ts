import { readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { describe, expect, it } from 'vitest';
import { compareResults } from './compare.js';
import { isObserved, parseBenchResult, type BenchResult } from './schema.js';

function result(rounds: number, secondsRatio = 1): BenchResult {
  const run = {
    model: 'm',
    way: 'd',
    workers: 4,
    pipelines: 1,
    batch: 1,
    concurrency: 8,
    costSchedule: '2026-07',
  };
  return {
    schemaVersion: 2,
    ic: { kind: 'embedded', version: '0', url: null },
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
  it.each(['full', 'quick'])('that is committed is read: %s.json', (mode) => {
    const path = fileURLToPath(new URL(`../../results/${mode}.json`, import.meta.url));
    const { runs } = parseBenchResult(readFileSync(path, 'utf8'), path);
    expect(runs.length).toBeGreaterThan(10);
    expect(runs.every((run) => isObserved(run) && run.inferencesPerRound > 0)).toBe(true);
  });

  it('is refused where its version is another', () => {
    expect(() => parseBenchResult('{"schemaVersion":0}', 'x.json')).toThrow('schema version 0');
    expect(() => parseBenchResult('{', 'x.json')).toThrow('x.json is not JSON');
    const other = { ...result(1), ic: { kind: 'replica', version: null, url: 'http://x' } };
    expect(() => parseBenchResult(JSON.stringify(other), 'x.json')).toThrow(
      'x.json was not measured on the embedded IC',
    );
    expect(parseBenchResult(JSON.stringify(result(1)), 'x.json').runs).toHaveLength(1);
  });

  it('of version 1 is read: rounds of the embedded IC', () => {
    const now = result(7);
    const { pipelines, ...withoutPipelines } = now.runs[0]!;
    expect(pipelines).toBe(1);
    const run = { ...withoutPipelines, stages: [{ counted: 3 }] };
    const old = { ...now, schemaVersion: 1, ic: { kind: 'embedded', version: '0' }, runs: [run] };
    expect(parseBenchResult(JSON.stringify(old), 'x.json')).toMatchObject({
      schemaVersion: 2,
      ic: { kind: 'embedded', version: '0', url: null },
      runs: [
        {
          pipelines: 1,
          unit: 'round',
          rounds: { total: 7 },
          seconds: null,
          stages: [{ reported: null }],
        },
      ],
    });
  });
});
