import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { assemble } from './testing/assemble.js';
import { interpret, type Trace } from './testing/interpreter.js';
import { MessageHost } from './testing/message-host.js';
import { MAX_PAGES, program } from './testing/program.js';
import { programText } from './testing/program-text.js';
import type { HeapState } from './types.js';

const PAGE = 65536;
const CHARGE = 16 * 5000;
const RUNS = Number(process.env['RANDOM_PROGRAMS'] ?? 150);

/** The whole heap of a state, zeros filled in. */
function heapOf(state: HeapState): Buffer {
  const heap = Buffer.alloc(MAX_PAGES * PAGE);
  for (const [page, bytes] of state.content) heap.set(bytes, page * PAGE);
  return heap;
}

function globalsOf(state: HeapState): number[] {
  return state.globals.flatMap(({ bytes }) => [
    ...new Uint32Array(bytes.buffer, bytes.byteOffset, bytes.length / 4),
  ]);
}

function expectState(state: HeapState, trace: Trace): void {
  expect(state.pages).toBe(trace.pages);
  expect(globalsOf(state)).toEqual([trace.int >>> 0, trace.float >>> 0, ...trace.vector]);
  expect(heapOf(state).equals(trace.memory)).toBe(true);
}

function expectSame(state: HeapState, other: HeapState): void {
  expect(state.pages).toBe(other.pages);
  expect(globalsOf(state)).toEqual(globalsOf(other));
  expect(heapOf(state).equals(heapOf(other))).toBe(true);
}

describe('random programs', () => {
  it('count, compute and touch what a plain interpreter says; a rollback undoes all of it', () => {
    fc.assert(
      fc.property(program, (tree) => {
        const trace = interpret(tree);
        const bytes = assemble(programText(tree));
        for (const schedule of ['2026-07', '2025-10'] as const) {
          const { instance } = new MessageHost(bytes, schedule);
          const before = instance.saveState();
          const run = (): void => {
            const outcome = instance.run({ export: 'main' }, 1e12);
            if (trace.trapped) {
              expect(outcome).toMatchObject({ trap: { kind: 'heap out of bounds' } });
              return;
            }
            const pages =
              schedule === '2026-07' ? CHARGE * (trace.accessed.size + trace.written.size) : 0;
            expect(outcome).toEqual({ kind: 'returned', instructions: trace.count + pages });
            expect(instance.touched()).toEqual({
              readWasmPages: trace.accessed.size,
              writtenWasmPages: trace.written.size,
            });
            expectState(instance.saveState(), trace);
          };
          run();
          instance.rollback();
          expectSame(instance.saveState(), before);
          run();
          if (trace.trapped) {
            instance.rollback();
            continue;
          }
          const pending = instance.detach();
          expectSame(instance.saveState(), before);
          instance.attach(pending);
          expectState(instance.saveState(), trace);
        }
      }),
      { numRuns: RUNS },
    );
  });
});
