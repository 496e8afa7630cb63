import fc from 'fast-check';
import { expect, test } from 'vitest';
import { decodeBundle, encodeBundle } from '@canopy/protocol';
import { anyTensors } from '../../testing/any-tensors.js';
import { readBundle } from './bundle-reader.js';

/** What reading gives, or the text of what it throws. */
function outcome(read: (bytes: Uint8Array) => unknown, bytes: Uint8Array): unknown {
  try {
    return read(bytes);
  } catch (error) {
    return String(error);
  }
}

test('reads what decodeBundle reads, wherever it lies', () => {
  fc.assert(
    fc.property(anyTensors, fc.nat(9), (tensors, before) => {
      const bundle = encodeBundle(tensors);
      const bytes = new Uint8Array(before + bundle.length);
      bytes.set(bundle, before);
      expect(readBundle(bytes.subarray(before))).toEqual(decodeBundle(bundle));
    }),
  );
});

test('a malformed bundle is refused with the same words', () => {
  const damage = fc.record({ at: fc.nat(60), to: fc.nat(255), cut: fc.nat(40) });
  fc.assert(
    fc.property(anyTensors, damage, (tensors, { at, to, cut }) => {
      const bytes = encodeBundle(tensors).slice();
      if (at < bytes.length) bytes[at] = to;
      for (const damaged of [bytes, bytes.subarray(0, Math.max(0, bytes.length - cut))]) {
        expect(outcome(readBundle, damaged)).toEqual(outcome(decodeBundle, damaged));
      }
    }),
    { numRuns: 1000 },
  );
});
