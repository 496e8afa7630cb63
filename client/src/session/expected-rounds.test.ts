import { encodeBundle, type Plan } from '@canopy/protocol';
import { expect, test } from 'vitest';
import { expectedRounds, isLong } from './expected-rounds.js';

const stage = { predictions: [{ rows: 2, instructions: 3_000_000_000 }] };
const plan = { rowsIndependent: true, stages: [stage, stage] } as unknown as Plan;
const rows = (count: number): Uint8Array =>
  encodeBundle([{ name: 'x', dtype: 'uint8', dims: [count], data: new Uint8Array(count) }]);

test('rounds are counted by the slice', () => {
  expect(expectedRounds(plan, 2)).toBe(3);
  expect(expectedRounds(plan, 3)).toBe(5);
  expect(expectedRounds({ ...plan, stages: [] }, 3)).toBe(0);
});

test('only many rounds make a request long', () => {
  expect(isLong(plan, rows(26))).toBe(false);
  expect(isLong(plan, rows(27))).toBe(true);
  expect(isLong({ ...plan, rowsIndependent: false }, rows(27))).toBe(false);
});
