import {
  encodeEnqueue,
  encodeFailure,
  encodeFetch,
  encodeRelease,
  encodeList,
  encodeNews,
  encodePartResult,
  encodeTask,
  encodeWorkerConfig,
  EnqueueMode,
  parseCanisterError,
  WorkerState,
  type WorkerConfig,
} from '@canopy/protocol';
import { createHash } from 'node:crypto';
import { describe, expect, it } from 'vitest';
import type { Answer } from './testing/messages.js';
import { workerModule } from './testing/module.js';
import {
  bundle,
  callerOf,
  controller,
  coordinator,
  cut,
  doubled,
  epoch,
  Pipeline,
  rejectionOf,
  ticketOf,
} from './testing/pipeline.js';
import { TestIc } from './testing/test-ic.js';

const pipeline = (layers: number[], options: Partial<WorkerConfig> = {}): Pipeline =>
  new Pipeline(new TestIc(workerModule), layers, options).deploy();
const codeOf = (answer: Answer): string | undefined =>
  parseCanisterError(rejectionOf(answer))?.code;
const configure = (p: Pipeline, stage: number, change: Partial<WorkerConfig>): Answer => {
  const arg = encodeWorkerConfig({ ...p.config(stage), ...change });
  return p.ic.update(controller, p.workers[stage]!, 'configure', arg);
};

describe('a configuration that is refused', () => {
  it('changes nothing where stable memory cannot grow', () => {
    const p = pipeline([1]);
    const before = p.status(0);
    const other = cut(new Uint8Array(10_000_000));
    p.head.mostStableBytes = p.head.stable.length;
    const answer = configure(p, 0, { shardBytes: other.bytes.length, shardHash: other.hash });
    expect(codeOf(answer)).toBe('out-of-memory');
    expect(p.status(0)).toEqual(before);
    const call = p.enqueue(EnqueueMode.ticket, 1n, [bundle(1)]);
    p.ic.runToIdle();
    expect(p.values(p.fetch(ticketOf(call.answer)))).toEqual([[doubled(1, 1)]]);
  });

  it('changes nothing where one of its fields is wrong, the last one too', () => {
    const p = pipeline([1, 1]);
    const before = p.status(0);
    const whole = encodeWorkerConfig({ ...p.config(0), epoch: 8n, resultsStay: true });
    for (let length = 0; length < whole.length; length++) {
      const arg = whole.subarray(0, length);
      expect(codeOf(p.ic.update(controller, p.head, 'configure', arg))).toBe('bad-message');
    }
    expect(p.status(0)).toEqual(before);
  });

  it('is any other one while requests are under way; results are whole', () => {
    for (let at = 0; at < 60; at++) {
      const p = pipeline([1, 1], { resultsStay: true });
      p.last.instructionsPerLook = 60_000_000n;
      const call = p.enqueue(EnqueueMode.ticket, 1n, [bundle(1), bundle(2), bundle(3)]);
      p.ic.runUntil(() => call.answer !== undefined);
      for (let count = 0; count < at && p.ic.executeOne(); count++);
      const isDone = p.fetch(ticketOf(call.answer)) !== undefined;
      const answer = configure(p, 0, { resultsStay: false });
      if (!isDone && 'reject' in answer) expect(codeOf(answer)).toBe('busy');
      p.ic.runToIdle();
      if ('reject' in answer) {
        const values = p.values(p.fetch(ticketOf(call.answer))).flat();
        expect(values).toEqual([1, 2, 3].map((value) => doubled(value, 2)));
      }
      for (const worker of p.workers) expect(worker.traps).toBe(0);
    }
  });
});

describe('a configuration', () => {
  it('that is sent again changes nothing, even while requests are under way', () => {
    const p = pipeline([1, 1]);
    const call = p.enqueue(EnqueueMode.ticket, 1n, [bundle(1), bundle(2)]);
    p.ic.runUntil(() => call.answer !== undefined);
    for (const stage of [0, 1]) p.expectReply(configure(p, stage, {}));
    p.ic.runToIdle();
    expect(p.values(p.fetch(ticketOf(call.answer))).flat()).toEqual([7, 11]);
  });

  it('is told by the status: its epoch, its hash and itself', () => {
    const p = pipeline([1, 1]);
    const bytes = encodeWorkerConfig(p.config(1));
    expect(p.status(1)).toMatchObject({
      epoch,
      configuration: bytes,
      configurationHash: new Uint8Array(createHash('sha256').update(bytes).digest()),
    });
    p.ic.upgrade(p.last);
    expect(p.status(1).configuration).toEqual(bytes);
  });

  it('that is another one ends all that was kept, and leaves no heap behind', () => {
    for (const resultsStay of [false, true]) {
      const p = pipeline([1, 1], { resultsStay });
      const unused = p.workers.map((_, stage) => p.status(stage).heapUsedBytes);
      for (const value of [1, 2]) p.enqueue(EnqueueMode.ticket, 1n, [bundle(value)]);
      p.ic.runToIdle();
      for (const stage of [0, 1]) p.expectReply(configure(p, stage, { epoch: 8n }));
      expect(p.status(0).state).toBe(WorkerState.ready);
      expect(p.workers.map((_, stage) => p.status(stage).heapUsedBytes)).toEqual(unused);
    }
  });
});

