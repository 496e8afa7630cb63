import { dtypeBytes, elementCount, type DTypeName } from '@canopy/protocol';
import type { Constant } from '../constant.js';

const converter = new DataView(new ArrayBuffer(4));

/** The bits of the f32 that a half is, by its bits. */
function widenBits(dtype: DTypeName, bits: number): number {
  if (dtype === 'bfloat16') return bits << 16;
  const sign = (bits & 0x8000) << 16;
  const exponent = (bits >> 10) & 0x1f;
  const fraction = bits & 0x3ff;
  if (exponent === 0x1f) return sign | 0x7f800000 | (fraction << 13);
  const size = exponent === 0 ? fraction * 2 ** -24 : (1 + fraction / 1024) * 2 ** (exponent - 15);
  converter.setFloat32(0, size);
  return sign | converter.getUint32(0);
}

const tables = new Map<DTypeName, Uint32Array>();

/** What each of the 65,536 halves of a type is as f32. */
function tableOf(dtype: DTypeName): Uint32Array {
  let table = tables.get(dtype);
  if (!table) {
    table = Uint32Array.from({ length: 65536 }, (_, bits) => widenBits(dtype, bits));
    tables.set(dtype, table);
  }
  return table;
}

/** A constant of halves as one of f32, converted while it is read. */
export function widenedConstant(narrow: Constant): Constant {
  const { dtype, dims } = narrow;
  const count = elementCount(dims);
  return {
    dtype: 'float32',
    dims,
    read: (start, length) => {
      const first = Math.floor(start / 4);
      const end = Math.min(count, Math.ceil((start + length) / 4));
      const bytes = narrow.read(first * dtypeBytes(dtype), (end - first) * dtypeBytes(dtype));
      const table = tableOf(dtype);
      const out = new Uint32Array(end - first);
      for (let index = 0; index < out.length; index++) {
        out[index] = table[bytes[2 * index]! | (bytes[2 * index + 1]! << 8)]!;
      }
      return new Uint8Array(out.buffer, start - first * 4, length);
    },
  };
}
