import {
  ByteReader,
  EnqueueMode,
  RunEnd,
  decodeTaken,
  encodeEnqueue,
  encodeEnqueueAll,
  encodeRelease,
  parseCanisterError,
  type EndedRun,
  type RunRequest,
  type Taken,
  type WorkerConfig,
} from '@canopy/protocol';
import { describe, expect, it } from 'vitest';
import {
  bundle,
  callerOf,
  coordinator,
  doubled,
  endedRunsIn,
  epoch,
  Pipeline,
  rejectionOf,
  ticketOf,
} from './testing/pipeline.js';

function pipeline(options: Partial<WorkerConfig> = {}): Pipeline {
  const p = Pipeline.deployed([1, 1], options);
  p.ic.nsPerMessage = 0n;
  return p;
}

function request(key: bigint, values: number[], rest: Partial<RunRequest> = {}): RunRequest {
  const tasks = values.map((value) => bundle(value));
  return { mode: EnqueueMode.ticket, owner: callerOf(key), tasks, ...rest };
}

/** Hands over requests together; the answer for each, and how others ended. */
function together(p: Pipeline, runs: RunRequest[]): { taken: Taken[]; ended: EndedRun[] } {
  const answer = p.ic.update(coordinator, p.head, 'enqueue', encodeEnqueueAll({ epoch }, runs));
  const reply = p.expectReply(answer);
  const input = new ByteReader(reply, 'reply of enqueue');
  const taken = decodeTaken(input, runs.length);
  return { taken, ended: endedRunsIn(input.bytes(input.remaining)) };
}

const idOf = (taken: Taken | undefined): bigint => {
  if (taken === undefined || 'refusal' in taken) throw new Error(taken?.refusal);
  return taken.requestId;
};
const codeOf = (taken: Taken | undefined): string | undefined =>
  taken && 'refusal' in taken ? parseCanisterError(taken.refusal)?.code : undefined;

function release(p: Pipeline, ids: bigint[]): EndedRun[] {
  const answer = p.ic.update(coordinator, p.keeper, 'release', encodeRelease(epoch, ids));
  return endedRunsIn(p.expectReply(answer));
}

describe('requests that come together', () => {
  it('are each taken and worked on as if they had come alone', () => {
    const p = pipeline({ rowsPerTask: 8 });
    const unused = [0, 1].map((stage) => p.status(stage).heapUsedBytes);
    const runs = [request(1n, [3]), request(2n, [4, 5]), request(3n, [6])];
    const { taken } = together(p, runs);
    p.ic.runToIdle();
    expect(taken.map((one) => p.values(p.fetch(idOf(one))))).toEqual([
      [[doubled(3, 2)]],
      [[doubled(4, 2)], [doubled(5, 2)]],
      [[doubled(6, 2)]],
    ]);
    // All rows in one task.
    expect(p.status(1).tasksDone).toBe(1n);
    release(p, taken.map(idOf));
    p.ic.runToIdle();
    expect([0, 1].map((stage) => p.status(stage).heapUsedBytes)).toEqual(unused);
  });

  it('are refused one by one, each for its own reason', () => {
    const p = pipeline({ queueLimitPerCaller: 1 });
    const { taken } = together(p, [
      request(1n, [1]),
      request(1n, [2]),
      request(2n, [3], { tasks: [new Uint8Array(9)] }),
      request(2n, [3], { tasks: [] }),
      request(2n, [3], { mode: 7 }),
      request(2n, [3], { mode: EnqueueMode.wait }),
      request(2n, [4]),
    ]);
    expect(taken.map(codeOf)).toEqual([
      undefined,
      'busy',
      'bad-input',
      'bad-message',
      'bad-message',
      'bad-message',
      undefined,
    ]);
    p.ic.runToIdle();
    expect(p.values(p.fetch(idOf(taken[0])))).toEqual([[doubled(1, 2)]]);
    expect(p.values(p.fetch(idOf(taken[6])))).toEqual([[doubled(4, 2)]]);
    release(p, [taken[0], taken[6]].map(idOf));
  });

  it('change nothing where they are no list', () => {
    const p = pipeline();
    const unused = p.status(0).heapUsedBytes;
    const list = encodeEnqueueAll({ epoch }, [request(1n, [1]), request(2n, [2])]);
    const wrong = [list.subarray(0, 15), list.subarray(0, list.length - 1)];
    for (const count of [0, 1, 3, 257]) {
      const other = list.slice();
      new DataView(other.buffer).setUint32(12, count, true);
      wrong.push(other);
    }
    for (const argument of wrong) {
      const answer = p.ic.update(coordinator, p.head, 'enqueue', argument);
      expect(parseCanisterError(rejectionOf(answer))?.code).toBe('bad-message');
    }
    const otherEpoch = encodeEnqueueAll({ epoch: epoch + 1n }, [request(1n, [1])]);
    const answer = p.ic.update(coordinator, p.head, 'enqueue', otherEpoch);
    expect(parseCanisterError(rejectionOf(answer))?.code).toBe('other-epoch');
    expect(p.status(0)).toMatchObject({ waiting: 0, heapUsedBytes: unused });
    for (const worker of p.workers) expect(worker.traps).toBe(0);
  });
});

