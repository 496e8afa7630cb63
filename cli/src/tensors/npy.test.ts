import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { DType, dtypeBytes, elementCount, type DTypeName } from '@canopy/protocol';
import { readNpy, writeNpy } from './npy.js';

/** What numpy 1.x writes for a header, format 1.0. */
function npy(dict: string, data: Uint8Array, version = 1): Uint8Array {
  const text = `${dict}\n`;
  const length =
    version === 1
      ? [text.length & 0xff, text.length >> 8]
      : [text.length & 0xff, text.length >> 8, 0, 0];
  const head = [0x93, ...Buffer.from('NUMPY'), version, 0, ...length, ...Buffer.from(text)];
  return Uint8Array.of(...head, ...data);
}

describe('readNpy', () => {
  test('a file as numpy writes it', () => {
    const data = new Uint8Array(Float32Array.of(1, -2).buffer);
    const dict = "{'descr': '<f4', 'fortran_order': False, 'shape': (2, 1), }";
    expect(readNpy(npy(dict, data))).toEqual({ dtype: 'float32', dims: [2, 1], data });
    expect(readNpy(npy(dict, data, 2))).toEqual({ dtype: 'float32', dims: [2, 1], data });
  });

  test('big-endian data are turned', () => {
    const dict = "{'descr': '>i4', 'fortran_order': False, 'shape': (1,), }";
    expect(readNpy(npy(dict, Uint8Array.of(0, 0, 1, 2))).data).toEqual(Uint8Array.of(2, 1, 0, 0));
  });

  test.each([
    [
      "{'descr': '<c8', 'fortran_order': False, 'shape': (1,), }",
      "NumPy type '<c8' is not supported",
    ],
    ["{'descr': '<f4', 'fortran_order': True, 'shape': (1, 2), }", 'Fortran order'],
    [
      "{'descr': '<f4', 'fortran_order': False, 'shape': (3,), }",
      'takes 12 bytes, the file holds 8',
    ],
    ["{'descr': '<f4', 'fortran_order': False, }", 'no shape'],
  ])('%s is refused', (dict, reason) => {
    expect(() => readNpy(npy(dict, new Uint8Array(8)))).toThrow(reason);
  });

  test('what is no NumPy file is refused', () => {
    expect(() => readNpy(Uint8Array.of(1, 2, 3))).toThrow('not a NumPy file');
  });

  test('reads what writeNpy wrote, at an aligned offset', () => {
    const dtype = fc.constantFrom(...(Object.keys(DType) as DTypeName[]));
    const dims = fc.array(fc.nat(4), { maxLength: 4 });
    fc.assert(
      fc.property(dtype, dims, (type, shape) => {
        const length = elementCount(shape) * dtypeBytes(type);
        const data = Uint8Array.from({ length }, (_, index) => index & 0xff);
        const file = writeNpy({ dtype: type, dims: shape, data });
        expect((file.length - length) % 64).toBe(0);
        expect(readNpy(file)).toEqual({ dtype: type, dims: shape, data });
      }),
    );
  });
});
