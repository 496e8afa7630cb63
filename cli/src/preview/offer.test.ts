import type { Deployment } from '@canopy/client';
import { describe, expect, test } from 'vitest';
import type { Connection } from '../connect.js';
import { makeOutput } from '../output.js';
import { cyclesText, cyclesToPay, type Destination } from './describe.js';
import { isWanted } from './offer.js';

const output = makeOutput({ json: true, signal: new AbortController().signal });
const connection = (isLocal: boolean): Connection =>
  ({
    transport: { isLocal: () => Promise.resolve(isLocal) },
    host: 'https://net.example',
  }) as unknown as Connection;
const trillion = 1_000_000_000_000n;
const destination: Destination = {
  network: 'ic',
  subnet: 'one',
  canisters: ['there', undefined, undefined],
  amounts: [trillion, 2n * trillion, 3n * trillion],
  account: { principal: 'p', balance: 0n, fee: 100_000_000n },
};

describe('where real cycles are spent', () => {
  test('nobody who cannot answer is taken to agree', async () => {
    const asked = isWanted(destination, undefined, {}, connection(false), output);
    await expect(asked).rejects.toMatchObject({ name: 'UsageError' });
    await expect(asked).rejects.toThrow('Deploy to https://net.example for 5 T cycles?');
    await expect(asked).rejects.toThrow('say --yes');
  });

  test.each<[string, Parameters<typeof isWanted>]>([
    ['--yes', [destination, undefined, { yes: true }, connection(false), output]],
    ['a local network', [destination, undefined, {}, connection(true), output]],
    [
      'a deployment that is finished',
      [destination, { ready: true } as Deployment, {}, connection(false), output],
    ],
  ])('%s is not asked', async (_, args) => {
    expect(await isWanted(...args)).toBe(true);
  });
});

test('only canisters that are not there are paid for, each with the fee of the ledger', () => {
  expect(cyclesToPay(destination)).toBe(5n * trillion + 200_000_000n);
  expect([cyclesText(1.5e12), cyclesText(2.5e9)]).toEqual(['1.500 T', '2.50 B']);
});
