import { WireFile, WireReader } from './wire.js';

/** What a model file shows from outside, read without its weights. */
export interface ModelFace {
  /** Names of the inputs that have to be given, in order. */
  inputs: string[];
  /** Operators of the graph's nodes, each as often as it occurs, with their domains but for ONNX's own. */
  operators: string[];
}

/**
 * Reads names of inputs and operators, whatever the model is made of. Field numbers are those of
 * onnx.proto (messages ModelProto, GraphProto, NodeProto). Throws where the file is no protocol buffer.
 */
export function modelFace(path: string): ModelFace {
  const file = new WireFile(path);
  try {
    const face: ModelFace = { inputs: [], operators: [] };
    const model = new WireReader(file, 0, file.size);
    for (let field = model.next(); field; field = model.next()) {
      if (field.number === 7) readGraph(model.message(field), face);
    }
    return face;
  } finally {
    file.close();
  }
}

function readGraph(graph: WireReader, face: ModelFace): void {
  const initialized = new Set<string>();
  for (let field = graph.next(); field; field = graph.next()) {
    if (field.number === 1) face.operators.push(operatorOf(graph.message(field)));
    if (field.number === 5) initialized.add(textField(graph.message(field), 8));
    if (field.number === 11) face.inputs.push(textField(graph.message(field), 1));
  }
  face.inputs = face.inputs.filter((name) => !initialized.has(name));
}

function operatorOf(node: WireReader): string {
  let type = '';
  let domain = '';
  for (let field = node.next(); field; field = node.next()) {
    if (field.number === 4) type = node.text(field);
    if (field.number === 7) domain = node.text(field);
  }
  return domain === '' || domain === 'ai.onnx' ? type : `${domain}.${type}`;
}

function textField(message: WireReader, number: number): string {
  let text = '';
  for (let field = message.next(); field; field = message.next()) {
    if (field.number === number) text = message.text(field);
  }
  return text;
}
