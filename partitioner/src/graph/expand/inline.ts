import type { Constant } from '../constant.js';
import {
  bodiesOf,
  freshName,
  makeNode,
  type Attribute,
  type Body,
  type Graph,
  type GraphNode,
} from '../graph.js';

/** Names of all values of nodes and of what is within them. */
function addNames(names: Set<string>, nodes: readonly GraphNode[]): void {
  for (const node of nodes) {
    for (const name of [...node.inputs, ...node.outputs]) names.add(name);
    for (const body of bodiesOf(node)) {
      for (const { name } of body.inputs) names.add(name);
      for (const name of [...body.constants.keys(), ...body.outputs]) names.add(name);
      addNames(names, body.nodes);
    }
  }
}

/** Values that a body makes itself: what it reads besides is of the graph around it. */
function ownNames(body: Body): string[] {
  return [
    ...body.inputs.map(({ name }) => name),
    ...body.constants.keys(),
    ...body.nodes.flatMap(({ outputs }) => outputs.filter((name) => name !== '')),
  ];
}

type Names = ReadonlyMap<string, string>;

function renamedBody(body: Body, names: Names): Body {
  const around = new Map(names);
  for (const own of ownNames(body)) around.delete(own);
  return {
    ...body,
    outputs: body.outputs.map((name) => around.get(name) ?? name),
    nodes: body.nodes.map((node) => renamed(node, around)),
  };
}

function renamed(node: GraphNode, names: Names): GraphNode {
  const of = (name: string): string => names.get(name) ?? name;
  const attributes = [...node.attributes].map(([name, attribute]): [string, Attribute] => [
    name,
    attribute.kind === 'graph'
      ? { kind: 'graph', value: renamedBody(attribute.value, names) }
      : attribute,
  ]);
  return {
    ...node,
    inputs: node.inputs.map(of),
    outputs: node.outputs.map(of),
    attributes: new Map(attributes),
  };
}

/** Takes nodes with graphs in them apart: puts the nodes of these graphs in their place. */
export class Inliner {
  private readonly taken: Set<string>;
  /** Nodes that come in the place of those taken apart. */
  nodes: GraphNode[] = [];

  constructor(readonly graph: Graph) {
    this.taken = new Set([
      ...graph.inputs.map(({ name }) => name),
      ...graph.outputs.map(({ name }) => name),
      ...graph.constants.keys(),
    ]);
    addNames(this.taken, graph.nodes);
  }

  private fresh(base: string): string {
    const name = freshName(this.taken, base);
    this.taken.add(name);
    return name;
  }
  constant(base: string, constant: Constant): string {
    const name = this.fresh(base);
    this.graph.constants.set(name, constant);
    return name;
  }
  /** Adds a node with one result under a fresh name. */
  add(
    op: string,
    base: string,
    inputs: string[],
    attributes: Record<string, Attribute> = {},
  ): string {
    const output = this.fresh(base);
    this.nodes.push(makeNode(op, output, inputs, [output], attributes));
    return output;
  }
  /** Gives a value another name as well. */
  rename(from: string, to: string): void {
    if (to !== '') this.nodes.push(makeNode('Identity', to, [from], [to]));
  }

  /**
   * Adds the nodes of a body.
   *
   * @param within name in front of those of its nodes and values
   * @param given values for its inputs, in their order; those left out are `''`
   * @returns names of its outputs
   */
  body(body: Body, within: string, given: readonly string[]): string[] {
    const names = new Map(body.inputs.map(({ name }, index) => [name, given[index] ?? '']));
    for (const own of ownNames(body)) {
      if (!names.has(own)) names.set(own, this.fresh(`${within}/${own}`));
    }
    for (const [name, constant] of body.constants) {
      this.graph.constants.set(names.get(name)!, constant);
    }
    for (const node of body.nodes) {
      const own = renamed(node, names);
      while (own.inputs.at(-1) === '') own.inputs.pop();
      this.nodes.push({ ...own, name: `${within}/${node.name}` });
    }
    return body.outputs.map((name) => names.get(name) ?? name);
  }

  /** Takes a node apart where `expand` says that it did; others stay as they are. Whether any was. */
  each(expand: (node: GraphNode) => boolean): boolean {
    const before = this.graph.nodes;
    this.nodes = [];
    let changed = false;
    for (const node of before) {
      if (expand(node)) changed = true;
      else this.nodes.push(node);
    }
    this.graph.nodes = this.nodes;
    return changed;
  }
}
