import fc from 'fast-check';
import { expect, test } from 'vitest';
import { ByteWriter, encodeBundle } from '@canopy/protocol';
import { anyTensors } from '../../testing/any-tensors.js';
import { bundleBytes, writeBundle } from './bundle-writer.js';

test('writes what encodeBundle writes, wherever it begins', () => {
  fc.assert(
    fc.property(anyTensors, fc.nat(9), (tensors, before) => {
      const out = new ByteWriter().bytes(new Uint8Array(before));
      writeBundle(out, tensors);
      expect(out.finish().subarray(before)).toEqual(encodeBundle(tensors));
      expect(bundleBytes(tensors)).toBe(out.length - before);
    }),
  );
});
