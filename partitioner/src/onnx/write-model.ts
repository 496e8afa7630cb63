import { DType, type DTypeName } from '@canopy/protocol';
import { constantBytes, type Constant } from '../graph/constant.js';
import {
  makeNode,
  selectOperator,
  type Attribute,
  type Body,
  type Graph,
  type GraphNode,
  type NamedValue,
} from '../graph/graph.js';
import { fourBitCode } from './read-tensor.js';
import { WireWriter } from './wire.js';

/** IR version 10 goes with operator sets up to 21 and is read by every onnxruntime since 1.18. */
const irVersion = 10;
/** AttributeProto.AttributeType */
const attributeTypes = {
  ...{ float: 1, int: 2, string: 3, tensor: 4, graph: 5, floats: 6, ints: 7, strings: 8 },
};

/** Data of one weight, for the file beside the model. */
export interface ExternalData {
  /** Name of the file. */
  location: string;
  /** Where in the file this weight goes. */
  offset: number;
}

/** The ONNX number of a type, or of that with 4 bits which it holds. */
function codeOf(dtype: DTypeName, fourBits: boolean): number {
  return (fourBits ? fourBitCode[dtype] : undefined) ?? DType[dtype];
}

/** A TensorProto, with its data in it or elsewhere. */
export function tensor(name: string, constant: Constant, external?: ExternalData): WireWriter {
  const out = new WireWriter();
  for (const dim of constant.dims) out.varint(1, dim);
  out.varint(2, codeOf(constant.dtype, constant.packed !== undefined)).text(8, name);
  const stored = constant.packed ?? constant;
  const length = constantBytes(stored);
  if (external === undefined) return out.bytes(9, stored.read(0, length));
  const entries = {
    location: external.location,
    offset: String(external.offset),
    length: String(length),
  };
  for (const [key, value] of Object.entries(entries)) {
    out.message(13, new WireWriter().text(1, key).text(2, value));
  }
  return out.varint(14, 1);
}

function attribute(name: string, value: Attribute): WireWriter {
  const out = new WireWriter().text(1, name);
  switch (value.kind) {
    case 'float':
      out.float(2, value.value);
      break;
    case 'int':
      out.varint(3, value.value);
      break;
    case 'string':
      out.text(4, value.value);
      break;
    case 'floats':
      for (const item of value.value) out.float(7, item);
      break;
    case 'ints':
      for (const item of value.value) out.varint(8, item);
      break;
    case 'strings':
      for (const item of value.value) out.text(9, item);
      break;
    case 'tensor':
      out.message(5, tensor('', value.value));
      break;
    case 'graph':
      out.message(6, bodyProto(value.value));
      break;
    case 'reference':
    case 'other':
      throw new Error(`attribute "${name}" is of a kind that is not kept`);
  }
  return out.varint(20, attributeTypes[value.kind]);
}

function splitDomain(op: string): [string, string] {
  const dot = op.lastIndexOf('.');
  return dot < 0 ? ['', op] : [op.slice(0, dot), op.slice(dot + 1)];
}

/** Gives out a value of the graph around it. */
function passing(value: string, name: string): Attribute {
  const nodes = [makeNode('Identity', name, [value], [name])];
  return { kind: 'graph', value: { inputs: [], outputs: [name], nodes, constants: new Map() } };
}

/** A node as ONNX has it. */
function inOnnx(node: GraphNode): GraphNode {
  if (node.op !== selectOperator) return node;
  const [condition, yes, no] = node.inputs as [string, string, string];
  return makeNode('If', node.name, [condition], node.outputs, {
    then_branch: passing(yes, `${node.name}/then`),
    else_branch: passing(no, `${node.name}/else`),
  });
}

function nodeProto(given: GraphNode): WireWriter {
  const node = inOnnx(given);
  const out = new WireWriter();
  const [domain, op] = splitDomain(node.op);
  for (const input of node.inputs) out.text(1, input);
  for (const output of node.outputs) out.text(2, output);
  out.text(3, node.name).text(4, op);
  for (const [name, value] of node.attributes) out.message(5, attribute(name, value));
  if (domain !== '') out.text(7, domain);
  return out;
}

function bodyProto(body: Body): WireWriter {
  const out = new WireWriter();
  for (const node of body.nodes) out.message(1, nodeProto(node));
  out.text(2, 'body');
  for (const [name, constant] of body.constants) out.message(5, tensor(name, constant));
  for (const { name } of body.inputs) out.message(11, valueInfo({ name }));
  for (const name of body.outputs) out.message(12, valueInfo({ name }));
  return out;
}

/** A ValueInfoProto. */
export function valueInfo(value: {
  name: string;
  dtype?: DTypeName;
  dims?: NamedValue['dims'];
  fourBits?: boolean;
}): WireWriter {
  const out = new WireWriter().text(1, value.name);
  if (value.dtype === undefined) return out;
  const type = new WireWriter().varint(1, codeOf(value.dtype, value.fourBits === true));
  if (value.dims) {
    const shape = new WireWriter();
    for (const dim of value.dims) {
      const proto = new WireWriter();
      if (typeof dim === 'number') proto.varint(1, dim);
      if (typeof dim === 'string') proto.text(2, dim);
      shape.message(1, proto);
    }
    type.message(2, shape);
  }
  return out.message(2, new WireWriter().message(1, type));
}

/**
 * A graph as the bytes of an ONNX file. Weights for which `external` gives a place are left out:
 * the caller writes them there.
 *
 * @param outputs names of further values to give out, besides the graph's own outputs
 */
export function writeOnnx(
  graph: Graph,
  outputs: readonly string[] = [],
  external: (name: string, constant: Constant) => ExternalData | undefined = () => undefined,
): Uint8Array {
  const proto = new WireWriter();
  for (const node of graph.nodes) proto.message(1, nodeProto(node));
  proto.text(2, graph.name === '' ? 'graph' : graph.name);
  for (const [name, constant] of graph.constants) {
    proto.message(5, tensor(name, constant, external(name, constant)));
  }
  for (const input of graph.inputs) proto.message(11, valueInfo(input));
  for (const output of graph.outputs) proto.message(12, valueInfo(output));
  for (const name of outputs) proto.message(12, valueInfo({ name }));
  const model = new WireWriter().varint(1, irVersion).text(2, 'canopy').message(7, proto);
  for (const [domain, version] of graph.opsets) {
    model.message(8, new WireWriter().text(1, domain).varint(2, version));
  }
  return model.finish();
}
