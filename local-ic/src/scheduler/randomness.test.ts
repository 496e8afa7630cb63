import { describe, expect, it } from 'vitest';
import { RoundRandomness } from './randomness.js';

const hex = (bytes: Uint8Array): string => Buffer.from(bytes).toString('hex');

describe('RoundRandomness', () => {
  it('gives new bytes at each draw and in each round, the same when repeated', () => {
    const draws = (round: number): string[] => {
      const randomness = new RoundRandomness(round);
      return Array.from({ length: 3 }, () => hex(randomness.next()));
    };
    expect(new Set([...draws(1), ...draws(2)]).size).toBe(6);
    expect(draws(1)).toEqual(draws(1));
    expect(draws(1)[0]).toHaveLength(64);
  });
});
