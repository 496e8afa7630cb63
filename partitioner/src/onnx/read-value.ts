import type { BodyInput, NamedValue } from '../graph/graph.js';
import { isFourBits, readDType, UnsupportedType } from './read-tensor.js';
import type { WireReader } from './wire.js';

/** Field numbers in this file are those of onnx.proto (ValueInfoProto, TypeProto, TensorShapeProto). */

function readDim(reader: WireReader): number | string | undefined {
  let dim: number | string | undefined;
  for (let field = reader.next(); field; field = reader.next()) {
    if (field.number === 1) dim = Number(BigInt.asIntN(64, field.varint));
    if (field.number === 2) dim = reader.text(field);
  }
  return dim === '' || (typeof dim === 'number' && dim < 0) ? undefined : dim;
}

/** A value's name, the code of its elements' type and its sizes, as far as they are given. */
interface ValueParts {
  name: string;
  code: number | undefined;
  dims: (number | string | undefined)[] | undefined;
}

function readParts(reader: WireReader): ValueParts {
  let name = '';
  let code: number | undefined;
  let dims: (number | string | undefined)[] | undefined;
  for (let field = reader.next(); field; field = reader.next()) {
    if (field.number === 1) name = reader.text(field);
    if (field.number !== 2) continue;
    const type = reader.message(field);
    for (let part = type.next(); part; part = type.next()) {
      if (part.number !== 1) continue;
      const tensor = type.message(part);
      for (let item = tensor.next(); item; item = tensor.next()) {
        if (item.number === 1) code = Number(item.varint);
        if (item.number !== 2) continue;
        const shape = tensor.message(item);
        dims = [];
        for (let dim = shape.next(); dim; dim = shape.next()) {
          if (dim.number === 1) dims.push(readDim(shape.message(dim)));
        }
      }
    }
  }
  return { name, code, dims };
}

/** An input or output of a model; throws {@link UnsupportedType} where it is no tensor. */
export function readValueInfo(reader: WireReader, what: 'input' | 'output'): NamedValue {
  const { name, code, dims } = readParts(reader);
  if (code === undefined) {
    throw new UnsupportedType({
      node: name,
      op: what,
      why: 'is not a tensor',
      advice: 'export the model with tensors as inputs and outputs (scikit-learn: zipmap=False)',
    });
  }
  const dtype = readDType(code, what, name);
  return { name, dtype, dims, ...(isFourBits(code) && { fourBits: true }) };
}

/** An input of a body: its type may be left out. */
export function readBodyInput(reader: WireReader): BodyInput {
  const { name, dims } = readParts(reader);
  return { name, rank: dims?.length };
}
