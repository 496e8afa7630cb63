import { dtypeBytes, type DTypeName } from '@canopy/protocol';

export type NumericArray =
  | Float32Array
  | Float64Array
  | Uint8Array
  | Int8Array
  | Int16Array
  | Uint16Array
  | Int32Array
  | Uint32Array
  | BigInt64Array
  | BigUint64Array;

type ArrayType = new (buffer: ArrayBufferLike, offset: number, length: number) => NumericArray;

const arrayTypes: Record<DTypeName, ArrayType> = {
  float32: Float32Array,
  float64: Float64Array,
  float16: Uint16Array,
  bfloat16: Uint16Array,
  uint8: Uint8Array,
  int8: Int8Array,
  bool: Uint8Array,
  int16: Int16Array,
  uint16: Uint16Array,
  int32: Int32Array,
  uint32: Uint32Array,
  int64: BigInt64Array,
  uint64: BigUint64Array,
};

/** Sees bytes that begin at a multiple of 8 as elements of a type; float16 and bfloat16 as their bits. */
export function viewAs(dtype: DTypeName, bytes: Uint8Array): NumericArray {
  return new arrayTypes[dtype](bytes.buffer, bytes.byteOffset, bytes.length / dtypeBytes(dtype));
}
