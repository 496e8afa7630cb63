import { runList } from './testing/lists.js';
import {
  EnqueueMode,
  RunEnd,
  decodeResult,
  encodeRelease,
  parseCanisterError,
  type WorkerConfig,
} from '@canopy/protocol';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { Message } from './testing/canister.js';
import { constantOf } from './testing/limits.js';
import {
  bundle,
  coordinator,
  doubled,
  endedRunsIn,
  epoch,
  Pipeline,
  rejectionOf,
  resultOf,
  ticketOf,
} from './testing/pipeline.js';

/** A pipeline for which time stands still, as within a round, unless the test moves it. */
function pipeline(layers: number[], options: Partial<WorkerConfig> = {}): Pipeline {
  const p = Pipeline.deployed(layers, options);
  newRound(p);
  p.ic.nsPerMessage = 0n;
  return p;
}

function newRound(p: Pipeline): void {
  p.ic.timeNs += 1_000_000_000n;
}

/** A message has room for one layer of a task, and there are more tasks than a test will see finished. */
function load(p: Pipeline): void {
  for (const worker of p.workers) worker.instructionsPerLook = 30_000_000n;
  const tasks = Array.from({ length: 300 }, () => bundle(1));
  p.enqueue(EnqueueMode.ticket, 1n, tasks);
  p.ic.runUntil(() => p.workers.every((_, stage) => p.status(stage).tasksDone > 0n));
}

/** Executes messages up to and with the next `step` of a stage; whether that step worked. */
function nextStep(p: Pipeline, stage: number): boolean {
  const before = p.status(stage).instructions;
  let isThere = false;
  p.ic.onMessage = ({ to, method }: Message) => {
    if (to === p.workers[stage]!.id && method?.name === 'step') isThere = true;
  };
  while (!isThere) if (!p.ic.executeOne()) throw new Error('there is no step');
  return p.status(stage).instructions > before;
}

/** Steps of a stage that do no work, before one that does. */
function quietSteps(p: Pipeline, stage: number): number {
  for (let count = 0; count < 100; count++) if (nextStep(p, stage)) return count;
  throw new Error('100 steps have done no work');
}

/** Sends a stage one task as the head does. */
function run(p: Pipeline, stage: number, sentAtNs: bigint, messageBudget = 0n): void {
  const arg = runList([{ requestId: 99n, bundle: bundle(1) }], { sentAtNs, messageBudget });
  const call = p.ic.call(p.head.id, p.workers[stage]!, 'run', arg);
  p.ic.runUntil(() => call.answer !== undefined);
  p.expectReply(call.answer!);
}

describe('the first three iterations of a round', () => {
  // The slowest stage: tasks wait before it.
  it.each([
    { stage: 0, layers: [6, 1, 1] },
    { stage: 1, layers: [2, 6, 1] },
    { stage: 2, layers: [2, 4, 6] },
  ])('are without work in stage $stage when it is loaded', ({ stage, layers }) => {
    const p = pipeline(layers);
    load(p);
    for (let round = 0; round < 5; round++) {
      newRound(p);
      expect(quietSteps(p, stage)).toBe(3);
      for (let step = 0; step < 4; step++) expect(nextStep(p, stage)).toBe(true);
    }
  });

  it('count the iteration in which a task wakes a stage', () => {
    const p = pipeline([1, 1]);
    run(p, 1, p.ic.timeNs - 1n);
    expect(p.status(1)).toMatchObject({ waiting: 1, tasksDone: 0n });
    expect(quietSteps(p, 1)).toBe(2);
    expect(p.status(1).tasksDone).toBe(1n);
  });

  it('are over for a stage that is sent a task within the round', () => {
    const p = pipeline([1, 1]);
    run(p, 1, p.ic.timeNs);
    expect(p.status(1).tasksDone).toBe(1n);
  });

  it('are not waited for by pipelines that are not paced', () => {
    const later = pipeline([1, 1], { paced: false });
    run(later, 1, later.ic.timeNs - 1n);
    expect(later.status(1).tasksDone).toBe(1n);

    const p = pipeline([1, 1], { paced: false });
    const call = p.enqueue(EnqueueMode.ticket, 1n, [bundle(3)]);
    p.ic.executeOne();
    expect(p.status(0)).toMatchObject({ tasksDone: 1n });
    p.ic.runToIdle();
    expect(p.values(p.fetch(ticketOf(call.answer)))).toEqual([[doubled(3, 2)]]);

    const loaded = pipeline([2, 4], { paced: false });
    load(loaded);
    for (const stage of [0, 1, 0, 1]) {
      newRound(loaded);
      expect(nextStep(loaded, stage)).toBe(true);
    }
  });
});

