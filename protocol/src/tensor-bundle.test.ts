import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { dtypeBytes, DType, type DTypeName } from './dtype.js';
import { ProtocolError } from './error.js';
import { joinRows, splitRows } from './rows.js';
import { decodeBundle, elementCount, encodeBundle, type BundleTensor } from './tensor-bundle.js';

const dtypes = Object.keys(DType) as DTypeName[];

function tensor(name: string, dtype: DTypeName, dims: number[], seed = 0): BundleTensor {
  const data = Uint8Array.from(
    { length: elementCount(dims) * dtypeBytes(dtype) },
    (_, index) => (index * 31 + seed) & 0xff,
  );
  return { name, dtype, dims, data };
}

const anyTensor = fc
  .tuple(
    fc.string({ unit: 'grapheme', maxLength: 12 }),
    fc.constantFrom(...dtypes),
    fc.array(fc.nat(4), { maxLength: 4 }),
    fc.nat(255),
  )
  .map(([name, dtype, dims, seed]) => tensor(name, dtype, dims, seed));

describe('tensor bundle', () => {
  it('decodes what it encoded', () => {
    fc.assert(
      fc.property(fc.array(anyTensor, { maxLength: 5 }), (tensors) => {
        expect(decodeBundle(encodeBundle(tensors))).toEqual(tensors);
      }),
    );
  });

  it('aligns data to 8 bytes', () => {
    const bytes = encodeBundle([tensor('a', 'uint8', [3]), tensor('bc', 'int64', [2])]);
    const second = decodeBundle(bytes)[1]!;
    expect((second.data.byteOffset - bytes.byteOffset) % 8).toBe(0);
  });

  it('refuses data that do not fill the shape', () => {
    const wrong = { ...tensor('x', 'float32', [2, 3]), dims: [2, 4] };
    expect(() => encodeBundle([wrong])).toThrow('tensor "x" float32[2,4] takes 32 bytes');
  });

  it('refuses every truncation with a ProtocolError', () => {
    const bytes = encodeBundle([tensor('x', 'float32', [2, 3])]);
    for (let length = 0; length < bytes.length; length++) {
      expect(() => decodeBundle(bytes.subarray(0, length))).toThrow(ProtocolError);
    }
  });
});

describe('rows', () => {
  it('keep place and value when cut and joined, for all batch sizes from 1 to 70', () => {
    for (let rows = 1; rows <= 70; rows++) {
      const tensors = [tensor('a', 'float32', [rows, 3], 1), tensor('b', 'int64', [rows], 2)];
      fc.assert(
        fc.property(fc.integer({ min: 1, max: 80 }), (size) => {
          const tasks = splitRows(tensors, size);
          expect(tasks.length).toBe(Math.ceil(rows / size));
          expect(joinRows(tasks)).toEqual(tensors);
        }),
        { numRuns: 10 },
      );
    }
  });

  it('names the inputs whose rows differ', () => {
    expect(() =>
      splitRows([tensor('a', 'float32', [2, 3]), tensor('b', 'float32', [4])], 1),
    ).toThrow('"a" has 2, "b" has 4');
  });

  it('refuses to join results that differ beyond dimension 0', () => {
    expect(() =>
      joinRows([[tensor('y', 'float32', [1, 3])], [tensor('y', 'float32', [1, 4])]]),
    ).toThrow('"y": micro-batches give [1,3] and [1,4]');
  });
});
