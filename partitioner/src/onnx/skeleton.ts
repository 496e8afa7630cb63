import { constantBytes } from '../graph/constant.js';
import type { Graph } from '../graph/graph.js';
import { WireFile, WireReader, WireWriter, type WireField } from './wire.js';
import { tensor, valueInfo } from './write-model.js';

/** Bytes of weights that onnxruntime is shown of a model: the smallest up to so many in all. */
const mostShownBytes = 32 * 1024 * 1024;

/**
 * Names of the weights that onnxruntime is not shown. What it folds and fuses by their values (shapes,
 * scales, biases) is in the small ones; the large ones it would only copy.
 */
export function hiddenWeights(graph: Graph, most = mostShownBytes): ReadonlySet<string> {
  const bySize = [...graph.constants]
    .map(([name, constant]) => ({ name, bytes: constantBytes(constant) }))
    .sort((one, other) => one.bytes - other.bytes);
  let sum = 0;
  return new Set(bySize.filter(({ bytes }) => (sum += bytes) > most).map(({ name }) => name));
}

/** Bytes of the weights that onnxruntime is shown, and writes to files of its own. */
export function shownBytes(graph: Graph): number {
  const hidden = hiddenWeights(graph);
  return [...graph.constants]
    .filter(([name]) => !hidden.has(name))
    .reduce((sum, [, constant]) => sum + constantBytes(constant), 0);
}

/** The field as it stands in the file, its number included. */
function copyField(out: WireWriter, reader: WireReader, field: WireField): void {
  out.raw(reader.file.bytes(field.begin, field.end).slice());
}

/** The text of a field of a message; empty where it has none. */
function textOf(message: WireReader, number: number): string {
  let text = '';
  for (let field = message.next(); field; field = message.next()) {
    if (field.number === number) text = message.text(field);
  }
  return text;
}

/** The first output of a NodeProto and its operator. */
function nodeFace(message: WireReader): { op: string; output: string } {
  const face = { op: '', output: '' };
  for (let field = message.next(); field; field = message.next()) {
    if (field.number === 2 && face.output === '') face.output = message.text(field);
    if (field.number === 4) face.op = message.text(field);
  }
  return face;
}

function writeGraph(reader: WireReader, graph: Graph, hidden: ReadonlySet<string>): WireWriter {
  const out = new WireWriter();
  for (let field = reader.next(); field; field = reader.next()) {
    if (field.number === 1) {
      const { op, output } = nodeFace(reader.message(field));
      if (op === 'Constant' && hidden.has(output)) continue;
    }
    if (field.number === 5) {
      const name = textOf(reader.message(field), 8);
      if (hidden.has(name)) continue;
      const constant = graph.constants.get(name);
      // What lies beside the model's file is not beside this one.
      const file = (constant?.packed ?? constant)?.file;
      if (constant && file && file.path !== reader.file.path) {
        out.message(5, tensor(name, constant));
        continue;
      }
    }
    // Before IR version 4 weights are listed as inputs too.
    if (field.number === 11 && hidden.has(textOf(reader.message(field), 1))) continue;
    copyField(out, reader, field);
  }
  for (const name of hidden) {
    const { dtype, dims, packed } = graph.constants.get(name)!;
    out.message(11, valueInfo({ name, dtype, dims, fourBits: packed !== undefined }));
  }
  return out;
}

/**
 * A model file without some of its weights, which are inputs in their place; all else as it is, with
 * functions and subgraphs. Other weights that lie beside the file are in it.
 *
 * @param graph as it was read from the file
 */
export function writeSkeleton(path: string, graph: Graph, hidden: ReadonlySet<string>): Uint8Array {
  const file = new WireFile(path);
  try {
    const reader = new WireReader(file, 0, file.size);
    const out = new WireWriter();
    for (let field = reader.next(); field; field = reader.next()) {
      if (field.number === 7) out.message(7, writeGraph(reader.message(field), graph, hidden));
      else copyField(out, reader, field);
    }
    return out.finish();
  } finally {
    file.close();
  }
}