describe('where rounds are over within the first three iterations', () => {
  it('stages work in every round after four lost ones, for 32 rounds, and then try again', () => {
    const p = pipeline([1]);
    load(p);
    const rounds: boolean[] = [];
    for (let round = 0; round < 4 + 32 + 4 + 32 + 1; round++) {
      newRound(p);
      const first = nextStep(p, 0);
      expect(nextStep(p, 0)).toBe(first);
      rounds.push(first);
    }
    const expected = [...Array<boolean>(4).fill(false), ...Array<boolean>(32).fill(true)];
    expect(rounds).toEqual([...expected, ...expected, false]);
  });

  it('a round that is long enough in between begins the count anew', () => {
    const p = pipeline([1]);
    load(p);
    for (let times = 0; times < 3; times++) {
      for (let lost = 0; lost < 3; lost++) {
        newRound(p);
        expect(nextStep(p, 0)).toBe(false);
      }
      newRound(p);
      expect(quietSteps(p, 0)).toBe(3);
    }
  });

  it('messages that come between the steps do not keep stages from work', () => {
    const p = pipeline([1]);
    load(p);
    const before = p.status(0).instructions;
    let steps = 0;
    p.ic.onMessage = ({ method }) => {
      if (method?.name !== 'step') return;
      steps++;
      p.enqueue(EnqueueMode.ticket, 1n, [bundle(1)]);
    };
    newRound(p);
    p.ic.nsPerMessage = 1n;
    p.ic.runUntil(() => steps > 10 || p.status(0).instructions > before);
    expect(steps).toBe(5);
  });

  it.each([[[1]], [[1, 1]], [[1, 1, 1, 1]]])(
    'requests are answered where every message has its own time: stages of %j layers',
    (layers) => {
      const p = pipeline(layers);
      p.ic.nsPerMessage = 1n;
      const calls = [1, 2, 3].map((value) => p.enqueue(EnqueueMode.wait, 1n, [bundle(value)]));
      const before = p.ic.messagesExecuted;
      p.ic.runUntil(() => calls.every(({ answer }) => answer !== undefined));
      expect(p.ic.messagesExecuted - before).toBeLessThan(60 * layers.length);
      calls.forEach(({ answer }, at) => {
        expect(p.values(resultOf(answer))).toEqual([[doubled(at + 1, p.layers)]]);
      });
    },
  );
});

