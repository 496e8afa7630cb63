import fc from 'fast-check';
import { expect, it } from 'vitest';
import { Heap, type HeapBlock } from './heap.js';

it('never gives out memory twice, and knows how much was in use', () => {
  fc.assert(
    fc.property(
      fc.array(fc.record({ bytes: fc.nat(5000), release: fc.nat(5) }), { maxLength: 60 }),
      (steps) => {
        const heap = new Heap();
        const blocks: HeapBlock[] = [];
        for (const { bytes, release } of steps) {
          if (release < 2 && blocks.length > 0) {
            heap.release(blocks.splice(bytes % blocks.length, 1)[0]!);
            continue;
          }
          const block = heap.alloc(bytes);
          expect(block.end - block.start).toBeGreaterThanOrEqual(bytes);
          expect(blocks.every(({ start, end }) => end <= block.start || start >= block.end)).toBe(
            true,
          );
          blocks.push(block);
          const used = blocks.reduce((sum, { start, end }) => sum + end - start, 0);
          expect(heap.peak).toBeGreaterThanOrEqual(used);
          expect(heap.touched).toBeGreaterThanOrEqual(heap.peak > 0 ? block.end : 0);
        }
        expect(heap.touched).toBeGreaterThanOrEqual(heap.peak);
      },
    ),
  );
});

it('takes the smallest gap that holds a block', () => {
  const heap = new Heap();
  const [large, , small] = [heap.alloc(640), heap.alloc(64), heap.alloc(128), heap.alloc(64)];
  heap.release(large);
  heap.release(small);
  expect(heap.alloc(100).start).toBe(small.start);
  expect(heap.alloc(100).start).toBe(large.start);
  expect(heap.touched).toBe(896);
});
