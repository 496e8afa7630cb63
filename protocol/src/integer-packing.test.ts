import { describe, expect, it } from 'vitest';
import {
  activationRange,
  integerRowGroups,
  integerSumDepth,
  packInt4,
  packInt8,
} from './integer-packing.js';

describe('integer weights', () => {
  it('activations are as large as 32-bit sums allow, and never larger', () => {
    for (const depth of [1, 100, 512, 513, 1024, 4096, 5000, 100_000]) {
      const range = activationRange(depth);
      const sums = 128 * Math.min(depth, integerSumDepth);
      expect(range * sums).toBeLessThan(2 ** 31);
      expect(range === 32767 || (range + 1) * sums >= 2 ** 31).toBe(true);
      // Finer than 8 bits at any depth.
      expect(range).toBeGreaterThan(2000);
    }
  });

  it('rows go through the largest kernels they fill', () => {
    expect(integerRowGroups('int8', 31)).toEqual([
      { rows: 16, times: 1 },
      { rows: 8, times: 1 },
      { rows: 4, times: 1 },
      { rows: 1, times: 3 },
    ]);
    for (let rows = 0; rows < 70; rows++) {
      const total = integerRowGroups('int4', rows).reduce((sum, g) => sum + g.rows * g.times, 0);
      expect(total).toBe(rows);
    }
  });

  it('int8: pairs of the depth, four channels at a time, filled up with zeros', () => {
    const packed = packInt8(3, 5, (k, n) => 10 * k + n);
    expect([...packed.subarray(0, 16)]).toEqual([
      0, 10, 1, 11, 2, 12, 3, 13, 20, 0, 21, 0, 22, 0, 23, 0,
    ]);
    // The fifth channel behind the 16 of the depth of the first four.
    expect([...packed.subarray(64, 74)]).toEqual([4, 14, 0, 0, 0, 0, 0, 0, 24, 0]);
    expect(packed).toHaveLength(128);
  });

  it('int4: eight of the depth in a vector, then the scales', () => {
    const packed = packInt4(
      8,
      1,
      (k) => k - 4,
      () => 0.5,
    );
    const view = new DataView(packed.buffer);
    expect(packed).toHaveLength(80);
    expect(view.getUint16(0, true)).toBe(0xa864);
    expect(view.getUint16(2, true)).toBe(0xb975);
    expect(view.getUint16(4, true)).toBe(0x8888);
    expect(view.getFloat32(64, true)).toBe(0.5);
    expect(view.getFloat32(68, true)).toBe(0);
  });
});
