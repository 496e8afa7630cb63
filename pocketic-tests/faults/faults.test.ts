/** A few seeds; "npm run faults" runs as many as are wanted. */
import { expect, inject, it } from 'vitest';
import { kinds } from './kinds.js';
import { meaningOf, runSeed } from './seed.js';
import { shapes } from './shapes.js';
import { tableOf } from './table.js';

declare module 'vitest' {
  interface ProvidedContext {
    icUrl: string;
  }
}

const digits = 0;
const twoThatStay = 3;
const seedOf = (kind: string, shape: number): number =>
  kinds.findIndex(({ name }) => name === kind) * shapes.length + shape;

it.each([
  seedOf('stop-upgrade-start', digits),
  seedOf('coordinator-stop-upgrade', digits),
  seedOf('snapshot', digits),
  seedOf('coordinator-snapshot', twoThatStay),
  seedOf('reinstall', twoThatStay),
])('seed %i: every request is answered rightly, or told why not', async (seed) => {
  const report = await runSeed(inject('icUrl'), seed);
  expect(report.problems, report.events.join('\n')).toEqual([]);
  expect(report.counts['right']).toBeGreaterThan(0);
  const table = tableOf([report]);
  expect(table).toContain(report.kind);
  expect(Object.values(report.counts).reduce((sum, count) => sum + count, 0)).toBe(24);
});

it('all kinds of faults meet all shapes', () => {
  const pairs = kinds.length * shapes.length;
  const met = new Set(
    Array.from({ length: pairs }, (_, seed) => {
      const { kind, shape } = meaningOf(seed);
      return `${kind.name} ${shape.name}`;
    }),
  );
  expect(met.size).toBe(pairs);
});
