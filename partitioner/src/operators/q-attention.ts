import type { GraphNode } from '../graph/graph.js';
import { AttentionSteps } from '../graph/lower/attention.js';
import { scalesOf } from '../graph/lower/integers.js';
import type { Lowering } from '../graph/lower/lowering.js';
import type { Dim } from '../graph/shapes/dim.js';
import { NotDerivable } from '../graph/shapes/facts.js';
import type { Rule } from '../graph/shapes/operation.js';
import { attendProjected, refuse, requirePlain } from './attention.js';
import { integerProduct } from './integer-product.js';
import type { OperatorFamily } from './operator.js';

/** X, weights of query, key and value side by side, bias, scales of both, mask, zero points of both, past. */
function qAttention(node: GraphNode, to: Lowering): void {
  refuse(node, { 8: 'a cache' });
  requirePlain(node);
  const [a, b, offset, aScale, bScale, mask = '', aZero, bZero] = node.inputs as string[] &
    Record<0 | 1 | 2 | 3 | 4, string>;
  const steps = new AttentionSteps(node, to);
  const [batch, sequence] = to.dims(a) as [Dim, Dim];
  const width = steps.fixed(to.dims(b)[1], 'width');
  const all = to.temporary(`${node.name}/projected`, 'float32', [batch, sequence, width]);
  const scales = scalesOf(node, to, aScale, bScale);
  integerProduct(node, to, all, { a, b, aZero, bZero, ...scales, offset });
  const sizes = [width / 3, width / 3, width / 3];
  attendProjected(steps, all, { sizes, mask, added: '' });
}

const shape: Rule = (op) => {
  const [batch, sequence] = op.dims(0);
  const width = op.dims(1)[1];
  if (typeof width !== 'number') throw new NotDerivable('the size of its heads is open');
  return [{ dtype: 'float32', dims: [batch!, sequence!, width / 3] }];
};

export const qAttentionFamily: OperatorFamily = {
  model: {
    'com.microsoft.QAttention': {
      shape,
      lower: qAttention,
      types: ['int8', 'uint8'],
      limits: 'without a cache',
    },
  },
  program: {},
};
