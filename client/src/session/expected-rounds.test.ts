import { encodeBundle, type ModelInterface } from '@canopy/protocol';
import { expect, test } from 'vitest';
import { expectedRounds, isLong } from './expected-rounds.js';

const model = { rowsIndependent: true, instructionsPerRow: 3_000_000_000 } as ModelInterface;
const rows = (count: number): Uint8Array =>
  encodeBundle([{ name: 'x', dtype: 'uint8', dims: [count], data: new Uint8Array(count) }]);

test('rounds are counted by the slice', () => {
  expect(expectedRounds(model, 2)).toBe(3);
  expect(expectedRounds(model, 3)).toBe(5);
  expect(expectedRounds({ ...model, instructionsPerRow: 0 }, 3)).toBe(0);
});

test('only many rounds make a request long', () => {
  expect(isLong(model, rows(26))).toBe(false);
  expect(isLong(model, rows(27))).toBe(true);
  expect(isLong({ ...model, rowsIndependent: false }, rows(27))).toBe(false);
});
