import { describe, expect, it } from 'vitest';
import { profileOf } from '../costs/index.js';
import { displayBytes, grouped } from './display.js';
import { Fees } from './fees.js';

describe('Fees', () => {
  const fees = new Fees('application');

  it('are those of 13 nodes', () => {
    expect(fees.canisterCreation).toBe(500_000_000_000n);
    expect(fees.execution(1_000_000)).toBe(6_000_000n);
    expect(fees.execution(1_000_000, true)).toBe(7_000_000n);
    expect(fees.request(100)).toBe(360_000n);
    expect(fees.response(100)).toBe(100_000n);
    expect(fees.ingress(100)).toBe(1_400_000n);
  });

  it('charge storage and compute by the second', () => {
    expect(fees.storage(1024n ** 3n, 10_000_000_000n)).toBe(1_270_000n);
    expect(fees.computeAllocation(5, 2_000_000_000n)).toBe(100_000_000n);
    expect(fees.idlePerDay(1024n ** 3n, 0n, 0)).toBe(127_000n * 86_400n);
  });

  it('go with the number of nodes', () => {
    expect(new Fees('fiduciary').canisterCreation).toBe(1_307_692_307_692n);
    expect(new Fees('sns').execution(100)).toBe((5_000_100n * 34n) / 13n);
  });

  it('are those of the profile', () => {
    const now = new Fees('application', profileOf('2026-11'));
    const day = 86_400_000_000_000n;
    expect(now.storage(1024n ** 3n, 10_000_000_000n)).toBe(3_175_000n);
    expect(now.canister(day)).toBe(864_000_000n);
    expect(now.idlePerDay(1024n ** 3n, 0n, 0)).toBe((317_500n + 10_000n) * 86_400n);
    expect(now.idlePerDay(0n, 0n, 0)).toBe(0n);
    expect(fees.canister(day)).toBe(0n);
    expect([fees, now].map((one) => one.managementWork(10))).toEqual([5_000_010n, 10n]);
  });

  it('are nothing on system subnets', () => {
    expect(new Fees('nns').execution(1e9)).toBe(0n);
    expect(new Fees('system').storage(1024n ** 3n, 10_000_000_000n)).toBe(0n);
  });
});

describe('grouped', () => {
  it('separates thousands', () => {
    expect([0n, 999n, 1000n, 1_234_567n].map(grouped)).toEqual(['0', '999', '1_000', '1_234_567']);
  });
});

describe('displayBytes', () => {
  it('uses the largest unit below', () => {
    expect(displayBytes(1n)).toBe('1 B');
    expect(displayBytes(1024n ** 5n)).toBe('1024.00 TiB');
    expect(displayBytes(10n ** 18n)).toBe('888.18 PiB');
  });
});
