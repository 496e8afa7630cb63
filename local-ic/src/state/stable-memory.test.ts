import * as fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { readSnapshot, snapshotOf, StableMemory, WASM_PAGE } from './stable-memory.js';

const bytes = (...values: number[]): Uint8Array => Uint8Array.from(values);

function read(memory: StableMemory, offset: number, length: number): Uint8Array {
  const target = new Uint8Array(length).fill(255);
  memory.read(offset, target);
  return target;
}

/** A memory of three pages with 1, 2, 3 at the boundary of the first two. */
function filled(): StableMemory {
  const memory = new StableMemory();
  memory.grow(3);
  memory.write(WASM_PAGE - 1, bytes(1, 2, 3));
  memory.commit();
  return memory;
}

describe('StableMemory', () => {
  it('is zero where nothing was written, and reads across pages', () => {
    expect(read(filled(), WASM_PAGE - 2, 6)).toEqual(bytes(0, 1, 2, 3, 0, 0));
  });

  it('holds a byte at the end of 500 GiB', () => {
    const memory = new StableMemory();
    memory.grow(8_192_000);
    memory.write(8_192_000 * WASM_PAGE - 1, bytes(7));
    memory.commit();
    expect(read(memory, 8_192_000 * WASM_PAGE - 1, 1)).toEqual(bytes(7));
  });

  it('takes back writes and growth', () => {
    const memory = filled();
    memory.grow(5);
    memory.write(WASM_PAGE, bytes(9, 9));
    memory.rollback();
    expect(memory.size).toBe(3);
    expect(read(memory, WASM_PAGE - 1, 3)).toEqual(bytes(1, 2, 3));
  });

  it('shows the state before while changes are detached', () => {
    const memory = filled();
    memory.write(WASM_PAGE, bytes(9));
    memory.grow(1);
    const changes = memory.detach();
    expect(read(memory, WASM_PAGE, 1)).toEqual(bytes(2));
    expect(memory.size).toBe(3);
    memory.attach(changes);
    memory.commit();
    expect(read(memory, WASM_PAGE, 1)).toEqual(bytes(9));
    expect(memory.size).toBe(4);
  });

  it('can put the same changes on again after more was written to them', () => {
    const memory = filled();
    memory.write(WASM_PAGE, bytes(9));
    const changes = memory.detach();
    memory.attach(changes);
    memory.write(WASM_PAGE, bytes(10, 10));
    memory.rollback();
    memory.attach(changes);
    expect(read(memory, WASM_PAGE, 2)).toEqual(bytes(9, 3));
  });

  it('keeps snapshots as they were', () => {
    const memory = filled();
    const snapshot = memory.snapshot();
    memory.write(WASM_PAGE, bytes(9));
    memory.commit();
    expect(readSnapshot(snapshot, WASM_PAGE, 1)).toEqual(bytes(2));
    memory.restore(snapshot);
    expect(read(memory, WASM_PAGE, 1)).toEqual(bytes(2));
  });

  it('counts 4 KiB pages once for each message', () => {
    const memory = filled();
    expect(memory.markDirty(4095, 2)).toBe(2);
    expect(memory.markDirty(0, 4096)).toBe(0);
    expect(memory.markDirty(WASM_PAGE - 1, WASM_PAGE)).toBe(17);
    expect(memory.dirtyPages).toBe(19);
    memory.rollback();
    expect(memory.markDirty(0, 1)).toBe(1);
    expect(memory.markAccessed(0, 0)).toBe(0);
  });
});

describe('StableMemory beside a plain array', () => {
  const size = 3 * WASM_PAGE;
  const operation = fc.oneof(
    fc.record({
      kind: fc.constant('write' as const),
      offset: fc.nat(size - 1),
      content: fc.uint8Array({ minLength: 1, maxLength: 40 }),
    }),
    fc.record({ kind: fc.constantFrom('commit' as const, 'rollback' as const, 'detach' as const) }),
  );

  it('has the same bytes after any writes, commits and rollbacks', () => {
    fc.assert(
      fc.property(fc.array(operation, { maxLength: 40 }), (operations) => {
        const memory = new StableMemory(snapshotOf(new Uint8Array(size)));
        let committed = new Uint8Array(size);
        let current = committed.slice();
        for (const step of operations) {
          if (step.kind === 'write') {
            const content = step.content.subarray(0, size - step.offset);
            memory.write(step.offset, content);
            current.set(content, step.offset);
          } else if (step.kind === 'commit') {
            memory.commit();
            committed = current.slice();
          } else if (step.kind === 'rollback') {
            memory.rollback();
            current = committed.slice();
          } else {
            const changes = memory.detach();
            expect(Buffer.compare(read(memory, 0, size), committed)).toBe(0);
            memory.attach(changes);
          }
        }
        expect(Buffer.compare(read(memory, 0, size), current)).toBe(0);
        memory.rollback();
        expect(Buffer.compare(read(memory, 0, size), committed)).toBe(0);
      }),
      { numRuns: 100 },
    );
  });
});

describe('snapshotOf', () => {
  it('rounds up to whole pages', () => {
    const snapshot = snapshotOf(bytes(1, 2, 3));
    expect(snapshot.size).toBe(1);
    expect(readSnapshot(snapshot, 0, 5)).toEqual(bytes(1, 2, 3, 0, 0));
  });
});