describe.each([false, true])(
  'the coordinator is told how requests end; results stay: %s',
  (resultsStay) => {
    it('that it releases: done, with what the stages did over all micro-batches', () => {
      const p = pipeline({ resultsStay });
      const { taken } = together(p, [request(1n, [1, 2, 3]), request(2n, [4])]);
      p.ic.runToIdle();
      const [many, one] = taken.map(idOf);
      const whole = p.fetch(many!);
      if (whole?.status !== 'done') throw new Error(whole?.status);
      const bytes = p.fetchPart(p.keeper, many!).byteLength;
      const [first, unknown, second] = release(p, [many!, 12345n, one!]);
      expect(first).toMatchObject({
        requestId: many,
        end: RunEnd.done,
        byteLength: bytes,
        text: '',
      });
      const sums = [0, 1].map((stage) =>
        whole.tasks.reduce((sum, { traces }) => sum + traces[stage]!.instructions, 0n),
      );
      expect(first!.traces.map(({ instructions }) => instructions)).toEqual(sums);
      expect(first!.traces.map(({ messages }) => messages)).toEqual(
        [0, 1].map((stage) =>
          whole.tasks.reduce((sum, task) => sum + task.traces[stage]!.messages, 0),
        ),
      );
      expect(unknown).toMatchObject({ requestId: 12345n, end: RunEnd.unknown, traces: [] });
      expect(second).toMatchObject({ requestId: one, end: RunEnd.done });
    });

    it('when newer results push one out, with its next answer', () => {
      const p = pipeline({ resultsStay, queueLimit: 2000, queueLimitPerCaller: 2000 });
      const most = 1000;
      const ids: bigint[] = [];
      for (let count = 0; count <= most; count += 100) {
        const runs = Array.from({ length: 100 }, () => request(1n, [1]));
        ids.push(...together(p, runs).taken.map(idOf));
        p.ic.runToIdle();
      }
      const told = release(p, [ids.at(-1)]);
      const pushedOut = told.slice(1).map(({ requestId }) => requestId);
      // As many as there is room to note.
      expect(pushedOut).toEqual(ids.slice(0, 100).slice(-64));
      expect(told.every(({ end, traces }) => end === RunEnd.done && traces.length === 2)).toBe(
        true,
      );
      expect(release(p, [ids.at(-2)])).toHaveLength(1);
    });
  },
);

describe('the coordinator is told how requests end', () => {
  it('that it takes back: cancelled, with what was done of it', () => {
    const p = pipeline();
    p.workers[1]!.status = 'stopped';
    const id = ticketOf(
      p.ic.update(coordinator, p.head, 'enqueue', encodeEnqueue({ epoch, ...request(1n, [1]) })),
    );
    expect(release(p, [id])).toMatchObject([{ requestId: id, end: RunEnd.cancelled, traces: [] }]);
    expect(release(p, [id])).toMatchObject([{ requestId: id, end: RunEnd.unknown }]);
  });

  it('that are out of time, with its next answer, through an upgrade too', () => {
    const p = pipeline();
    p.workers[1]!.status = 'stopped';
    const late = request(1n, [1], { deadlineSeconds: 60 });
    const id = ticketOf(
      p.ic.update(coordinator, p.head, 'enqueue', encodeEnqueue({ epoch, ...late })),
    );
    p.ic.runUntil(() => p.fetch(id)?.status === 'failed');
    p.ic.upgrade(p.head);
    const { ended } = together(p, [request(2n, [1]), request(2n, [2])]);
    expect(ended).toMatchObject([
      {
        requestId: id,
        end: RunEnd.failed,
        text: expect.stringMatching(/^\[deadline\]/) as unknown,
      },
    ]);
    expect(release(p, [id])).toMatchObject([{ requestId: id, end: RunEnd.failed }]);
  });
});
