import { doneList, runList } from './testing/lists.js';
import {
  EnqueueMode,
  encodeChunk,
  encodeEnqueue,
  encodeFailure,
  encodeFetch,
  encodeHeld,
  encodeNews,
  encodeRelease,
  encodeWorkerConfig,
} from '@canopy/protocol';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { workerMethods } from './testing/module.js';
import {
  bundle,
  callerOf,
  controller,
  coordinator,
  doubled,
  epoch,
  Pipeline,
  resultOf,
  ticketOf,
} from './testing/pipeline.js';
import type { Call } from './testing/test-ic.js';

const deployed = (resultsStay: boolean, layers: number[] = [1, 1]): Pipeline =>
  Pipeline.deployed(layers, { resultsStay });

function expectWorking(p: Pipeline): void {
  const call = p.enqueue(EnqueueMode.wait, 1n, [bundle(3)]);
  p.ic.runUntil(() => call.answer !== undefined);
  expect(p.values(p.resultOf(call.answer))).toEqual([[doubled(3, p.layers)]]);
  for (const worker of p.workers) expect(worker.traps).toBe(0);
}

/** Valid arguments of every method, to be damaged. */
function arguments_(p: Pipeline): [string, string, number, Uint8Array][] {
  const [head, last] = [p.workers[0]!.id, p.workers[1]!.id];
  const owner = callerOf(1n);
  const carried = [{ requestId: 5n, bundle: bundle(1, 2) }];
  const task = runList(carried, { cancelled: [3n], ...(p.keeper === p.head ? {} : { owner }) });
  const failure = encodeFailure(epoch, { taskId: 5n, stage: 1, text: 'AB' });
  const {
    hashes: [hash],
    chunks: [chunk],
  } = p.shards[0]!;
  const enqueue = encodeEnqueue({
    mode: EnqueueMode.ticket,
    epoch,
    owner,
    tasks: [bundle(1), bundle(2, 3)],
  });
  return [
    ['enqueue', coordinator, 0, enqueue],
    ['fetch', coordinator, 0, encodeFetch(epoch, 1n, 0, 10)],
    ['release', coordinator, 0, encodeRelease(epoch, [0n])],
    ['held', coordinator, 0, encodeHeld(epoch)],
    ['held', coordinator, 1, encodeHeld(epoch)],
    ['fetch', coordinator, 1, encodeFetch(epoch, 5n, 0, 10)],
    ['release', coordinator, 1, encodeRelease(epoch, [5n])],
    ['run', head, 1, task],
    ['done', last, 0, doneList(carried)],
    ['news', last, 0, encodeNews(epoch, [5n])],
    ['fail', last, 0, failure],
    ['put_chunk', controller, 0, encodeChunk({ index: 0, hash: hash!, bytes: chunk! })],
    ['chunks', controller, 0, new Uint8Array(4)],
    ['status', controller, 0, new Uint8Array(4)],
    ['step', head, 0, new Uint8Array(0)],
    ['wake', head, 0, new Uint8Array(3)],
    ['load', controller, 1, new Uint8Array(3)],
    ['configure', controller, 0, encodeWorkerConfig(p.config(0))],
    ['configure', controller, 1, encodeWorkerConfig(p.config(1))],
  ];
}

/**
 * Sends a worker an argument. One that configures it may make another worker of it, so `fresh` is
 * another pipeline: it gets requests before the right configuration, and one after it.
 */
function send(
  p: Pipeline,
  fresh: () => Pipeline,
  [method, caller, stage, arg]: [string, string, number, Uint8Array],
): void {
  if (method !== 'configure') {
    p.ic.update(caller, p.workers[stage]!, method, arg);
    return;
  }
  const other = fresh();
  other.ic.update(caller, other.workers[stage]!, method, arg);
  for (const key of [1n, 2n]) other.enqueue(EnqueueMode.ticket, key, [bundle(1), bundle(2)]);
  for (let count = 0; count < 200 && other.ic.executeOne(); count++);
  for (const worker of other.workers) expect(worker.traps).toBe(0);
  other.deploy();
  expectWorking(other);
}

it('every method of the worker is tried', () => {
  const tried = arguments_(deployed(false)).map(([method]) => method);
  expect([...new Set(tried)].sort()).toEqual([...workerMethods].sort());
});

describe.each([false, true])('a worker never traps; results stay: %s', (resultsStay) => {
  const fresh = (): Pipeline => {
    const p = deployed(resultsStay);
    // Damaged sizes are of up to 4 GiB.
    for (const worker of p.workers) worker.mostStableBytes = 16 * 2 ** 20;
    return p;
  };

  it('on truncated or extended messages', () => {
    const p = deployed(resultsStay);
    for (const [method, caller, stage, arg] of arguments_(p)) {
      const lengths = Array.from({ length: Math.min(arg.length, 150) }, (_, length) => length);
      for (const length of lengths)
        send(p, fresh, [method, caller, stage, arg.subarray(0, length)]);
      send(p, fresh, [method, caller, stage, new Uint8Array([...arg, ...arg, 1])]);
    }
    expectWorking(p);
  });

  it('on damaged messages', () => {
    const p = deployed(resultsStay);
    // A controller may configure anew what the damage makes of it.
    const cases = arguments_(p).filter(([method]) => method !== 'configure');
    const damage = fc.record({
      which: fc.nat(cases.length - 1),
      at: fc.array(fc.nat(200), { minLength: 1, maxLength: 4 }),
      to: fc.constantFrom(0, 1, 0x7f, 0x80, 0xff),
    });
    const property = fc.property(damage, ({ which, at, to }) => {
      const [method, caller, stage, arg] = cases[which]!;
      const damaged = new Uint8Array(arg);
      for (const place of at) damaged[place % Math.max(1, arg.length)] = to;
      send(p, fresh, [method, caller, stage, damaged]);
      for (const worker of p.workers) expect(worker.traps).toBe(0);
    });
    fc.assert(property, { numRuns: 1500 });
    p.ic.runToIdle();
    expectWorking(p);
  });
});

describe.each([false, true])('the heap; results stay: %s', (resultsStay) => {
  it('is after request 1,000 what it was after request 100', () => {
    const p = deployed(resultsStay, [2, 3]);
    p.workers[1]!.instructionsPerLook = 40_000_000n;
    const used = (): number[] => p.workers.map((_, stage) => p.status(stage).heapUsedBytes);
    const unused = used();
    const heaps: number[][] = [];
    const toRelease: Call[] = [];
    for (let request = 1; request <= 1000; request++) {
      const rows = Array.from({ length: (request * 37) % 400 }, (_, row) => row);
      const mode = request % 2 === 0 ? EnqueueMode.wait : EnqueueMode.ticket;
      const tasks =
        request % 7 === 0 ? [bundle(...rows), bundle(1), bundle(...rows)] : [bundle(...rows)];
      const call = p.enqueue(mode, BigInt(request % 5), tasks);
      if (request % 3 !== 0) p.ic.runToIdle();
      if (mode === EnqueueMode.ticket) {
        p.ic.runUntil(() => call.answer !== undefined);
        // Some are cancelled while they are under way.
        p.release(ticketOf(call.answer));
      } else if (resultsStay) toRelease.push(call);
      if (p.ic.isIdle) {
        for (const { answer } of toRelease.splice(0)) p.release(resultOf(answer).requestId);
      }
      if (request === 100 || request === 1000) {
        p.ic.runToIdle();
        heaps.push(p.workers.map(({ heapBytes }) => heapBytes));
        expect(used()).toEqual(unused);
      }
    }
    expect(heaps[1]).toEqual(heaps[0]);
    expectWorking(p);
  });
});
