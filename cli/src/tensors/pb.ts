import { dtypeBytes, dtypeName, elementCount } from '@canopy/protocol';
import { CommandError } from '../errors.js';
import { viewAs } from '@canopy/client';
import type { TensorValue } from './tensor-value.js';

/** Field numbers of `TensorProto`. Source: onnx.proto. */
const Field = {
  dims: 1,
  dataType: 2,
  floatData: 4,
  int32Data: 5,
  int64Data: 7,
  rawData: 9,
  doubleData: 10,
  uint64Data: 11,
  externalData: 13,
} as const;

interface Entry {
  field: number;
  /** Value of a varint; undefined for other wire types. */
  varint?: bigint;
  /** Payload of fixed-size and length-delimited fields. */
  bytes: Uint8Array;
}

class WireReader {
  private at = 0;
  constructor(private readonly bytes: Uint8Array) {}

  get done(): boolean {
    return this.at >= this.bytes.length;
  }

  varint(): bigint {
    let value = 0n;
    for (let shift = 0n; shift < 70n; shift += 7n) {
      const byte = this.bytes[this.at++];
      if (byte === undefined) break;
      value |= BigInt(byte & 0x7f) << shift;
      if (byte < 0x80) return BigInt.asUintN(64, value);
    }
    throw new CommandError('not a TensorProto: a number in it has no end');
  }

  private take(length: number): Uint8Array {
    const part = this.bytes.subarray(this.at, this.at + length);
    if (part.length !== length) throw new CommandError('not a TensorProto, or it is cut short');
    this.at += length;
    return part;
  }

  /** The next field. */
  entry(): Entry {
    const tag = Number(this.varint());
    const field = tag >>> 3;
    switch (tag & 7) {
      case 0:
        return { field, varint: this.varint(), bytes: new Uint8Array() };
      case 1:
        return { field, bytes: this.take(8) };
      case 2:
        return { field, bytes: this.take(Number(this.varint())) };
      case 5:
        return { field, bytes: this.take(4) };
      default:
        throw new CommandError(`not a TensorProto: field ${field} has wire type ${tag & 7}`);
    }
  }
}

/** Numbers of a repeated varint field, packed or not. */
function varints(entry: Entry): bigint[] {
  if (entry.varint !== undefined) return [entry.varint];
  const reader = new WireReader(entry.bytes);
  const values: bigint[] = [];
  while (!reader.done) values.push(reader.varint());
  return values;
}

function concat(parts: readonly Uint8Array[]): Uint8Array {
  const out = new Uint8Array(parts.reduce((sum, part) => sum + part.length, 0));
  let at = 0;
  for (const part of parts) {
    out.set(part, at);
    at += part.length;
  }
  return out;
}

/** Reads an ONNX `TensorProto`, as the `.pb` files of ONNX's test data hold it. Throws {@link CommandError}. */
export function readTensorProto(bytes: Uint8Array): TensorValue {
  const reader = new WireReader(bytes);
  const dims: number[] = [];
  let dataType = 0;
  let raw: Uint8Array | undefined;
  const fixed: Uint8Array[] = [];
  const integers: bigint[] = [];
  while (!reader.done) {
    const entry = reader.entry();
    switch (entry.field) {
      case Field.dims:
        dims.push(...varints(entry).map(Number));
        break;
      case Field.dataType:
        dataType = Number(entry.varint);
        break;
      case Field.rawData:
        raw = entry.bytes;
        break;
      case Field.floatData:
      case Field.doubleData:
        fixed.push(entry.bytes);
        break;
      case Field.int32Data:
      case Field.int64Data:
      case Field.uint64Data:
        for (const value of varints(entry)) integers.push(value);
        break;
      case Field.externalData:
        throw new CommandError(
          'the tensor keeps its data in another file, which is not supported here',
        );
    }
  }
  const dtype = dtypeName(dataType);
  if (dtype === undefined)
    throw new CommandError(`TensorProto of type ${dataType} is not supported`);
  const data =
    raw?.slice() ??
    (fixed.length > 0 ? concat(fixed) : new Uint8Array(integers.length * dtypeBytes(dtype)));
  const array = integers.length > 0 ? viewAs(dtype, data) : undefined;
  integers.forEach((value, index) => {
    if (array instanceof BigInt64Array || array instanceof BigUint64Array) array[index] = value;
    else if (array) array[index] = Number(BigInt.asIntN(64, value));
  });
  const expected = elementCount(dims) * dtypeBytes(dtype);
  if (data.length !== expected) {
    throw new CommandError(
      `TensorProto ${dtype}[${dims.join(',')}] takes ${expected} bytes, it holds ${data.length}`,
    );
  }
  return { dtype, dims, data };
}
