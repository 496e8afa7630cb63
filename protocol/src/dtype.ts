/**
 * Element types, by the numbers of ONNX `TensorProto.DataType`.
 * Source: onnx.proto, message TensorProto.
 */
export const DType = {
  float32: 1,
  uint8: 2,
  int8: 3,
  uint16: 4,
  int16: 5,
  int32: 6,
  int64: 7,
  bool: 9,
  float16: 10,
  float64: 11,
  uint32: 12,
  uint64: 13,
  bfloat16: 16,
} as const;

export type DTypeName = keyof typeof DType;
export type DTypeCode = (typeof DType)[DTypeName];

const byteLengths: Record<DTypeName, number> = {
  float32: 4,
  uint8: 1,
  int8: 1,
  uint16: 2,
  int16: 2,
  int32: 4,
  int64: 8,
  bool: 1,
  float16: 2,
  float64: 8,
  uint32: 4,
  uint64: 8,
  bfloat16: 2,
};

const names = new Map<number, DTypeName>(
  (Object.keys(DType) as DTypeName[]).map((name) => [DType[name], name]),
);

/** Name of a type code, or undefined where this project has no such type. */
export function dtypeName(code: number): DTypeName | undefined {
  return names.get(code);
}

/** Bytes one element takes. */
export function dtypeBytes(name: DTypeName): number {
  return byteLengths[name];
}
