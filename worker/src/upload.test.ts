import { createHash } from 'node:crypto';
import {
  decodeWorkerStatus,
  EnqueueMode,
  encodeChunk,
  encodeWorkerConfig,
  parseCanisterError,
  WorkerState,
} from '@canopy/protocol';
import { beforeEach, describe, expect, it } from 'vitest';
import type { Answer } from './testing/canister.js';
import { workerModule } from './testing/module.js';
import { bundle, controller, cut, doubled, Pipeline, rejectionOf } from './testing/pipeline.js';
import { TestIc } from './testing/test-ic.js';

const none = new Uint8Array(0);
const sha256 = (bytes: Uint8Array): Uint8Array =>
  new Uint8Array(createHash('sha256').update(bytes).digest());
const codeOf = (text: string): string | undefined => parseCanisterError(text)?.code;

let p: Pipeline;
beforeEach(() => {
  p = new Pipeline(new TestIc(workerModule), [1, 1]);
});

const heldChunks = (): number =>
  decodeWorkerStatus(p.expectReply(p.head.query('status', controller, none))).chunksHeld;

describe('configure', () => {
  it('is needed before all else', () => {
    for (const method of ['put_chunk', 'load', 'enqueue', 'release']) {
      const answer = p.ic.update(controller, p.head, method);
      expect(codeOf(rejectionOf(answer)), method).toBe('not-configured');
    }
    expect(codeOf(rejectionOf(p.head.query('chunks', controller, none)))).toBe('not-configured');
    expect(p.status(0).state).toBe(WorkerState.empty);
  });

  it('names what is wrong and changes nothing', () => {
    const good = p.config(0);
    const cases: [Uint8Array, RegExp][] = [
      [none, /wrong length/],
      [encodeWorkerConfig(good).subarray(4), /CWC2/],
      [encodeWorkerConfig({ ...good, epoch: 0n }), /epoch/],
      [encodeWorkerConfig({ ...good, deadlineSeconds: 0 }), /deadline/],
      [encodeWorkerConfig(good).subarray(0, 60), /truncated/],
      [encodeWorkerConfig(good).subarray(0, -1), /one worker a stage/],
      [new Uint8Array([...encodeWorkerConfig(good), 0]), /one worker a stage/],
      [encodeWorkerConfig({ ...good, stageIndex: 2 }), /stage index/],
      [encodeWorkerConfig({ ...good, stageCount: 0 }), /stage count/],
      [encodeWorkerConfig({ ...good, chunkBytes: 0 }), /chunk bytes/],
      [encodeWorkerConfig({ ...good, shardBytes: 2 ** 31, chunkBytes: 1 }), /chunks/],
      [encodeWorkerConfig({ ...good, instructionBudget: 5n }), /budget/],
      [encodeWorkerConfig({ ...good, queueLimit: 0 }), /queue limit/],
      [encodeWorkerConfig({ ...good, coordinator: new Uint8Array(30) }), /29 bytes/],
      [encodeWorkerConfig({ ...good, pipelines: 0 }), /pipelines/],
      [encodeWorkerConfig({ ...good, pipelines: 257 }), /pipelines/],
    ];
    for (const [arg, problem] of cases) {
      const text = rejectionOf(p.ic.update(controller, p.head, 'configure', arg));
      expect(text).toMatch(problem);
      expect(codeOf(text)).toBe('bad-message');
      expect(p.status(0).state).toBe(WorkerState.empty);
    }
  });

  it('keeps chunks and program where the shard is the same, forgets them where it is not', () => {
    p.deploy();
    p.configure(0);
    expect(p.status(0).state).toBe(WorkerState.ready);
    p.shards[0] = cut(new Uint8Array(50_000));
    p.configure(0);
    expect(p.status(0)).toMatchObject({ state: WorkerState.configured, chunksHeld: 0, nodes: 0 });
  });
});

describe('put_chunk', () => {
  beforeEach(() => {
    p.configure(0);
  });

  it('takes chunks in any order and again', () => {
    const { chunks } = p.shards[0]!;
    expect(chunks.length).toBeGreaterThan(1);
    for (const index of [1, 0, 1, 0]) p.expectReply(p.putChunk(0, index));
    expect([...p.expectReply(p.head.query('chunks', controller, none))]).toEqual([0b11]);
    p.load(0);
    expect(p.status(0)).toMatchObject({
      stageIndex: 0,
      stageCount: 2,
      nodes: 1,
      weightsBytes: 128,
    });
    expect(p.status(0).shardHash).toEqual(p.shards[0]!.hash);
    p.expectReply(p.putChunk(0, 1));
  });

  it('refuses what is corrupted, truncated, too long or beyond the shard', () => {
    const bytes = p.shards[0]!.chunks[0]!;
    const hash = p.shards[0]!.hashes[0]!;
    const corrupted = new Uint8Array(bytes);
    corrupted[17]! ^= 1;
    const cases: [Uint8Array, string, RegExp][] = [
      [encodeChunk({ index: 0, hash, bytes: corrupted }), 'bad-chunk', /chunk 0 .*hash/],
      [encodeChunk({ index: 0, hash, bytes: bytes.subarray(1) }), 'bad-chunk', /length/],
      [encodeChunk({ index: 9, hash, bytes }), 'bad-chunk', /chunk 9 is beyond/],
      [none, 'bad-message', /truncated/],
      [new Uint8Array(35), 'bad-message', /truncated/],
    ];
    for (const [arg, code, problem] of cases) {
      const text = rejectionOf(p.ic.update(controller, p.head, 'put_chunk', arg));
      expect(codeOf(text)).toBe(code);
      expect(text).toMatch(problem);
      expect(heldChunks()).toBe(0);
    }
    p.expectReply(p.putChunk(0, 0));
    expect(heldChunks()).toBe(1);
  });

  it('keeps what is loaded from being overwritten', () => {
    p.expectReply(p.putChunk(0, 0));
    p.expectReply(p.putChunk(0, 1));
    p.load(0);
    const bytes = new Uint8Array(p.shards[0]!.chunks[0]!.length);
    const arg = encodeChunk({ index: 0, hash: sha256(bytes), bytes });
    expect(rejectionOf(p.ic.update(controller, p.head, 'put_chunk', arg))).toMatch(/loaded/);
  });
});

