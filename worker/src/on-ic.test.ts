import { ByteReader, decodeFetchReply, encodeFetch, EnqueueMode } from '@canopy/protocol';
import { describe, expect, it } from 'vitest';
import { EmbeddedPipeline } from './testing/embedded-ic.js';
import './testing/module.js';
import {
  bundle,
  doubled,
  doublingShard,
  epoch,
  firstColumn,
  heavyBundle,
  heavyShard,
  type Shard,
} from './testing/pipeline.js';

const chunkBytes = 40_000;
const heavyChunkBytes = 1_000_000;

describe('workers on the embedded IC', () => {
  it('answer, cheaply: a hop costs less than a million instructions', () => {
    const p = new EmbeddedPipeline(
      [1, 1, 1].map((layers) => doublingShard(layers)),
      {},
      chunkBytes,
    );
    p.doneResult(p.enqueue(EnqueueMode.wait, [bundle(1)]));
    const slices = p.executed(() => {
      const result = p.doneResult(p.enqueue(EnqueueMode.wait, [bundle(2), bundle(3)]));
      expect(result.tasks.flatMap((task) => firstColumn(task.bundle))).toEqual([
        doubled(2, 3),
        doubled(3, 3),
      ]);
    });
    for (const slice of slices) expect(slice.instructions).toBeLessThan(1_000_000);
    for (const { instructions, stage } of slices) {
      if (stage > 0) expect(instructions).toBeLessThan(500_000);
    }
  });

  it('count in their traces what the system counts', () => {
    const shards: Shard[] = [heavyShard(2), heavyShard(3)];
    const p = new EmbeddedPipeline(shards, { instructionBudget: 60_000_000n }, heavyChunkBytes);
    let result: ReturnType<EmbeddedPipeline['doneResult']> | undefined;
    const slices = p.executed(() => {
      result = p.doneResult(p.enqueue(EnqueueMode.wait, [heavyBundle(24)]));
    });
    const [task] = result!.tasks;
    task!.traces.forEach((trace, stage) => {
      expect(trace.messages).toBeGreaterThan(1);
      const work = slices
        .filter((slice) => slice.stage === stage && slice.instructions > 10_000_000)
        .reduce((sum, slice) => sum + slice.instructions, 0);
      expect(Number(trace.instructions) / work).toBeGreaterThan(0.995);
      expect(Number(trace.instructions) / work).toBeLessThan(1.005);
    });
    for (const { instructions } of slices) expect(instructions).toBeLessThan(90_000_000);
  });

  it('all have work in every iteration: 16 tasks of 4 stages take 3 rounds', () => {
    const p = new EmbeddedPipeline([5, 5, 5, 5].map(heavyShard), {}, heavyChunkBytes);
    const before = p.rounds;
    const slices = p.executed(() => {
      const ids = Array.from({ length: 16 }, () => p.enqueue(EnqueueMode.wait, [heavyBundle(26)]));
      for (const id of ids) p.doneResult(id);
    });
    const work = slices.filter(({ instructions }) => instructions > 200_000_000);
    expect(work.length).toBeGreaterThan(16);
    for (const { instructions } of work) expect(instructions).toBeLessThan(2_000_000_000);
    expect(p.rounds - before).toBe(3);
  });

  it('lose nothing when each of them is upgraded in the middle', () => {
    const p = new EmbeddedPipeline([4, 4, 4].map(heavyShard), {}, heavyChunkBytes);
    const waiting = Array.from({ length: 12 }, () =>
      p.enqueue(EnqueueMode.wait, [heavyBundle(26), heavyBundle(26)]),
    );
    p.round();
    for (let stage = 0; stage < 3; stage++) p.upgrade(stage);
    for (const id of waiting) expect(p.doneResult(id).tasks).toHaveLength(2);
    expect(p.status(0).waiting).toBe(0);
  });

  it.each([0, 1])('work again where a snapshot of stage %i, taken at work, is loaded', (stage) => {
    // Tasks pile up before the stage that takes long.
    const layers = stage === 0 ? [4, 2] : [2, 4];
    const p = new EmbeddedPipeline(layers.map(heavyShard), {}, heavyChunkBytes);
    const send = (count: number): Uint8Array[] =>
      Array.from({ length: count }, () => p.enqueue(EnqueueMode.ticket, [heavyBundle(60)]));
    const isDone = (callId: Uint8Array): boolean => {
      const reply = p.reply(callId);
      if (reply === undefined) return false;
      const id = new ByteReader(reply, 'ticket').u64();
      return decodeFetchReply(p.query(0, 'fetch', encodeFetch(epoch, id, 0, 10))).finished;
    };
    const finish = (calls: Uint8Array[]): void => {
      p.runUntil(() => calls.every(isDone));
    };
    const before = send(20);
    p.runUntil(() => p.status(stage).waiting > 0);
    const snapshot = p.takeSnapshot(stage);
    finish(before);
    p.loadSnapshot(stage, snapshot);
    for (let round = 0; round < 15; round++) p.round();
    finish(send(2));
    p.runUntil(() => p.status(0).waiting === 0 && p.status(1).waiting === 0);
    p.upgrade(stage);
    finish(send(2));
  });

  it('give no id twice where a snapshot is loaded that does not know the latest', () => {
    const p = new EmbeddedPipeline([doublingShard(1), doublingShard(1)], {}, chunkBytes);
    const idOf = (callId: Uint8Array): bigint => {
      p.runUntil(() => p.reply(callId) !== undefined);
      return new ByteReader(p.reply(callId)!, 'ticket').u64();
    };
    const send = (value: number): bigint => idOf(p.enqueue(EnqueueMode.ticket, [bundle(value)]));
    const first = send(1);
    const snapshot = p.takeSnapshot(0);
    const unknown = send(2);
    p.loadSnapshot(0, snapshot);
    const later = send(3);
    const fetch = (id: bigint): Uint8Array => p.query(0, 'fetch', encodeFetch(epoch, id, 0, 1000));
    p.runUntil(() => decodeFetchReply(fetch(later)).finished);
    expect(() => fetch(unknown)).toThrow('there is no request');
    expect(decodeFetchReply(fetch(first)).finished).toBe(true);
    expect(new Set([first, unknown, later]).size).toBe(3);
  });
});
