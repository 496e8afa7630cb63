import {
  DType,
  bundleMagic,
  encodeName,
  type BundleTensor,
  type ByteWriter,
} from '@canopy/protocol';

const utf8 = new TextEncoder();
const zeros = new Uint8Array(8);

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

/** All of a tensor before its data, up to a multiple of 8. */
function tensorHead({ name, dtype, dims, data }: BundleTensor): Uint8Array {
  const nameAt = fixedBytes + 4 * dims.length;
  const nameBytes = name === '' ? undefined : encodeName(name);
  const nameLength = nameBytes?.length ?? 0;
  const head = new Uint8Array(paddedBytes(nameAt + nameLength));
  const view = new DataView(head.buffer);
  head[0] = DType[dtype];
  head[1] = dims.length;
  view.setUint16(2, nameLength, true);
  view.setUint32(4, data.length, true);
  for (let axis = 0; axis < dims.length; axis++) {
    view.setUint32(fixedBytes + 4 * axis, dims[axis]!, true);
  }
  if (nameBytes) head.set(nameBytes, nameAt);
  return head;
}

/** Writes tensors as `encodeBundle` does, into a message that has other things before them. */
export function writeBundle(out: ByteWriter, tensors: readonly BundleTensor[]): void {
  out.u32(bundleMagic).u32(tensors.length);
  for (const tensor of tensors) {
    out.bytes(tensorHead(tensor)).bytes(tensor.data);
    const rest = -tensor.data.length & 7;
    if (rest > 0) out.bytes(zeros.subarray(0, rest));
  }
}
