import { DType, bundleMagic, type BundleTensor, type ByteWriter } from '@canopy/protocol';

const utf8 = new TextEncoder();
const zeros = new Uint8Array(8);

/** Zeros that follow `length` bytes up to a multiple of 8. */
function padding(length: number): Uint8Array {
  return zeros.subarray(0, -length & 7);
}

function paddedBytes(length: number): number {
  return (length + 7) & ~7;
}

/** Bytes before the dimensions of a tensor: type, rank, length of the name, length of the data. */
const fixedBytes = 8;

/** Bytes that {@link writeBundle} writes for tensors. */
export function bundleBytes(tensors: readonly BundleTensor[]): number {
  let bytes = 8;
  for (const { name, dims, data } of tensors) {
    const nameBytes = name === '' ? 0 : utf8.encode(name).length;
    bytes += paddedBytes(fixedBytes + 4 * dims.length + nameBytes) + paddedBytes(data.length);
  }
  return bytes;
}

function writeTensor(out: ByteWriter, { name, dtype, dims, data }: BundleTensor): void {
  const nameBytes = name === '' ? zeros.subarray(0, 0) : utf8.encode(name);
  out.u8(DType[dtype]).u8(dims.length).u16(nameBytes.length).u32(data.length);
  for (const dim of dims) out.u32(dim);
  out.bytes(nameBytes).bytes(padding(fixedBytes + 4 * dims.length + nameBytes.length));
  out.bytes(data).bytes(padding(data.length));
}

/** Writes tensors as `encodeBundle` does, into a message that has other things before them. */
export function writeBundle(out: ByteWriter, tensors: readonly BundleTensor[]): void {
  out.u32(bundleMagic).u32(tensors.length);
  for (const tensor of tensors) writeTensor(out, tensor);
}
