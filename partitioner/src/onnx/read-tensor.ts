import { dtypeBytes, dtypeName, elementCount, type DTypeName } from '@canopy/protocol';
import { PartitionError, type Problem } from '../error.js';
import { fileConstant, fourBitConstant, memoryConstant, type Constant } from '../graph/constant.js';
import { locateExternal } from './external-data.js';
import { WireType, type WireReader } from './wire.js';

/** Raw data shorter than this are read at once; longer ones stay in the file. */
const keepInMemoryBytes = 4096;

/** Names of ONNX element types that have no place in this project, for texts. */
const foreignTypes: Record<number, string> = {
  8: 'string',
  14: 'complex64',
  15: 'complex128',
  17: 'float8e4m3fn',
  18: 'float8e4m3fnuz',
  19: 'float8e5m2',
  20: 'float8e5m2fnuz',
  23: 'float4e2m1',
};

/** Types of 4 bits by their ONNX numbers, and those that hold their numbers here, a byte each. */
const fourBitTypes: Record<number, 'int8' | 'uint8'> = { 21: 'uint8', 22: 'int8' };

/** The ONNX number of uint4 or int4, by the type that holds its numbers. */
export const fourBitCode: Partial<Record<DTypeName, number>> = { uint8: 21, int8: 22 };

/** Whether an ONNX number is that of a type of 4 bits. */
export function isFourBits(code: number): boolean {
  return code in fourBitTypes;
}

/** A weight or value of a type that this project does not have. */
export class UnsupportedType extends PartitionError {
  constructor(readonly problem: Problem) {
    super('unsupported', `${problem.op} "${problem.node}" ${problem.why}; ${problem.advice}`);
  }
}

/**
 * Type by its ONNX number, that of 8 bits for one of 4; throws {@link UnsupportedType} for types this project does not have.
 *
 * @param op what has it: an operator, `weight` or `input`
 * @param name of that
 */
export function readDType(code: number, op: string, name: string): DTypeName {
  const type = fourBitTypes[code] ?? dtypeName(code);
  if (type !== undefined) return type;
  throw new UnsupportedType({
    node: name,
    op,
    why: `has element type ${foreignTypes[code] ?? code}, which is not supported`,
    advice: 'export the model in float32',
  });
}

/** Little-endian bytes of numbers given one by one (the `int32_data`, `int64_data`, … fields). */
function bytesOfInts(dtype: DTypeName, values: readonly bigint[]): Uint8Array {
  const size = dtypeBytes(dtype);
  const bytes = new Uint8Array(values.length * size);
  const view = new DataView(bytes.buffer);
  values.forEach((value, index) => {
    if (size === 8) view.setBigUint64(index * 8, BigInt.asUintN(64, value), true);
    else if (size === 4) view.setUint32(index * 4, Number(BigInt.asUintN(32, value)), true);
    else if (size === 2) view.setUint16(index * 2, Number(BigInt.asUintN(16, value)), true);
    else view.setUint8(index, Number(BigInt.asUintN(8, value)));
  });
  return bytes;
}

/**
 * Reads a TensorProto: name, type, shape, and where its data lie.
 *
 * @param what what the tensor is, for errors
 */
export function readTensor(
  reader: WireReader,
  what = 'weight',
): { name: string; constant: Constant } {
  let name = '';
  let code = 0;
  const dims: number[] = [];
  const ints: bigint[] = [];
  const floats: number[] = [];
  const doubles: number[] = [];
  let raw: { start: number; end: number } | undefined;
  let packedFloats: { start: number; end: number } | undefined;
  let hasStrings = false;
  let external = false;
  const entries = new Map<string, string>();
  for (let field = reader.next(); field; field = reader.next()) {
    switch (field.number) {
      case 1:
        dims.push(...reader.ints(field).map(Number));
        break;
      case 2:
        code = Number(field.varint);
        break;
      case 4:
        if (field.type === WireType.bytes && packedFloats === undefined) packedFloats = field;
        else for (const value of reader.floats(field)) floats.push(value);
        break;
      case 5:
      case 7:
      case 11:
        for (const value of reader.ints(field)) ints.push(value);
        break;
      case 6:
        hasStrings = true;
        break;
      case 8:
        name = reader.text(field);
        break;
      case 9:
        raw = field;
        break;
      case 10: {
        const bytes = reader.data(field);
        for (const value of new Float64Array(bytes.buffer, 0, bytes.length / 8))
          doubles.push(value);
        break;
      }
      case 13: {
        const entry = reader.message(field);
        let key = '';
        let value = '';
        for (let part = entry.next(); part; part = entry.next()) {
          if (part.number === 1) key = entry.text(part);
          if (part.number === 2) value = entry.text(part);
        }
        entries.set(key, value);
        break;
      }
      case 14:
        external = field.varint === 1n;
        break;
    }
  }
  const dtype = readDType(code, what, name);
  if (hasStrings) {
    throw new UnsupportedType({
      node: name,
      op: what,
      why: 'holds strings, which are not supported',
      advice: 'leave text to the program that asks the model',
    });
  }
  const count = elementCount(dims);
  const narrow = fourBitTypes[code];
  const needed = narrow ? Math.ceil(count / 2) : count * dtypeBytes(dtype);
  const stored = (bytes: (dtype: DTypeName, dims: readonly number[]) => Constant): Constant =>
    narrow ? fourBitConstant(narrow, dims, bytes('uint8', [needed])) : bytes(dtype, dims);
  if (external) {
    const { path, offset } = locateExternal(entries, needed, reader.file.path, name);
    return { name, constant: stored((type, sizes) => fileConstant(type, sizes, path, offset)) };
  }
  const inside = raw ?? packedFloats;
  let data: Uint8Array | undefined;
  if (inside) {
    const length = inside.end - inside.start;
    if (length !== needed) {
      throw new PartitionError(
        'bad-model',
        `${what} "${name}" ${dtype}[${dims.join(',')}] takes ${needed} bytes, the file holds ${length}`,
      );
    }
    if (length > keepInMemoryBytes) {
      const { path } = reader.file;
      const { start } = inside;
      return { name, constant: stored((type, sizes) => fileConstant(type, sizes, path, start)) };
    }
    data = reader.file.bytes(inside.start, inside.end).slice();
  } else if (dtype === 'float32') data = new Uint8Array(Float32Array.from(floats).buffer);
  else if (dtype === 'float64') data = new Uint8Array(Float64Array.from(doubles).buffer);
  else data = bytesOfInts(dtype, ints);
  if (data.length !== needed) {
    throw new PartitionError(
      'bad-model',
      `${what} "${name}" ${dtype}[${dims.join(',')}] takes ${needed} bytes, the file holds ${data.length}`,
    );
  }
  const bytes = data;
  return { name, constant: stored((type, sizes) => memoryConstant(type, sizes, bytes)) };
}
