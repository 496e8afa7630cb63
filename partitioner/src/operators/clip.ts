import { scalarFloat } from '../graph/constant.js';
import { floatAttribute, type GraphNode } from '../graph/graph.js';
import { type Lowering, UnsupportedNode } from '../graph/lower/lowering.js';
import { type Dim, maximum, minimum } from '../graph/shapes/dim.js';
import { onElement } from '../graph/shapes/elements.js';
import type { Rule } from '../graph/shapes/operation.js';
import type { OperatorFamily } from './operator.js';

const largestFloat = 3.4028234663852886e38;

/** Bounds as attributes until operator set 10, as inputs since. */
function clipBounds(node: GraphNode, to: Lowering): { alpha: number; beta: number } {
  const bound = (index: number, attribute: string, otherwise: number): number => {
    const input = node.inputs[index];
    if (input === undefined || input === '') return floatAttribute(node, attribute, otherwise);
    const value = scalarFloat(to.constant(input));
    if (value === undefined) {
      throw new UnsupportedNode('its bounds are computed', 'make min and max constants');
    }
    return value;
  };
  return { alpha: bound(1, 'min', -largestFloat), beta: bound(2, 'max', largestFloat) };
}

const clip: Rule = (op) => {
  const bound = (input: number): Dim | undefined =>
    op.has(input) ? op.facts(input).values?.[0] : undefined;
  const [low, high] = [bound(1), bound(2)];
  const known = (op.has(1) ? low !== undefined : true) && (op.has(2) ? high !== undefined : true);
  if (!known || op.opset < 11) return [op.like(0)];
  return onElement((value) => {
    const raised = low === undefined ? value : maximum(value, low);
    return high === undefined ? raised : minimum(raised, high);
  })(op);
};

function lower(node: GraphNode, to: Lowering): void {
  to.requireType(node.inputs[0]!, 'float32');
  const bounds = clipBounds(node, to);
  to.add('Unary', node, [node.inputs[0]!], [node.outputs[0]!], { kind: 'clip', ...bounds });
}

export const clipFamily: OperatorFamily = {
  model: {
    Clip: { shape: clip, lower, types: ['float32'], limits: 'constant min and max' },
  },
  program: {},
};
