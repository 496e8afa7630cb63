import { expect, test } from 'vitest';
import { callerKey } from './caller-key.js';

test('keys of many principals differ and fit 64 bits', () => {
  const keys = new Set<bigint>();
  for (let one = 0; one < 64; one++) {
    for (let other = 0; other < 64; other++) keys.add(callerKey(Uint8Array.of(one, other, 2)));
  }
  expect(keys.size).toBe(64 * 64);
  for (const key of keys) expect(BigInt.asUintN(64, key)).toBe(key);
});
