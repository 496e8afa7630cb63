import type { OpAttributes, OpName } from '@canopy/protocol';
import type { GraphNode } from '../graph.js';
import type { Lower, Lowering } from './lowering.js';

/** An operation that takes the node's inputs as they are. */
export function sameInputs<Op extends OpName>(
  op: Op,
  attributes: (node: GraphNode, to: Lowering) => OpAttributes[Op],
): Lower {
  return (node, to) => {
    to.add(op, node, [...node.inputs], [node.outputs[0]!], attributes(node, to));
  };
}
