import {
  type Attribute,
  type Body,
  type Graph,
  type GraphNode,
  type LocalFunction,
} from '../graph.js';
import { Inliner } from './inline.js';

/** How deep functions may call each other; one that calls itself has no end. */
const deepest = 64;

type Given = ReadonlyMap<string, Attribute>;

/** A node of a function with what its caller gives in place of references; what nobody gives is left out. */
function called(node: GraphNode, given: Given): GraphNode {
  const attributes = [...node.attributes].flatMap(([name, attribute]): [string, Attribute][] => {
    if (attribute.kind === 'reference') {
      const value = given.get(attribute.name);
      return value ? [[name, value]] : [];
    }
    if (attribute.kind !== 'graph') return [[name, attribute]];
    return [[name, { kind: 'graph', value: calledBody(attribute.value, given) }]];
  });
  return { ...node, attributes: new Map(attributes) };
}

function calledBody(body: Body, given: Given): Body {
  return { ...body, nodes: body.nodes.map((node) => called(node, given)) };
}

/** An operator set that a function is written in, and the model in another version. */
function otherOpset(graph: Graph, { opsets }: LocalFunction): string | undefined {
  for (const [domain, version] of opsets) {
    const own = graph.opsets.get(domain);
    if (own === undefined) graph.opsets.set(domain, version);
    else if (own !== version && domain === '') return `${version}, the model in ${own}`;
  }
  return undefined;
}

/** Puts the nodes of functions that a model defines in the place of calls, also of those within functions. */
export function inlineFunctions(graph: Graph): void {
  const { functions } = graph;
  if (!functions || functions.size === 0) return;
  const inliner = new Inliner(graph);
  const expand = (node: GraphNode): boolean => {
    const found = node.refused ? undefined : functions.get(node.op);
    if (!found) return false;
    const other = otherOpset(graph, found);
    if (other !== undefined) {
      node.refused = {
        why: `is a function written in operator set ${other}`,
        advice: 'export the model with its functions inlined',
      };
      return false;
    }
    const given = new Map([...found.defaults, ...node.attributes]);
    const results = inliner.body(calledBody(found.body, given), node.name, node.inputs);
    node.outputs.forEach((output, index) => {
      inliner.rename(results[index]!, output);
    });
    return true;
  };
  for (let depth = 0; inliner.each(expand); depth++) {
    if (depth < deepest) continue;
    for (const node of graph.nodes) {
      if (!functions.has(node.op)) continue;
      node.refused = { why: 'is a function that calls itself', advice: 'export it without' };
    }
  }
}
