import { Principal } from '@dfinity/principal';
import { expect, test } from 'vitest';
import { alice, bob, workerIds } from '../../testing/fake-ic.js';
import type { StageTotals } from '../pipeline/stages.js';
import { RequestLog, requestLogLimit } from './requests.js';

const begin = { model: 'm', receivedAtNs: 1n, microBatches: 1, bytesReceived: 2 };
const stages: StageTotals[] = workerIds.map((worker, stage) => ({
  worker,
  instructions: BigInt(2 ** 40 + stage),
  messages: stage + 1,
  bytesReceived: 10,
  bytesSent: 20 + stage,
  scratchBytes: 30,
}));

function newLog(): RequestLog {
  return new RequestLog((bytes) => Principal.fromUint8Array(bytes));
}

test('a finished request reads as it was logged, before and after an upgrade', () => {
  const log = newLog();
  const first = log.begin({ ...begin, caller: alice });
  const second = log.begin({ ...begin, caller: bob });
  log.succeed(first, 9n, stages, workerIds, 5);
  const expected = { ...begin, ticket: 1n, caller: alice, finishedAtNs: 9n, stages, bytesSent: 5 };
  expect(log.find(1n)).toEqual(expected);
  expect(log.latest(10, alice)).toEqual([expected]);
  expect(log.latest(10, undefined)).toEqual([second, expected]);
  expect(log.counters.workerInstructions).toBe(BigInt(2 ** 41 + 1));

  const upgraded = newLog();
  upgraded.restore(log.save());
  expect(upgraded.latest(10, undefined)).toEqual([second, expected]);
});

test('the oldest requests are dropped, also while they are under way', () => {
  const log = newLog();
  const early = log.begin({ ...begin, caller: alice });
  for (let more = 0; more < requestLogLimit; more++) log.begin({ ...begin, caller: alice });
  log.succeed(early, 9n, stages, workerIds, 5);
  expect(log.find(1n)).toBeUndefined();
  expect(log.find(2n)).toMatchObject({ ticket: 2n });
  expect(log.find(BigInt(requestLogLimit + 1))?.ticket).toBe(BigInt(requestLogLimit + 1));
  expect(log.find(BigInt(requestLogLimit + 2))).toBeUndefined();
  expect(log.counters.requests).toBe(requestLogLimit + 1);
});

test('a caller who asks often pushes out only own requests', () => {
  const log = newLog();
  const early = log.begin({ ...begin, caller: alice });
  for (let more = 0; more < 2 * requestLogLimit; more++) {
    const entry = log.begin({ ...begin, caller: bob });
    log.succeed(entry, 9n, stages, workerIds, 5);
  }
  expect(log.latest(1000, alice)).toEqual([early]);
  expect(log.latest(1000, undefined)).toHaveLength(requestLogLimit);
});

test('how a request ended first stays', () => {
  const log = newLog();
  const entry = log.begin({ ...begin, caller: alice });
  const error = { code: 'cancelled', message: 'released', retryable: true };
  log.fail(entry, 5n, error);
  log.succeed(entry, 9n, stages, workerIds, 5);
  log.fail(entry, 9n, { ...error, code: 'internal' });
  expect(log.find(1n)).toMatchObject({ finishedAtNs: 5n, error, stages: [] });
  expect(log.counters).toMatchObject({ requests: 1, failed: 1, microBatches: 0 });
});

test('no ticket is given twice, also where a snapshot was loaded that does not know the latest', () => {
  let version = 40n;
  const log = new RequestLog(
    (bytes) => Principal.fromUint8Array(bytes),
    () => version,
  );
  const given = [log.begin({ ...begin, caller: alice }).ticket];
  const snapshot = log.save();
  version = 55n;
  given.push(log.begin({ ...begin, caller: alice }).ticket);
  log.restore(snapshot);
  version = 57n;
  given.push(log.begin({ ...begin, caller: alice }).ticket);
  expect(given).toEqual([40n, 55n, 57n]);
  // Where the version is not known, tickets are numbers in a row.
  version = 0n;
  expect(log.begin({ ...begin, caller: alice }).ticket).toBe(58n);
});
