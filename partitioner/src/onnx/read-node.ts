import type { Constant } from '../graph/constant.js';
import type { Attribute, Body, BodyInput, GraphNode } from '../graph/graph.js';
import { readTensor } from './read-tensor.js';
import { readBodyInput } from './read-value.js';
import type { WireReader } from './wire.js';

/** Field numbers in this file are those of onnx.proto (messages NodeProto, AttributeProto, GraphProto). */

/** An operator's name with its domain in front, but for the standard's. */
export function operatorName(domain: string, name: string): string {
  return domain === '' || domain === 'ai.onnx' ? name : `${domain}.${name}`;
}

/** An attribute and its name. */
export function readAttribute(reader: WireReader): [string, Attribute] {
  let name = '';
  let type = 0;
  let float = 0;
  let int = 0n;
  let text = '';
  let reference = '';
  let isOther = false;
  const floats: number[] = [];
  const ints: bigint[] = [];
  const strings: string[] = [];
  let whole: Attribute | undefined;
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
        whole = { kind: 'tensor', value: readTensor(reader.message(field)).constant };
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
      case 21:
        reference = reader.text(field);
        break;
      case 6:
        whole = { kind: 'graph', value: readBody(reader.message(field)) };
        break;
      case 10:
      case 11:
      case 14:
      case 15:
      case 22:
      case 23:
        isOther = true;
        break;
    }
  }
  if (reference !== '') return [name, { kind: 'reference', name: reference }];
  if (whole) return [name, whole];
  if (isOther) return [name, { kind: 'other' }];
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

/** A node; its operator has its domain in front. */
export function readNode(reader: WireReader): GraphNode {
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
  node.op = operatorName(domain, node.op);
  while (node.inputs.at(-1) === '') node.inputs.pop();
  if (node.name === '') node.name = `${node.op}:${node.outputs[0] ?? ''}`;
  return node;
}

/** Puts Constant nodes that hold a tensor among the constants; the other nodes. */
export function liftConstants(
  nodes: readonly GraphNode[],
  constants: Map<string, Constant>,
): GraphNode[] {
  return nodes.filter((node) => {
    const value = node.op === 'Constant' ? node.attributes.get('value') : undefined;
    if (value?.kind !== 'tensor') return true;
    constants.set(node.outputs[0]!, value.value);
    return false;
  });
}

/** A graph within a node. Throws `UnsupportedType` where a constant of it is of a type that workers do not have. */
function readBody(reader: WireReader): Body {
  const inputs: BodyInput[] = [];
  const outputs: string[] = [];
  const nodes: GraphNode[] = [];
  const constants = new Map<string, Constant>();
  for (let field = reader.next(); field; field = reader.next()) {
    if (field.number === 1) nodes.push(readNode(reader.message(field)));
    else if (field.number === 5) {
      const { name, constant } = readTensor(reader.message(field));
      constants.set(name, constant);
    } else if (field.number === 11) inputs.push(readBodyInput(reader.message(field)));
    else if (field.number === 12) outputs.push(readBodyInput(reader.message(field)).name);
  }
  return { inputs, outputs, nodes: liftConstants(nodes, constants), constants };
}
