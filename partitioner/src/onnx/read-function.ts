import type { Attribute, GraphNode, LocalFunction } from '../graph/graph.js';
import { liftConstants, operatorName, readAttribute, readNode } from './read-node.js';
import type { Constant } from '../graph/constant.js';
import type { WireReader } from './wire.js';

/** Field numbers in this file are those of onnx.proto (messages FunctionProto, OperatorSetIdProto). */

/** A domain and the version of its operator set; the standard's domain is ''. */
export function readOpset(reader: WireReader): [domain: string, version: number] {
  let domain = '';
  let version = 1;
  for (let field = reader.next(); field; field = reader.next()) {
    if (field.number === 1) domain = reader.text(field);
    if (field.number === 2) version = Number(field.varint);
  }
  return [domain === 'ai.onnx' ? '' : domain, version];
}

/** A function that a model defines, and the operator of nodes that call it. */
export function readFunction(reader: WireReader): [op: string, read: LocalFunction] {
  let name = '';
  let domain = '';
  const inputs: string[] = [];
  const outputs: string[] = [];
  const nodes: GraphNode[] = [];
  const opsets = new Map<string, number>();
  const defaults = new Map<string, Attribute>();
  for (let field = reader.next(); field; field = reader.next()) {
    if (field.number === 1) name = reader.text(field);
    if (field.number === 4) inputs.push(reader.text(field));
    if (field.number === 5) outputs.push(reader.text(field));
    if (field.number === 7) nodes.push(readNode(reader.message(field)));
    if (field.number === 9) opsets.set(...readOpset(reader.message(field)));
    if (field.number === 10) domain = reader.text(field);
    if (field.number === 11) defaults.set(...readAttribute(reader.message(field)));
  }
  const constants = new Map<string, Constant>();
  const body = {
    inputs: inputs.map((input) => ({ name: input, rank: undefined })),
    outputs,
    nodes: liftConstants(nodes, constants),
    constants,
  };
  return [operatorName(domain, name), { body, opsets, defaults }];
}
