import { beforeEach, describe, expect, it } from 'vitest';
import fc from 'fast-check';
import { compileEngine } from './compile.js';

interface Memory {
  alloc: (bytes: number) => number;
  release: (address: number) => void;
  heapUsed: () => bigint;
  heapEnd: () => number;
  setHeapLimit: (end: number) => void;
}

/** What the heap has among the globals. */
const nearBytes = 10 * 1024;

let memory: Memory;
beforeEach(async () => {
  const { wasm } = await compileEngine();
  const nothing = (): number => 0;
  const { instance } = await WebAssembly.instantiate(wasm, {
    ic0: {
      performance_counter: () => 0n,
      msg_arg_data_size: nothing,
      msg_arg_data_copy: nothing,
      msg_reply_data_append: nothing,
    },
  });
  memory = instance.exports as unknown as Memory;
});

describe('the heap of tensors', () => {
  it('gives blocks that do not overlap, at multiples of 64, and takes them all back', () => {
    const steps = fc.array(fc.tuple(fc.boolean(), fc.nat(5000)), { maxLength: 200 });
    fc.assert(
      fc.property(steps, (all) => {
        const live: { from: number; to: number }[] = [];
        for (const [give, size] of all) {
          if (give || live.length === 0) {
            const from = memory.alloc(size) >>> 0;
            expect(from).toBeGreaterThan(0);
            expect(from % 64).toBe(0);
            const block = { from, to: from + size };
            for (const other of live)
              expect(block.from >= other.to || block.to <= other.from).toBe(true);
            live.push(block);
          } else {
            const [block] = live.splice(size % live.length, 1);
            memory.release(block!.from);
          }
        }
        for (const { from } of live) memory.release(from);
        expect(memory.heapUsed()).toBe(0n);
      }),
      { seed: 5 },
    );
  });

  it('takes the smallest gap that holds a block, the lowest of equal ones', () => {
    const sizes = [640, 64, 128, 64, 128, 64];
    const blocks = sizes.map((size) => memory.alloc(size));
    for (const i of [0, 2, 4]) memory.release(blocks[i]!);
    expect(memory.alloc(100)).toBe(blocks[2]);
    expect(memory.alloc(128)).toBe(blocks[4]);
    expect(memory.alloc(128)).toBe(blocks[0]);
    expect(memory.alloc(1000)).toBe(blocks[5]! + 64);
  });

  it('holds any number of blocks', () => {
    const count = 9000;
    const blocks = Array.from({ length: count }, (_, i) => memory.alloc(64 + (i % 3) * 64) >>> 0);
    expect(blocks.every((block) => block > 0)).toBe(true);
    const sorted = blocks
      .map((from, i) => ({ from, to: from + 64 + (i % 3) * 64 }))
      .sort((a, b) => a.from - b.from);
    for (let i = 1; i < count; i++) expect(sorted[i]!.from >= sorted[i - 1]!.to).toBe(true);
    for (const block of blocks) memory.release(block);
    expect(memory.heapUsed()).toBe(0n);
    expect(memory.alloc(64) >>> 0).toBeLessThan(blocks[1]!);
  });

  it('begins among the globals, on their page', () => {
    const first = memory.alloc(nearBytes);
    expect(first + nearBytes).toBeLessThanOrEqual(65536);
    expect(memory.alloc(64)).toBeGreaterThan(first + nearBytes);
    memory.release(first);
    expect(memory.alloc(64)).toBe(first);
  });

  it('ends at the limit', () => {
    const first = memory.alloc(nearBytes);
    memory.setHeapLimit(memory.heapEnd() + 1024);
    expect(memory.alloc(2048)).toBe(0);
    expect(memory.alloc(1024)).toBeGreaterThan(first);
    expect(memory.alloc(64)).toBe(0);
    memory.release(first);
    expect(memory.alloc(64)).toBe(first);
  });

  it('ignores addresses that are no block', () => {
    const block = memory.alloc(64);
    memory.release(0);
    memory.release(block + 8);
    expect(memory.heapUsed()).toBe(64n);
  });
});
