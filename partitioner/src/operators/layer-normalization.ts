import { elementCount } from '@canopy/protocol';
import { rowCounts } from '../cost/work/strided.js';
import { floatAttribute, type GraphNode, intAttribute } from '../graph/graph.js';
import { axesFrom } from '../graph/lower/axes-from.js';
import { Compute } from '../graph/lower/compute.js';
import { epilogue, type Lowering, UnsupportedNode } from '../graph/lower/lowering.js';
import { keeps } from '../graph/rows/rule.js';
import type { Facts } from '../graph/shapes/facts.js';
import type { Rule } from '../graph/shapes/operation.js';
import { type OperatorFamily } from './operator.js';

function layerNormalization(node: GraphNode, to: Lowering): void {
  const x = node.inputs[0]!;
  to.requireType(x, 'float32');
  const rank = to.rank(x);
  const axis = to.axis(intAttribute(node, 'axis', -1), rank);
  const epsilon = floatAttribute(node, 'epsilon', 1e-5);
  to.add('LayerNorm', node, node.inputs.slice(0, 3), [node.outputs[0]!], { axis, epsilon });
  const [, meanOutput = '', deviationOutput = ''] = node.outputs;
  if (meanOutput === '' && deviationOutput === '') return;
  const compute = new Compute(node, to);
  const { mean, deviation } = compute.normalised(x, axesFrom(axis, rank), epsilon);
  if (meanOutput !== '') to.add('Identity', node, [mean], [meanOutput], {});
  if (deviationOutput !== '') compute.unary('reciprocal', deviation, deviationOutput);
}

/** Two tensors and a bias added, then normalised: input, skip, gamma, beta, bias. */
function skipLayerNormalization(node: GraphNode, to: Lowering): void {
  const [input, skip, gamma] = node.inputs as [string, string, string];
  const beta = node.inputs[3] ?? '';
  const bias = node.inputs[4] ?? '';
  if (node.outputs.slice(1, 3).some((output) => output !== '')) {
    throw new UnsupportedNode('gives mean and deviation', 'use its first and last outputs only');
  }
  const dims = to.dims(node.outputs[0]!);
  const named = node.outputs[3] ?? '';
  const sum = named === '' ? to.temporary(`${node.name}/sum`, 'float32', dims) : named;
  const plain = epilogue();
  if (bias === '') to.add('Binary', node, [input, skip], [sum], { kind: 'add', epilogue: plain });
  else {
    const biased = to.temporary(`${node.name}/biased`, 'float32', dims);
    to.add('Binary', node, [input, bias], [biased], { kind: 'add', epilogue: plain });
    to.add('Binary', node, [biased, skip], [sum], { kind: 'add', epilogue: plain });
  }
  const inputs = beta === '' ? [sum, gamma] : [sum, gamma, beta];
  to.add('LayerNorm', node, inputs, [node.outputs[0]!], {
    axis: dims.length - 1,
    epsilon: floatAttribute(node, 'epsilon', 1e-12),
  });
}

/** Mean and deviation have 1 in place of each dimension from the axis on. */
const shape: Rule = (op) => {
  const axis = op.axis('axis', -1, op.rank(0));
  for (const input of [1, 2])
    if (op.has(input)) op.requireBroadcastsTo(input, op.dims(0).slice(axis));
  const statistics: Facts = {
    dtype: 'float32',
    dims: op.dims(0).map((dim, at) => (at < axis ? dim : 1)),
  };
  return [op.like(0), statistics, statistics];
};

/** Outputs: the result, mean, deviation, and the sum of input and skip. */
const skipShape: Rule = (op) => {
  const last = op.dims(0).slice(-1);
  for (const input of [2, 3, 4]) if (op.has(input)) op.requireBroadcastsTo(input, last);
  const statistics: Facts = { dtype: 'float32', dims: [...op.dims(0).slice(0, -1), 1] };
  return [op.like(0), statistics, statistics, op.like(0)];
};

export const layerNormalizationFamily: OperatorFamily = {
  model: {
    LayerNormalization: { shape, lower: layerNormalization, types: ['float32'] },
    'com.microsoft.SkipLayerNormalization': {
      shape: skipShape,
      lower: skipLayerNormalization,
      types: ['float32'],
      limits: 'first and last outputs only',
    },
  },
  program: {
    LayerNorm: {
      rows: (step) => keeps((axis) => axis < step.attributes.axis)(step),
      work: ({ attributes, outputs }) => {
        const [output] = outputs as [readonly number[]];
        const size = elementCount(output.slice(attributes.axis));
        const count = elementCount(output) / Math.max(1, size);
        return [{ kernel: 'layerNorm', counts: rowCounts(count, size) }];
      },
    },
  },
};
