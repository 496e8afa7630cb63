import type { CanisterHealth } from '@canopy/client';
import { WorkerState, type WorkerStatus } from '@canopy/protocol';
import { expect, test } from 'vitest';
import { problemOf } from './health.js';

const well: CanisterHealth = {
  status: 'running',
  memoryBytes: 1,
  cycles: 10n,
  idlePerDay: 1n,
  freezingCycles: 0n,
  daysLeft: 10,
};
const worker = (changes: Partial<WorkerStatus>): WorkerStatus =>
  ({ state: WorkerState.ready, epoch: 5n, ...changes }) as WorkerStatus;

test.each<[string | undefined, CanisterHealth, WorkerStatus | undefined]>([
  [undefined, well, undefined],
  [undefined, well, worker({})],
  ['stage 1 is stopped', { ...well, status: 'stopped' }, worker({})],
  ['stage 1 is frozen, or about to be: canopy top-up', { ...well, daysLeft: 0 }, worker({})],
  ['stage 1 has cycles for 3 days: canopy top-up', { ...well, daysLeft: 3 }, undefined],
  ['stage 1 is empty, not ready', well, worker({ state: WorkerState.empty })],
  ['stage 1 is of another epoch than stage 0', well, worker({ epoch: 6n })],
])('%s', (text, health, status) => {
  expect(problemOf('stage 1', health, status, 5n)).toBe(text);
});
