import { ByteReader, ByteWriter } from './bytes.js';
import { DType, dtypeBytes, dtypeName, type DTypeName } from './dtype.js';
import { ProtocolError } from './error.js';
import { encodeName } from './names.js';

/** `CTB1`, the first four bytes of a tensor bundle. */
export const bundleMagic = 0x31425443;
/** Most dimensions a tensor may have. */
export const maxRank = 8;

/** A tensor with its data as raw little-endian bytes, row-major. */
export interface BundleTensor {
  name: string;
  dtype: DTypeName;
  dims: readonly number[];
  /** `dtypeBytes(dtype)` times the product of `dims`; a view where it was decoded. */
  data: Uint8Array;
}

/** Number of elements of a shape; 1 for a scalar. */
export function elementCount(dims: readonly number[]): number {
  return dims.reduce((product, dim) => product * dim, 1);
}

/**
 * Named tensors in one block of bytes: what callers send, what goes from stage to stage.
 *
 * Layout, little-endian: magic u32, count u32; then per tensor: dtype u8, rank u8, name length u16,
 * data length u32, dims u32 each, name, zeros to a multiple of 8, data, zeros to a multiple of 8.
 * Between stages tensors go by position and the names are empty.
 */
export function encodeBundle(tensors: readonly BundleTensor[]): Uint8Array {
  const out = new ByteWriter();
  out.u32(bundleMagic).u32(tensors.length);
  for (const tensor of tensors) {
    const expected = elementCount(tensor.dims) * dtypeBytes(tensor.dtype);
    if (tensor.data.length !== expected || tensor.dims.length > maxRank) {
      throw new ProtocolError(
        'bad-value',
        `tensor "${tensor.name}" ${tensor.dtype}[${tensor.dims.join(',')}] takes ${expected} bytes ` +
          `and at most ${maxRank} dimensions, given ${tensor.data.length} bytes`,
      );
    }
    const name = encodeName(tensor.name);
    out.u8(DType[tensor.dtype]).u8(tensor.dims.length).u16(name.length);
    out.u32(tensor.data.length, `bytes of tensor "${tensor.name}"`);
    for (const dim of tensor.dims) out.u32(dim, `a dimension of tensor "${tensor.name}"`);
    out.bytes(name).align(8).bytes(tensor.data).align(8);
  }
  return out.finish();
}

/** Reads a bundle; data are views into `bytes`. Throws {@link ProtocolError} where it is malformed. */
export function decodeBundle(bytes: Uint8Array): BundleTensor[] {
  const input = new ByteReader(bytes, 'tensor bundle');
  if (input.u32() !== bundleMagic) {
    throw new ProtocolError('bad-magic', 'tensor bundle: does not begin with "CTB1"');
  }
  const tensors: BundleTensor[] = [];
  const count = input.u32();
  for (let index = 0; index < count; index++) {
    const code = input.u8();
    const rank = input.u8();
    const nameLength = input.u16();
    const dataLength = input.u32();
    const dtype = dtypeName(code);
    if (dtype === undefined || rank > maxRank) {
      throw new ProtocolError(
        'bad-value',
        `tensor bundle: tensor ${index} has type ${code} and ${rank} dimensions`,
      );
    }
    const dims = Array.from({ length: rank }, () => input.u32());
    const name = input.utf8(nameLength);
    input.align(8);
    const data = input.bytes(dataLength);
    input.align(8);
    if (elementCount(dims) * dtypeBytes(dtype) !== dataLength) {
      throw new ProtocolError(
        'bad-value',
        `tensor bundle: "${name}" ${dtype}[${dims.join(',')}] has ${dataLength} bytes of data`,
      );
    }
    tensors.push({ name, dtype, dims, data });
  }
  return tensors;
}