describe('a message of another epoch', () => {
  it('is refused by name and never acted on', () => {
    const p = pipeline([1, 1]);
    const other = epoch + 1n;
    const [head, last] = [p.head.id, p.last.id];
    const part = { requestId: 5n, index: 0, count: 1, rows: 0 };
    const task = encodeTask({ id: 5n, parts: [part], traces: [], bundle: bundle(1) });
    const result = encodePartResult({ ...part, taskId: 5n, traces: [], bundle: bundle(1) });
    const owner = callerOf(1n);
    const run = { epoch: other, mode: EnqueueMode.ticket, owner, tasks: [bundle(1)] };
    const failure = { taskId: 5n, stage: 1, text: 'no' };
    const messages: [string, string, number, Uint8Array][] = [
      ['enqueue', coordinator, 0, encodeEnqueue(run)],
      ['release', coordinator, 0, encodeRelease(other, [5n])],
      ['run', head, 1, encodeList(other, [task])],
      ['done', last, 0, encodeList(other, [result])],
      ['news', last, 0, encodeNews(other, [5n])],
      ['fail', last, 0, encodeFailure(other, failure)],
    ];
    for (const [method, caller, stage, arg] of messages) {
      const answer = p.ic.update(caller, p.workers[stage]!, method, arg);
      expect(codeOf(answer), method).toBe('other-epoch');
      expect(rejectionOf(answer)).toMatch(/of epoch 8, this worker is configured as epoch 7/);
    }
    const fetch = p.head.query('fetch', coordinator, encodeFetch(other, 5n, 0, 10));
    expect(codeOf(fetch)).toBe('other-epoch');
    p.ic.runToIdle();
    expect(p.workers.map((_, stage) => p.status(stage).tasksDone)).toEqual([0n, 0n]);
  });

  it('fails the request whose task it brought, where one worker was configured alone', () => {
    const p = pipeline([1, 1]);
    p.expectReply(configure(p, 1, { epoch: 8n }));
    const call = p.enqueue(EnqueueMode.ticket, 1n, [bundle(1)]);
    p.ic.runToIdle();
    const result = p.fetch(ticketOf(call.answer));
    expect(result).toMatchObject({ status: 'failed', stage: 0 });
    expect(result?.status === 'failed' && result.text).toMatch(/\[other-epoch\] .* epoch 7/);
  });
});

describe('an empty worker', () => {
  it('tells everybody that it has no configuration', () => {
    const p = new Pipeline(new TestIc(workerModule), [1]);
    for (const caller of [coordinator, controller, 'aabb']) {
      const answer = p.ic.update(caller, p.head, 'enqueue', new Uint8Array(60));
      expect(codeOf(answer)).toBe('not-configured');
      expect(parseCanisterError(rejectionOf(answer))?.retryable).toBe(true);
    }
    expect(codeOf(p.ic.update('aabb', p.head, 'configure', encodeWorkerConfig(p.config(0))))).toBe(
      'not-configured',
    );
    expect(p.status(0).state).toBe(WorkerState.empty);
  });
});

describe('an upgrade', () => {
  it('fails where it cannot read what was saved, and the release before goes on', () => {
    const p = pipeline([1, 1]);
    const call = p.enqueue(EnqueueMode.ticket, 1n, [bundle(1)]);
    p.ic.runToIdle();
    const check = (): void => {
      expect(p.values(p.fetch(ticketOf(call.answer)))).toEqual([[doubled(1, 2)]]);
    };
    p.head.damageAtUpgrade = (stable) => {
      stable[64]! ^= 1;
    };
    expect(() => {
      p.ic.upgrade(p.head);
    }).toThrow(/upgrade refused: the configuration in stable memory cannot be read: .*"CWC2"/);
    check();
    p.head.damageAtUpgrade = (stable) => {
      const view = new DataView(stable.buffer);
      expect(view.getUint32(savedAt(stable), true)).toBeLessThan(99);
      view.setUint32(savedAt(stable), 99, true);
    };
    expect(() => {
      p.ic.upgrade(p.head);
    }).toThrow(/upgrade refused: the state was saved by another release/);
    check();
    p.head.damageAtUpgrade = undefined;
    p.ic.upgrade(p.head);
    check();
  });

  it.each([
    ['of another program', 0, 0x12345678, 'it does not begin with "CWST"'],
    ['that lost its first word', 0, 0, 'it does not begin with "CWST"'],
    ['of another release', 4, 2, 'it was laid out by another release'],
    ['that is damaged', 8, 65536, 'the configuration is too long'],
  ])('never takes a stable memory %s for an empty one', (_, at, word, why) => {
    const p = pipeline([1]);
    const call = p.enqueue(EnqueueMode.ticket, 1n, [bundle(1)]);
    p.ic.runToIdle();
    p.head.damageAtUpgrade = (stable) => {
      new DataView(stable.buffer).setUint32(at, word, true);
    };
    expect(() => {
      p.ic.upgrade(p.head);
    }).toThrow(
      `upgrade refused: what is in stable memory cannot be read: ${why}; the module before`,
    );
    expect(p.status(0).state).toBe(WorkerState.ready);
    expect(p.values(p.fetch(ticketOf(call.answer)))).toEqual([[doubled(1, 1)]]);
  });
});

/** Where the saved state begins: the page behind hashes, bitmap and shard. */
function savedAt(stable: Uint8Array): number {
  const view = new DataView(stable.buffer, stable.byteOffset);
  const shardBytes = view.getUint32(64 + 20, true);
  const toPage = (bytes: number): number => Math.ceil(bytes / 65536) * 65536;
  const chunks = Math.ceil(shardBytes / view.getUint32(64 + 24, true));
  return toPage(toPage(65536 + chunks * 32 + Math.ceil(chunks / 8)) + shardBytes);
}
