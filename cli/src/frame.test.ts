import type { CanisterHealth } from '@canopy/client';
import { WorkerState, type WorkerStatus } from '@canopy/protocol';
import { expect, test } from 'vitest';
import { frameOf, ratesOf, rowsOf, type Look } from './frame.js';

const well: CanisterHealth = {
  status: 'running',
  memoryBytes: 3 * 1024 ** 2,
  cycles: 1_500_000_000_000n,
  idlePerDay: 1n,
  freezingCycles: 0n,
  daysLeft: 90,
};
const worker = (tasksDone: bigint, instructions: bigint, waiting = 0): WorkerStatus =>
  ({
    state: WorkerState.ready,
    epoch: 5n,
    tasksDone,
    instructions,
    waiting,
  }) as WorkerStatus;

function lookAt(
  seconds: number,
  requests: bigint,
  workers: (WorkerStatus | undefined)[],
  health: Partial<CanisterHealth> = {},
): Look {
  return {
    atMs: seconds * 1000,
    standing: {
      places: ['coordinator', ...workers.map((_, index) => `stage ${index}`)],
      canisters: ['c', ...workers.map((_, index) => `w${index}`)],
      health: [well, ...workers.map(() => ({ ...well, ...health }))],
      workers,
      metrics: { requests, failed: 1n, micro_batches: 0n, worker_instructions: 0n, in_flight: 2 },
      epoch: 5n,
      problems: [],
    },
  };
}

test('rates are what was done between two looks', () => {
  const before = lookAt(10, 4n, [worker(3n, 1_000_000n), worker(3n, 0n)]);
  const now = lookAt(14, 10n, [worker(11n, 9_000_000n, 1), worker(3n, 0n)]);
  expect(ratesOf(now, before)).toEqual([
    { tasks: 2, instructions: 2_000_000 },
    { tasks: 0, instructions: 0 },
  ]);
  expect(rowsOf(now, before).map(({ state }) => state)).toEqual(['running', 'works', 'idle']);
  expect(
    frameOf('digits', now, before)
      .split('\n')
      .map((line) => line.trimEnd()),
  ).toEqual([
    'digits  1970-01-01T00:00:14.000Z',
    '10 requests, 1 failed, 2 under way, 1.5 a second',
    '',
    'place        state    waiting  done  done/s  M instructions/s  MiB  T cycles  days left',
    'coordinator  running                                             3       1.5         90',
    'stage 0      works          1    11       2                 2    3       1.5         90',
    'stage 1      idle           0     3       0                 0    3       1.5         90',
  ]);
});

test('of a worker that was installed anew, or does not answer, there is no rate', () => {
  const before = lookAt(0, 9n, [worker(3n, 7n), worker(3n, 7n), undefined]);
  const now = lookAt(1, 2n, [worker(1n, 1n), undefined, worker(1n, 1n)]);
  expect(ratesOf(now, before)).toEqual([undefined, undefined, undefined]);
  expect(frameOf('digits', now, before)).toContain('2 requests, 1 failed, 2 under way\n');
  expect(ratesOf(now, undefined)).toEqual([undefined, undefined, undefined]);
});

test('a stopped worker, a frozen one and problems are shown', () => {
  const stopped = lookAt(0, 0n, [undefined], { status: 'stopped' });
  expect(rowsOf(stopped)[1]).toMatchObject({ place: 'stage 0', state: 'stopped' });
  const frozen = lookAt(0, 0n, [undefined], { daysLeft: 0 });
  frozen.standing.problems.push('stage 0 is frozen, or about to be: canopy top-up');
  expect(rowsOf(frozen)[1]).toMatchObject({ state: 'frozen', daysLeft: 0 });
  expect(frameOf('digits', frozen)).toMatch(
    /\n! stage 0 is frozen, or about to be: canopy top-up$/,
  );
});
