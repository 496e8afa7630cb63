import type { DTypeName } from '@canopy/protocol';
import type { Constant } from './constant.js';

/** Value of a node's attribute. What is no tensor and no number is kept only to be named in errors. */
export type Attribute =
  | { kind: 'float'; value: number }
  | { kind: 'int'; value: number }
  | { kind: 'string'; value: string }
  | { kind: 'floats'; value: readonly number[] }
  | { kind: 'ints'; value: readonly number[] }
  | { kind: 'strings'; value: readonly string[] }
  | { kind: 'tensor'; value: Constant }
  | { kind: 'graph'; value: Body }
  /** In a function: what its caller gives under this name. */
  | { kind: 'reference'; name: string }
  | { kind: 'other' };

/** A graph within a node, or a function: it may read values of the graph around it by their names. */
export interface Body {
  inputs: readonly BodyInput[];
  outputs: readonly string[];
  nodes: readonly GraphNode[];
  constants: ReadonlyMap<string, Constant>;
}

export interface BodyInput {
  name: string;
  /** Number of dimensions, where the model says it. */
  rank: number | undefined;
}

/** A function that a model defines, by which nodes can be called. */
export interface LocalFunction {
  body: Body;
  /** Versions of operator sets that it is written in. */
  opsets: ReadonlyMap<string, number>;
  /** What attributes are where a call does not give them. */
  defaults: ReadonlyMap<string, Attribute>;
}

/** One operator. An optional input left out is the empty string. */
export interface GraphNode {
  name: string;
  /** Operator of the standard, or with its domain: `com.microsoft.FusedConv`. */
  op: string;
  inputs: string[];
  outputs: string[];
  attributes: Map<string, Attribute>;
  /** Why it cannot be run, where that was found before it is lowered. */
  refused?: { why: string; advice: string };
}

/** Not of ONNX: one of two values, by a condition. Inputs: condition, the value where it is true, the other. */
export const selectOperator = 'ai.canopy.Select';

/** A dimension is a size, a name, or undefined where the model says nothing. */
export interface ValueType {
  dtype: DTypeName;
  /** Undefined where even the rank is unknown. */
  dims: readonly (number | string | undefined)[] | undefined;
}

export interface NamedValue extends ValueType {
  name: string;
  /** Whether the model has int4 or uint4, which are held as int8 and uint8. */
  fourBits?: boolean;
}

/** A model as a list of operators in the order they run, whatever file it came from. */
export interface Graph {
  name: string;
  /** Version of each operator set, by domain; '' is the standard's. */
  opsets: Map<string, number>;
  inputs: NamedValue[];
  outputs: NamedValue[];
  nodes: GraphNode[];
  constants: Map<string, Constant>;
  /** By the operator of nodes that call them. */
  functions?: ReadonlyMap<string, LocalFunction>;
}

export function intAttribute(node: GraphNode, name: string, otherwise: number): number {
  const attribute = node.attributes.get(name);
  return attribute?.kind === 'int' ? attribute.value : otherwise;
}
export function floatAttribute(node: GraphNode, name: string, otherwise: number): number {
  const attribute = node.attributes.get(name);
  return attribute?.kind === 'float' ? attribute.value : otherwise;
}
export function stringAttribute(node: GraphNode, name: string, otherwise: string): string {
  const attribute = node.attributes.get(name);
  return attribute?.kind === 'string' ? attribute.value : otherwise;
}
export function intsAttribute(node: GraphNode, name: string): readonly number[] | undefined {
  const attribute = node.attributes.get(name);
  return attribute?.kind === 'ints' ? attribute.value : undefined;
}
export function floatsAttribute(node: GraphNode, name: string): readonly number[] | undefined {
  const attribute = node.attributes.get(name);
  return attribute?.kind === 'floats' ? attribute.value : undefined;
}

export function stringsAttribute(node: GraphNode, name: string): readonly string[] | undefined {
  const attribute = node.attributes.get(name);
  return attribute?.kind === 'strings' ? attribute.value : undefined;
}

/** Makes a node with plain attribute values: whole numbers are ints, use `{kind}` for anything else. */
export function makeNode(
  op: string,
  name: string,
  inputs: string[],
  outputs: string[],
  attributes: Record<string, Attribute> = {},
): GraphNode {
  return { op, name, inputs, outputs, attributes: new Map(Object.entries(attributes)) };
}

export function graphAttribute(node: GraphNode, name: string): Body | undefined {
  const attribute = node.attributes.get(name);
  return attribute?.kind === 'graph' ? attribute.value : undefined;
}

/** Bodies of a node, in the order of its attributes. */
export function bodiesOf(node: GraphNode): Body[] {
  return [...node.attributes.values()].flatMap((attribute) =>
    attribute.kind === 'graph' ? [attribute.value] : [],
  );
}

/** Values that a node reads: its inputs, and what its bodies read of the graph around them. */
export function readsOf(node: GraphNode): string[] {
  const around = bodiesOf(node).flatMap((body) => {
    const own = new Set([
      ...body.inputs.map(({ name }) => name),
      ...body.constants.keys(),
      ...body.nodes.flatMap(({ outputs }) => outputs),
    ]);
    const read = [...body.nodes.flatMap(readsOf), ...body.outputs];
    return read.filter((name) => !own.has(name));
  });
  return [...node.inputs, ...around];
}

/** Leaves out nodes whose results nobody reads, and constants nobody reads. */
export function removeUnused(graph: Graph): void {
  const wanted = new Set(graph.outputs.map((output) => output.name));
  const kept: GraphNode[] = [];
  for (const node of graph.nodes.toReversed()) {
    if (!node.outputs.some((output) => wanted.has(output))) continue;
    kept.push(node);
    for (const name of readsOf(node)) wanted.add(name);
  }
  graph.nodes = kept.reverse();
  for (const name of graph.constants.keys()) if (!wanted.has(name)) graph.constants.delete(name);
}

/** A name not yet in use, made from `base`. */
export function freshName(taken: { has(name: string): boolean }, base: string): string {
  if (!taken.has(base)) return base;
  for (let index = 2; ; index++) {
    const name = `${base}_${index}`;
    if (!taken.has(name)) return name;
  }
}