describe('how long a message may be', () => {
  const limit = (name: string): bigint => constantOf('pacing/limits.ts', name);
  const floor = limit('shortestLongMessage');
  const million = 1_000_000n;

  /** The budgets in the messages `run` that a pipeline sends from now on, by the stage they go to. */
  function budgetsOf(p: Pipeline): bigint[][] {
    const seen: bigint[][] = p.workers.map(() => []);
    p.ic.onMessage = ({ to, method }) => {
      if (method?.name !== 'run') return;
      const view = new DataView(method.arg.buffer, method.arg.byteOffset);
      seen[p.workers.findIndex(({ id }) => id === to)]!.push(view.getBigUint64(16, true));
    };
    return seen;
  }

  /** What each stage tells the next of it first, when the coordinator takes so many million a round. */
  function told(layers: number[], load: number, options: Partial<WorkerConfig> = {}): bigint[] {
    const p = pipeline(layers, { instructionBudget: 3_000_000_000n, ...options });
    const seen = budgetsOf(p);
    p.enqueue(EnqueueMode.ticket, 1n, [bundle(1)], load);
    p.ic.runToIdle();
    return seen.slice(1).map(([first]) => first!);
  }
  const few = [1, 1, 1];
  const many = [1, 1, 1, 1, 1];

  it.each([
    { layers: few, pipelines: 1, room: 'roomOfOneStage' },
    { layers: many, pipelines: 1, room: 'roomOfSeveral' },
    { layers: [1, 1], pipelines: 2, room: 'roomOfOneStage' },
    { layers: few, pipelines: 2, room: 'roomOfSeveral' },
  ])('leaves room for the coordinator: $pipelines of $layers', ({ layers, pipelines, room }) => {
    for (const load of [0, 26, 300, 800]) {
      for (const budget of told(layers, load, { pipelines })) {
        expect(budget).toBe(limit(room) - BigInt(load) * million);
      }
    }
  });

  it.each([[few], [many]])(
    'is never below the floor, and never above what is configured: %j',
    (layers) => {
      for (const load of [0, 250, 900, 65_535]) {
        for (const configured of [400_000_000n, floor, floor + 100_000_000n, 3_000_000_000n]) {
          for (const budget of told(layers, load, { instructionBudget: configured })) {
            expect(budget).toBeLessThanOrEqual(configured);
            expect(budget).toBeGreaterThanOrEqual(configured < floor ? configured : floor);
          }
        }
      }
    },
  );

  it('is what is configured where the pipeline is not paced', () => {
    expect(told(few, 300, { paced: false })).toEqual([3_000_000_000n, 3_000_000_000n]);
  });

  it.each([1, 2])(
    'is as before a few rounds after the coordinator said what it takes; pipelines: %i',
    (pipelines) => {
      const p = pipeline([1, 1], { instructionBudget: 3_000_000_000n, pipelines });
      const budgets: bigint[] = [];
      p.ic.onMessage = ({ method }) => {
        if (method?.name !== 'run') return;
        budgets.push(new DataView(method.arg.buffer, method.arg.byteOffset).getBigUint64(16, true));
        newRound(p);
      };
      const tasks = Array.from({ length: 64 }, () => bundle(1));
      p.enqueue(EnqueueMode.ticket, 1n, tasks, 300);
      p.ic.runToIdle();
      const room = limit('roomOfOneStage');
      const holds = Number(limit('roundsOfLoad')) + pipelines;
      expect(budgets.slice(0, holds)).toEqual(new Array<bigint>(holds).fill(room - 300n * million));
      expect(budgets.slice(holds).every((budget) => budget === room)).toBe(true);
      expect(budgets.length).toBeGreaterThan(holds);
    },
  );

  it.each([1, 2])('leaves room for releases of requests that ended; pipelines: %i', (pipelines) => {
    const p = pipeline([1, 1], { instructionBudget: 3_000_000_000n, pipelines });
    for (let count = 0; count < 9; count++) p.enqueue(EnqueueMode.ticket, 1n, [bundle(1)]);
    p.ic.runToIdle();
    newRound(p);
    const seen = budgetsOf(p);
    p.enqueue(EnqueueMode.ticket, 1n, [bundle(1)]);
    p.ic.runToIdle();
    // Nine in four rounds, in each pipeline, rounded up.
    const releases = pipelines === 1 ? 3n : 5n;
    const room = limit('roomOfOneStage') - releases * limit('coordinatorPerRelease');
    expect(seen[1]).toEqual([room]);
  });

  it.each([
    { header: 0n, expected: 1_900_000_000n },
    { header: 1n, expected: floor },
    { header: floor + 100_000_000n, expected: floor + 100_000_000n },
    { header: 2n ** 64n - 1n, expected: 1_900_000_000n },
  ])('is taken from the header of "run": $header', ({ header, expected }) => {
    const p = pipeline([1, 1, 1], { instructionBudget: 1_900_000_000n });
    const budgets: bigint[] = [];
    p.ic.onMessage = ({ to, method }) => {
      if (to !== p.last.id || method?.name !== 'run') return;
      budgets.push(new DataView(method.arg.buffer, method.arg.byteOffset).getBigUint64(16, true));
    };
    run(p, 1, p.ic.timeNs, header);
    p.ic.runToIdle();
    expect(budgets).toEqual([expected]);
  });

  it('does not depend on any header for the results to be right', () => {
    const p = pipeline([1, 3]);
    p.last.instructionsPerLook = 30_000_000n;
    const header = fc.record({
      sentAtNs: fc.oneof(fc.bigInt(0n, 2n ** 64n - 1n), fc.constant(p.ic.timeNs)),
      messageBudget: fc.oneof(fc.bigInt(0n, 2n ** 64n - 1n), fc.bigInt(0n, 100n)),
    });
    let before = p.status(1).tasksDone;
    const property = fc.property(header, fc.boolean(), (fields, isNewRound) => {
      if (isNewRound) newRound(p);
      run(p, 1, fields.sentAtNs, fields.messageBudget);
      const call = p.enqueue(EnqueueMode.wait, 1n, [bundle(4)]);
      p.ic.runToIdle();
      expect(p.values(resultOf(call.answer))).toEqual([[doubled(4, 4)]]);
      expect(p.status(1)).toMatchObject({ waiting: 0, tasksDone: before + 2n });
      before += 2n;
      for (const worker of p.workers) expect(worker.traps).toBe(0);
    });
    fc.assert(property, { numRuns: 100 });
  });

  it('a list whose header is cut short is refused', () => {
    const p = pipeline([1, 1]);
    for (let length = 0; length <= 16; length++) {
      for (const [stage, method] of [
        [1, 'run'],
        [0, 'done'],
      ] as const) {
        const arg = new Uint8Array(length).fill(255);
        const answer = p.ic.update(p.workers[1 - stage]!.id, p.workers[stage]!, method, arg);
        expect(parseCanisterError(rejectionOf(answer))?.code).toBe('bad-message');
      }
    }
    for (const worker of p.workers) expect(worker.traps).toBe(0);
  });
});

