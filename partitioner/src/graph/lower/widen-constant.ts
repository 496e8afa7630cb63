import type { DTypeName } from '@canopy/protocol';
import { readInto, type Constant } from '../constant.js';

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

/** Halves that are read at once. */
const halves = new Uint16Array(1 << 16);

/** Fills `out` with the f32 bits of the halves of a constant from element `first` on. */
function widenInto(out: Uint32Array, narrow: Constant, first: number): void {
  const table = tableOf(narrow.dtype);
  for (let done = 0; done < out.length; done += halves.length) {
    const count = Math.min(halves.length, out.length - done);
    readInto(narrow, new Uint8Array(halves.buffer, 0, count * 2), (first + done) * 2);
    if (narrow.dtype === 'bfloat16') {
      for (let index = 0; index < count; index++) out[done + index] = halves[index]! << 16;
    } else {
      for (let index = 0; index < count; index++) out[done + index] = table[halves[index]!]!;
    }
  }
}

/** A constant of halves as one of f32, converted while it is read. */
export function widenedConstant(narrow: Constant): Constant {
  const read = (start: number, length: number): Uint8Array => {
    const first = Math.floor(start / 4);
    const out = new Uint32Array(Math.ceil((start + length) / 4) - first);
    widenInto(out, narrow, first);
    return new Uint8Array(out.buffer, start - first * 4, length);
  };
  return {
    dtype: 'float32',
    dims: narrow.dims,
    read,
    readInto: (target, start) => {
      const isAligned = (start | target.byteOffset | target.length) % 4 === 0;
      if (!isAligned) target.set(read(start, target.length));
      else {
        const out = new Uint32Array(target.buffer, target.byteOffset, target.length / 4);
        widenInto(out, narrow, start / 4);
      }
    },
  };
}
