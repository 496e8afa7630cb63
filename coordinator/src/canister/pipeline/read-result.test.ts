import fc from 'fast-check';
import { expect, test } from 'vitest';
import { ByteWriter, decodeResult } from '@canopy/protocol';
import { doneResult } from '../../testing/fake-ic.js';
import { readResult } from './read-result.js';

const bundles = fc.array(fc.uint8Array({ maxLength: 30 }), { maxLength: 3 });
const pending = new ByteWriter().u32(3).u64(9n).u32(1).u32(4).finish();

function outcome(read: (bytes: Uint8Array) => unknown, bytes: Uint8Array): unknown {
  try {
    return read(bytes);
  } catch (error) {
    return String(error);
  }
}

test('reads what decodeResult reads', () => {
  fc.assert(
    fc.property(bundles, (tasks) => {
      const bytes = doneResult(7n, tasks);
      expect(readResult(bytes)).toEqual(decodeResult(bytes));
    }),
  );
  expect(readResult(pending)).toMatchObject({ status: 'pending', tasksDone: 1 });
});

test('a malformed result is refused with the same words', () => {
  const damage = fc.record({ at: fc.nat(120), to: fc.nat(255), cut: fc.nat(60) });
  fc.assert(
    fc.property(bundles, damage, (tasks, { at, to, cut }) => {
      const bytes = doneResult(7n, tasks).slice();
      // The highest bytes of counts stay: billions of tasks are not read here, but refused.
      if (at < bytes.length && at % 4 < 2) bytes[at] = to;
      for (const damaged of [bytes, bytes.subarray(0, Math.max(0, bytes.length - cut))]) {
        expect(outcome(readResult, damaged)).toEqual(outcome(decodeResult, damaged));
      }
    }),
    { numRuns: 500 },
  );
});
