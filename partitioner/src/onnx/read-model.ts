import type { Problem } from '../error.js';
import type { Attribute, Graph, GraphNode, NamedValue } from '../graph/graph.js';
import { unsupportedError } from '../problems.js';
import { readDType, readTensor, UnsupportedType } from './read-tensor.js';
import { MalformedFile, WireFile, WireReader } from './wire.js';

/** Field numbers in this file are those of onnx.proto (messages ModelProto, GraphProto, …). */

function readAttribute(reader: WireReader): [string, Attribute] {
  let name = '';
  let type = 0;
  let float = 0;
  let int = 0n;
  let text = '';
  let subgraph = false;
  const floats: number[] = [];
  const ints: bigint[] = [];
  const strings: string[] = [];
  let tensor: Attribute | undefined;
  for (let field = reader.next(); field; field = reader.next()) {
    switch (field.number) {
      case 1:
        name = reader.text(field);
        break;
      case 2:
        float = reader.float(field);
        break;
      case 3:
        int = BigInt.asIntN(64, field.varint);
        break;
      case 4:
        text = reader.text(field);
        break;
      case 5:
        tensor = { kind: 'tensor', value: readTensor(reader.message(field)).constant };
        break;
      case 7:
        floats.push(...reader.floats(field));
        break;
      case 8:
        ints.push(...reader.ints(field));
        break;
      case 9:
        strings.push(reader.text(field));
        break;
      case 20:
        type = Number(field.varint);
        break;
      case 6:
      case 10:
      case 11:
      case 14:
      case 15:
      case 22:
      case 23:
        subgraph = true;
        break;
    }
  }
  if (tensor) return [name, tensor];
  if (subgraph) return [name, { kind: 'subgraph' }];
  switch (type) {
    case 1:
      return [name, { kind: 'float', value: float }];
    case 3:
      return [name, { kind: 'string', value: text }];
    case 6:
      return [name, { kind: 'floats', value: floats }];
    case 7:
      return [name, { kind: 'ints', value: ints.map(Number) }];
    case 8:
      return [name, { kind: 'strings', value: strings }];
    default:
      return [name, { kind: 'int', value: Number(int) }];
  }
}

function readNode(reader: WireReader): GraphNode {
  const node: GraphNode = { name: '', op: '', inputs: [], outputs: [], attributes: new Map() };
  let domain = '';
  for (let field = reader.next(); field; field = reader.next()) {
    switch (field.number) {
      case 1:
        node.inputs.push(reader.text(field));
        break;
      case 2:
        node.outputs.push(reader.text(field));
        break;
      case 3:
        node.name = reader.text(field);
        break;
      case 4:
        node.op = reader.text(field);
        break;
      case 5: {
        const [name, attribute] = readAttribute(reader.message(field));
        node.attributes.set(name, attribute);
        break;
      }
      case 7:
        domain = reader.text(field);
        break;
    }
  }
  if (domain !== '' && domain !== 'ai.onnx') node.op = `${domain}.${node.op}`;
  while (node.inputs.at(-1) === '') node.inputs.pop();
  if (node.name === '') node.name = `${node.op}:${node.outputs[0] ?? ''}`;
  return node;
}

function readDim(reader: WireReader): number | string | undefined {
  let dim: number | string | undefined;
  for (let field = reader.next(); field; field = reader.next()) {
    if (field.number === 1) dim = Number(BigInt.asIntN(64, field.varint));
    if (field.number === 2) dim = reader.text(field);
  }
  return dim === '' || (typeof dim === 'number' && dim < 0) ? undefined : dim;
}

function readValueInfo(reader: WireReader, what: 'input' | 'output'): NamedValue {
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
  if (code === undefined) {
    throw new UnsupportedType({
      node: name,
      op: what,
      why: 'is not a tensor',
      advice: 'export the model with tensors as inputs and outputs (scikit-learn: zipmap=False)',
    });
  }
  return { name, dtype: readDType(code, what, name), dims };
}

/** Reads a graph; what is outside the supported types goes to `problems` and is left out. */
function readGraph(reader: WireReader, opsets: Map<string, number>, problems: Problem[]): Graph {
  const collect = (read: () => unknown): void => {
    try {
      read();
    } catch (error) {
      if (!(error instanceof UnsupportedType)) throw error;
      problems.push(error.problem);
    }
  };
  const graph: Graph = {
    name: '',
    opsets,
    inputs: [],
    outputs: [],
    nodes: [],
    constants: new Map(),
  };
  for (let field = reader.next(); field; field = reader.next()) {
    const part = field;
    const message = (): WireReader => reader.message(part);
    switch (field.number) {
      case 1:
        collect(() => graph.nodes.push(readNode(message())));
        break;
      case 2:
        graph.name = reader.text(field);
        break;
      case 5:
        collect(() => {
          const { name, constant } = readTensor(message());
          graph.constants.set(name, constant);
        });
        break;
      case 11:
        collect(() => graph.inputs.push(readValueInfo(message(), 'input')));
        break;
      case 12:
        collect(() => graph.outputs.push(readValueInfo(message(), 'output')));
        break;
      case 15:
        problems.push({
          node: graph.name,
          op: 'weight',
          why: 'is sparse, which is not supported',
          advice: 'export the model with dense weights',
        });
        break;
    }
  }
  // Before IR version 4 every initializer is also listed as an input.
  graph.inputs = graph.inputs.filter((input) => !graph.constants.has(input.name));
  for (const node of graph.nodes) {
    const value = node.attributes.get('value');
    if (node.op === 'Constant' && value?.kind === 'tensor') {
      graph.constants.set(node.outputs[0]!, value.value);
    }
  }
  graph.nodes = graph.nodes.filter(
    (node) => node.op !== 'Constant' || !graph.constants.has(node.outputs[0]!),
  );
  return graph;
}

/** A graph, and what of it is of types that are not supported and was left out. */
export interface PartialGraph {
  graph: Graph;
  problems: readonly Problem[];
}

/**
 * Reads an ONNX file: structure into memory, weights as references that are read when needed, from
 * the file itself (of any size) or from external data beside it. Functions that a model defines are not
 * read: their calls are operators of the function's name, until onnxruntime's clean-up inlines them.
 *
 * Throws {@link PartitionError} `bad-model`.
 */
export function readOnnxParts(path: string): PartialGraph {
  const file = new WireFile(path);
  try {
    const reader = new WireReader(file, 0, file.size);
    const opsets = new Map<string, number>();
    let graphField: { start: number; end: number } | undefined;
    for (let field = reader.next(); field; field = reader.next()) {
      if (field.number === 8) {
        const opset = reader.message(field);
        let domain = '';
        let version = 1;
        for (let part = opset.next(); part; part = opset.next()) {
          if (part.number === 1) domain = opset.text(part);
          if (part.number === 2) version = Number(part.varint);
        }
        opsets.set(domain === 'ai.onnx' ? '' : domain, version);
      }
      if (field.number === 7) graphField = field;
    }
    if (graphField === undefined || opsets.size === 0) {
      throw new MalformedFile(`${path} is not an ONNX model: it holds no graph`);
    }
    const problems: Problem[] = [];
    const graph = readGraph(
      new WireReader(file, graphField.start, graphField.end),
      opsets,
      problems,
    );
    return { graph, problems };
  } finally {
    file.close();
  }
}

/** Reads an ONNX file all of which is of supported types, or throws `unsupported`. */
export function readOnnx(path: string): Graph {
  const { graph, problems } = readOnnxParts(path);
  if (problems.length > 0) throw unsupportedError(problems);
  return graph;
}
