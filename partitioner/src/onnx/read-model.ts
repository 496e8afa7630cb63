import type { Problem } from '../error.js';
import type { Graph, LocalFunction } from '../graph/graph.js';
import { unsupportedError } from '../problems.js';
import { liftConstants, readNode } from './read-node.js';
import { readFunction, readOpset } from './read-function.js';
import { readTensor, UnsupportedType } from './read-tensor.js';
import { readValueInfo } from './read-value.js';
import { MalformedFile, WireFile, WireReader } from './wire.js';

/** Field numbers in this file are those of onnx.proto (messages ModelProto, GraphProto, …). */

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
  graph.nodes = liftConstants(graph.nodes, graph.constants);
  return graph;
}

/** A graph, and what of it is of types that are not supported and was left out. */
export interface PartialGraph {
  graph: Graph;
  problems: readonly Problem[];
}

/**
 * Reads an ONNX file: structure into memory, weights as references that are read when needed, from
 * the file itself (of any size) or from external data beside it.
 *
 * Throws {@link PartitionError} `bad-model`.
 */
export function readOnnxParts(path: string): PartialGraph {
  const file = new WireFile(path);
  try {
    const reader = new WireReader(file, 0, file.size);
    const opsets = new Map<string, number>();
    let graphField: { start: number; end: number } | undefined;
    const functionFields: { start: number; end: number }[] = [];
    for (let field = reader.next(); field; field = reader.next()) {
      if (field.number === 8) {
        const [domain, version] = readOpset(reader.message(field));
        opsets.set(domain, version);
      }
      if (field.number === 25) functionFields.push(field);
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
    const functions = new Map<string, LocalFunction>();
    for (const { start, end } of functionFields) {
      try {
        functions.set(...readFunction(new WireReader(file, start, end)));
      } catch (error) {
        if (!(error instanceof UnsupportedType)) throw error;
        problems.push(error.problem);
      }
    }
    return { graph: { ...graph, functions }, problems };
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