describe('calls that wait for their result', () => {
  it.each([0, 1, 2])('are at most %i; the others get "pending" at once', (openCalls) => {
    const p = pipeline([1, 1], { openCalls });
    const calls = [1, 2, 3, 4, 5].map((value) => p.enqueue(EnqueueMode.wait, 1n, [bundle(value)]));
    for (let count = 0; count < calls.length; count++) p.ic.executeOne();
    const answered = calls.filter(({ answer }) => answer !== undefined);
    expect(answered).toEqual(calls.slice(openCalls));
    for (const { answer } of answered) {
      expect(resultOf(answer)).toMatchObject({ status: 'pending', tasksDone: 0, taskCount: 1 });
    }
    p.ic.runToIdle();
    calls.forEach(({ answer }, at) => {
      const result = resultOf(answer);
      expect(result.status).toBe(at < openCalls ? 'done' : 'pending');
      const done = result.status === 'done' ? result : p.fetch(result.requestId);
      expect(p.values(done)).toEqual([[doubled(at + 1, 2)]]);
    });
    // Their places are free again.
    const again = p.enqueue(EnqueueMode.wait, 1n, [bundle(6)]);
    p.ic.runToIdle();
    expect(resultOf(again.answer).status).toBe(openCalls > 0 ? 'done' : 'pending');
  });
});

describe.each([false, true])('a release of several requests; results stay: %s', (resultsStay) => {
  function release(p: Pipeline, ids: bigint[]): bigint[] {
    const arg = encodeRelease(epoch, ids);
    const reply = p.expectReply(p.ic.update(coordinator, p.keeper, 'release', arg));
    return endedRunsIn(reply).flatMap(({ requestId, end }) =>
      end === RunEnd.unknown ? [requestId] : [],
    );
  }
  function finished(p: Pipeline, count: number): bigint[] {
    const calls = Array.from({ length: count }, (_, value) =>
      p.enqueue(EnqueueMode.ticket, 1n, [bundle(value), bundle(value)]),
    );
    p.ic.runToIdle();
    return calls.map(({ answer }) => ticketOf(answer));
  }

  it('forgets those it knows and gives back the others', () => {
    const p = pipeline([1, 1], { resultsStay });
    const unused = p.status(resultsStay ? 1 : 0).heapUsedBytes;
    const [a, b, c, d] = finished(p, 4) as [bigint, bigint, bigint, bigint];
    const unknown = [12345n, 2n ** 64n - 1n, 0n];
    expect(release(p, [a, unknown[0]!, c, unknown[1]!, unknown[2]!])).toEqual(unknown);
    for (const id of [a, c]) expect(() => p.fetch(id)).toThrow(/unknown-request/);
    expect(p.values(p.fetch(b))).toEqual([[doubled(0 + 1, 2)], [doubled(1, 2)]]);
    // Named twice, it is unknown the second time.
    expect(release(p, [b, b, d])).toEqual([b]);
    expect(release(p, [a, b, c, d])).toEqual([a, b, c, d]);
    p.ic.runToIdle();
    expect(p.status(resultsStay ? 1 : 0).heapUsedBytes).toBe(unused);
  });

  it('refuses a list that is empty or ends within an id, and forgets nothing of it', () => {
    const p = pipeline([1, 1], { resultsStay });
    const [id] = finished(p, 1);
    const ids = encodeRelease(epoch, [id!, id!]);
    for (const length of [0, 1, 7, 8, 9, 15, 17, 23]) {
      const answer = p.ic.update(coordinator, p.keeper, 'release', ids.subarray(0, length));
      expect(parseCanisterError(rejectionOf(answer))?.code).toBe('bad-message');
      expect(p.fetch(id!)?.status).toBe('done');
    }
    for (const worker of p.workers) expect(worker.traps).toBe(0);
  });

  it('cancels what is under way, and names it where only parts are here', () => {
    const p = pipeline([1, 1], { resultsStay });
    for (const worker of p.workers) worker.instructionsPerLook = 60_000_000n;
    const call = p.enqueue(
      EnqueueMode.ticket,
      1n,
      Array.from({ length: 6 }, () => bundle(1)),
    );
    p.ic.runUntil(() => p.status(1).tasksDone === 2n);
    const id = ticketOf(call.answer);
    expect(decodeResult(p.fetchPart(p.keeper, id).part).status).toBe('pending');
    expect(release(p, [id])).toEqual(resultsStay ? [id] : []);
    p.expectReply(p.ic.update(coordinator, p.head, 'release', encodeRelease(epoch, [id])));
    p.ic.runToIdle();
    expect(() => p.fetch(id)).toThrow(/unknown-request/);
    expect(p.status(0).waiting).toBe(0);
  });
});
