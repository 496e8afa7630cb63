import fc from 'fast-check';
import { dtypeBytes, elementCount, type BundleTensor, type DTypeName } from '@canopy/protocol';

const dtype = fc.constantFrom<DTypeName>('float32', 'uint8', 'int64', 'float16');

/** A tensor of some shape; its data count up. */
export const anyTensor: fc.Arbitrary<BundleTensor> = fc
  .record({ name: fc.string(), dtype, dims: fc.array(fc.nat(7), { maxLength: 4 }) })
  .map(withData);

export const anyTensors = fc.array(anyTensor, { maxLength: 4 });

/** Tensors that have their number of rows in common, at least one. */
export const tensorsOfRows: fc.Arbitrary<BundleTensor[]> = fc
  .record({
    rows: fc.integer({ min: 1, max: 9 }),
    tensors: fc.array(anyTensor, { minLength: 1, maxLength: 3 }),
  })
  .map(({ rows, tensors }) =>
    tensors.map(({ name, dtype, dims }) => withData({ name, dtype, dims: [rows, ...dims] })),
  );

function withData(shape: Omit<BundleTensor, 'data'>): BundleTensor {
  const length = elementCount(shape.dims) * dtypeBytes(shape.dtype);
  return { ...shape, data: Uint8Array.from({ length }, (_, index) => index & 0xff) };
}
