import {
  bundleMagic,
  decodeBundle,
  dtypeBytes,
  dtypeName,
  maxRank,
  type BundleTensor,
} from '@canopy/protocol';

const fromUtf8 = new TextDecoder('utf-8', { fatal: true });

/**
 * Reads a bundle as `decodeBundle` does, at a fraction of its instructions. Throws what that throws
 * where the bundle is malformed.
 */
export function readBundle(bytes: Uint8Array): BundleTensor[] {
  return readWellFormed(bytes) ?? decodeBundle(bytes);
}

function readWellFormed(bytes: Uint8Array): BundleTensor[] | undefined {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.length);
  if (bytes.length < 8 || view.getUint32(0, true) !== bundleMagic) return undefined;
  const count = view.getUint32(4, true);
  const tensors: BundleTensor[] = [];
  let at = 8;
  for (let index = 0; index < count; index++) {
    if (at + 8 > bytes.length) return undefined;
    const dtype = dtypeName(bytes[at]!);
    const rank = bytes[at + 1]!;
    const nameLength = view.getUint16(at + 2, true);
    const dataLength = view.getUint32(at + 4, true);
    const nameAt = at + 8 + 4 * rank;
    const nameEnd = nameAt + nameLength;
    const dataAt = nameEnd + (-nameEnd & 7);
    const dataEnd = dataAt + dataLength;
    at = dataEnd + (-dataLength & 7);
    if (dtype === undefined || rank > maxRank || at > bytes.length) return undefined;
    const dims: number[] = [];
    let elements = 1;
    for (let dimAt = nameAt - 4 * rank; dimAt < nameAt; dimAt += 4) {
      const dim = view.getUint32(dimAt, true);
      dims.push(dim);
      elements *= dim;
    }
    if (elements * dtypeBytes(dtype) !== dataLength) return undefined;
    const name = readName(bytes.subarray(nameAt, nameEnd));
    if (name === undefined) return undefined;
    tensors.push({ name, dtype, dims, data: bytes.subarray(dataAt, dataEnd) });
  }
  return tensors;
}

function readName(bytes: Uint8Array): string | undefined {
  if (bytes.length === 0) return '';
  try {
    return fromUtf8.decode(bytes);
  } catch {
    return undefined;
  }
}
