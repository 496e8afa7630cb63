import { expect, it } from 'vitest';
import { CoordinatorLoad } from './coordinator-load.js';

it('is that of the dearest of the last rounds with requests', () => {
  const load = new CoordinatorLoad();
  expect(load.instructions).toBe(0);
  load.add(0, 1n);
  load.add(1_000_000, 1n);
  const first = load.instructions;
  expect(first).toBe(2 * 26_000_000 + 58_000_000);
  for (let round = 2n; round <= 4n; round++) load.add(0, round);
  expect(load.instructions).toBe(first);
  load.add(0, 5n);
  expect(load.instructions).toBe(26_000_000);
});

it('leaves rounds out that no message of work is made shorter for', () => {
  const load = new CoordinatorLoad();
  load.add(0, 1);
  load.add(20_000_000, 2);
  expect(load.instructions).toBe(26_000_000);
});
