import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import {
  EnqueueMode,
  encodeBundle,
  encodeEnqueue,
  joinRows,
  splitRows,
  type BundleTensor,
} from '@canopy/protocol';
import { anyTensors, tensorsOfRows } from '../../testing/any-tensors.js';
import { cutTasks, encodeRun, encodeTasksForHead, runWithTicket } from './enqueue-message.js';

const nameless = (task: readonly BundleTensor[]): BundleTensor[] =>
  task.map((tensor) => ({ ...tensor, name: '' }));
const u64 = fc.bigInt({ min: 0n, max: (1n << 64n) - 1n });

describe('the message to the head', () => {
  test('has the rows that splitRows gives', () => {
    fc.assert(
      fc.property(tensorsOfRows, fc.integer({ min: 1, max: 10 }), (tensors, rowsPerTask) => {
        expect(cutTasks(tensors, rowsPerTask)).toEqual(
          splitRows(tensors, rowsPerTask).map(nameless),
        );
      }),
    );
  });

  test('has one task of no rows where there are none', () => {
    const empty: BundleTensor[] = [
      { name: 'a', dtype: 'uint8', dims: [0, 3], data: new Uint8Array() },
      { name: 'b', dtype: 'uint8', dims: [0], data: new Uint8Array() },
    ];
    expect(cutTasks(empty, 4)).toEqual([nameless(empty)]);
    expect(splitRows(empty, 4)).toEqual([empty]);
    expect(joinRows(splitRows(empty, 4))).toEqual(empty);
  });

  test('is what encodeEnqueue gives', () => {
    fc.assert(
      fc.property(
        fc.array(anyTensors, { maxLength: 3 }),
        u64,
        fc.uint8Array({ maxLength: 29 }),
        fc.integer({ min: 0, max: 900_000_000 }),
        fc.nat(0xffffffff),
        (tasks, epoch, owner, coordinatorLoad, deadlineSeconds) => {
          const expected = encodeEnqueue({
            mode: EnqueueMode.ticket,
            coordinatorLoad: Math.ceil(coordinatorLoad / 1e6),
            deadlineSeconds,
            epoch,
            owner,
            tasks: tasks.map((task) => encodeBundle(task)),
          });
          const header = {
            mode: 'ticket',
            epoch,
            owner,
            coordinatorLoad,
            deadlineSeconds,
          } as const;
          expect(encodeTasksForHead(tasks, header)).toEqual(expected);
        },
      ),
    );
  });

  test('holds the request as it goes together with others, after its tensors are gone', () => {
    fc.assert(
      fc.property(fc.array(anyTensors, { maxLength: 3 }), u64, (tasks, epoch) => {
        const owner = Uint8Array.of(1, 2, 3);
        const run = encodeRun(tasks, { mode: 'ticket', owner, deadlineSeconds: 7 });
        const header = {
          mode: 'wait',
          epoch,
          owner,
          coordinatorLoad: 0,
          deadlineSeconds: 7,
        } as const;
        expect(runWithTicket(encodeTasksForHead(tasks, header))).toEqual(run);
      }),
    );
  });

  test('uncut tensors stay whole; rows must agree where they are cut', () => {
    const data = new Uint8Array(2);
    const scalarAndRow: BundleTensor[] = [
      { name: 'a', dtype: 'uint8', dims: [2], data },
      { name: 'b', dtype: 'uint8', dims: [1, 2], data },
    ];
    expect(cutTasks(scalarAndRow, undefined)).toEqual([nameless(scalarAndRow)]);
    expect(() => cutTasks(scalarAndRow, 5)).toThrow('dimension 0 must be the same');
  });
});