describe('load', () => {
  it('names the chunk that is missing, and works once it is there', () => {
    p.configure(0);
    p.expectReply(p.putChunk(0, 0));
    const text = rejectionOf(p.ic.update(controller, p.head, 'load'));
    expect(codeOf(text)).toBe('bad-shard');
    expect(text).toMatch(/chunk 1 of 2 is missing/);
    p.expectReply(p.putChunk(0, 1));
    p.load(0);
  });

  it('refuses chunks of another shard than the configured one', () => {
    p.shards[0]!.hash[0]! ^= 1;
    p.configure(0);
    p.expectReply(p.putChunk(0, 0));
    p.expectReply(p.putChunk(0, 1));
    expect(rejectionOf(p.ic.update(controller, p.head, 'load'))).toMatch(/hash differs/);
  });

  it('refuses or runs a shard, whichever byte of its head is changed, and takes the right one then', () => {
    p.deploy();
    const { bytes } = p.shards[0]!;
    const headLength = new DataView(bytes.buffer, bytes.byteOffset).getUint32(12, true) + 64;
    const load = (shard: Uint8Array): Answer => {
      p.shards[0] = cut(shard);
      p.configure(0);
      p.shards[0].chunks.forEach((_, index) => p.expectReply(p.putChunk(0, index)));
      const answer = p.ic.update(controller, p.head, 'load');
      p.ic.runToIdle();
      return answer;
    };
    /** Values, or the text of an error. */
    const run = (): number[][] | string => {
      const call = p.enqueue(EnqueueMode.wait, 1n, [bundle(3), bundle(4, 5)]);
      p.ic.runToIdle();
      const answer = call.answer!;
      if ('reject' in answer) return answer.reject.text;
      const result = p.resultOf(answer);
      return result?.status === 'failed' ? result.text : p.values(result);
    };
    const outcomes = { refused: 0, failed: 0, done: 0 };
    for (let at = 0; at < headLength; at++) {
      const changed = new Uint8Array(bytes);
      changed[at]! ^= 0x81;
      const answer = load(changed);
      if ('reject' in answer) {
        const { text } = answer.reject;
        expect(codeOf(text), `byte ${at}: ${text}`).toMatch(/bad-shard|out-of-memory/);
        outcomes.refused++;
      } else {
        expect(p.status(0).state, `byte ${at}`).toBe(WorkerState.ready);
        const result = run();
        if (typeof result === 'string') {
          expect(codeOf(result), `byte ${at}: ${result}`).toBeDefined();
          outcomes.failed++;
        } else {
          // Names, padding and factors may be others; rows stay what they are.
          expect(
            result.map(({ length }) => length),
            `byte ${at}`,
          ).toEqual([1, 2]);
          outcomes.done++;
        }
      }
      expect(
        p.workers.map(({ traps }) => traps),
        `byte ${at}`,
      ).toEqual([0, 0]);
    }
    expect(outcomes.failed).toBeGreaterThan(0);
    expect(outcomes.done).toBeGreaterThan(0);
    expect(outcomes.refused).toBeGreaterThan(headLength / 3);
    p.expectReply(load(bytes));
    expect(run()).toEqual([[doubled(3, 2)], [doubled(4, 2), doubled(5, 2)]]);
  });

  it('copies weights of many pieces, a limited amount a message', () => {
    const head = p.shards[0]!.bytes.subarray(0, 65536);
    const weights = new Uint8Array(70 * 1024 * 1024);
    weights.set(p.shards[0]!.bytes.subarray(65536));
    weights[weights.length - 1] = 7;
    const bytes = Buffer.concat([head, weights]);
    bytes.writeUInt32LE(weights.length, 20);
    p.shards[0] = cut(bytes, 8 * 1024 * 1024);
    const arg = encodeWorkerConfig({ ...p.config(0), chunkBytes: 8 * 1024 * 1024 });
    p.expectReply(p.ic.update(controller, p.head, 'configure', arg));
    p.shards[0].chunks.forEach((_, index) => p.expectReply(p.putChunk(0, index)));
    p.expectReply(p.ic.update(controller, p.head, 'load'));
    p.ic.executeOne();
    expect(p.status(0)).toMatchObject({
      state: WorkerState.loading,
      weightsBytes: 64 * 1024 * 1024,
    });
    p.ic.runToIdle();
    expect(p.status(0)).toMatchObject({ state: WorkerState.ready, weightsBytes: weights.length });
  });
});
