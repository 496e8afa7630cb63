import { expect, test } from 'vitest';
import { OpenCalls } from './open-calls.js';

const second = 1_000_000_000n;

test('an upgrade is refused while calls are open', () => {
  const calls = new OpenCalls(() => 5n);
  calls.refuseUpgrade();
  const ends = [calls.begin(), calls.begin()];
  expect(calls.count).toBe(2);
  expect(() => {
    calls.refuseUpgrade();
  }).toThrow('2 calls to workers are open: stop the coordinator first');
  ends[0]!();
  ends[0]!();
  expect(() => {
    calls.refuseUpgrade();
  }).toThrow('1 call to a worker is open');
  ends[1]!();
  calls.refuseUpgrade();
});

test('a call that never ends does not stand in the way for ever', () => {
  let now = 1n;
  const calls = new OpenCalls(() => now);
  calls.begin();
  now += 23n * 3600n * second;
  calls.begin();
  expect(calls.count).toBe(2);
  now += 2n * 3600n * second;
  expect(calls.count).toBe(1);
});

test('a canister that is stopped has no open calls, whatever a snapshot says', () => {
  let isStopped = false;
  const calls = new OpenCalls(
    () => 5n,
    () => isStopped,
  );
  calls.begin();
  expect(calls.count).toBe(1);
  isStopped = true;
  calls.refuseUpgrade();
});
