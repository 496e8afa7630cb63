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

  test('data in Fortran order are put into rows', () => {
    const dict = "{'descr': '<f4', 'fortran_order': True, 'shape': (2, 3), }";
    const columns = new Uint8Array(Float32Array.of(1, 4, 2, 5, 3, 6).buffer);
    const rows = new Uint8Array(Float32Array.of(1, 2, 3, 4, 5, 6).buffer);
    expect(readNpy(npy(dict, columns))).toEqual({ dtype: 'float32', dims: [2, 3], data: rows });
  });

  test('Fortran order of any shape is that of the reversed one', () => {
    const dims = fc.array(fc.nat(4), { maxLength: 4 });
    fc.assert(
      fc.property(dims, (shape) => {
        const data = Uint8Array.from({ length: elementCount(shape) }, (_, index) => index & 0xff);
        const dict = `{'descr': '|u1', 'fortran_order': True, 'shape': (${shape.join(', ')}), }`;
        const read = readNpy(npy(dict, data)).data;
        const columnMajor = (place: number[]): number =>
          place.reduceRight((at, index, axis) => at * shape[axis]! + index, 0);
        read.forEach((value, at) => {
          const place: number[] = [];
          shape.reduceRight((rest, dim, axis) => {
            place[axis] = rest % dim;
            return Math.floor(rest / dim);
          }, at);
          expect(value).toBe(data[columnMajor(place)]);
        });
      }),
    );
  });

  test('data at any place of a buffer are read, and nothing of the buffer is kept', () => {
    const data = new Uint8Array(Float64Array.of(1, -2).buffer);
    const file = npy("{'descr': '<f8', 'fortran_order': False, 'shape': (2,), }", data);
    for (let offset = 0; offset < 8; offset++) {
      const pool = Buffer.alloc(offset + file.length);
      pool.set(file, offset);
      const tensor = readNpy(pool.subarray(offset));
      pool.fill(0xff);
      expect(tensor.data.byteOffset).toBe(0);
      expect(tensor.data).toEqual(data);
    }
  });

  test.each([
    [
      "{'descr': '<c8', 'fortran_order': False, 'shape': (1,), }",
      "NumPy type '<c8' is not supported",
    ],
    ["{'descr': '<U4', 'fortran_order': False, 'shape': (4,), }", "NumPy type '<U4'"],
    ["{'descr': [('a', '<f4')], 'fortran_order': False, 'shape': (2,), }", 'NumPy type [('],
    ["{'descr': '<f4', 'fortran_order': False, 'shape': (-1,), }", 'a size "-1"'],
    [
      "{'descr': '<f4', 'fortran_order': False, 'shape': (1,), }",
      'takes 4 bytes, the file holds 8',
    ],
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
    expect(() => readNpy(Buffer.from('PK\u0003\u0004'))).toThrow('an archive of arrays (.npz)');
    const cut = npy("{'descr': '<f4', 'fortran_order': False, 'shape': (1,), }", new Uint8Array());
    for (const length of [6, 9, 20]) {
      expect(() => readNpy(cut.subarray(0, length))).toThrow(/cut short|is not known/);
    }
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
