import { elementCount } from '@canopy/protocol';
import { rowCounts } from '../cost/work/strided.js';
import { floatAttribute, type GraphNode, intAttribute } from '../graph/graph.js';
import { axesFrom } from '../graph/lower/axes-from.js';
import { Compute } from '../graph/lower/compute.js';
import { type Lowering, UnsupportedNode } from '../graph/lower/lowering.js';
import { keeps } from '../graph/rows/rule.js';
import type { Facts } from '../graph/shapes/facts.js';
import type { Rule } from '../graph/shapes/operation.js';
import type { ModelOperator, OperatorFamily } from './operator.js';

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

/** Two tensors and a bias added, where there is one; the sum is the last output, where it is wanted. */
function skipSum(node: GraphNode, to: Lowering, bias: string): string {
  const [input, skip] = node.inputs as [string, string];
  if (node.outputs.slice(1, 3).some((output) => output !== '')) {
    throw new UnsupportedNode('gives mean and deviation', 'use its first and last outputs only');
  }
  const compute = new Compute(node, to);
  const named = node.outputs[3] ?? '';
  const sum = named === '' ? undefined : named;
  const biased = bias === '' ? input : compute.binary('add', input, bias);
  return compute.binary('add', biased, skip, sum);
}

/** Input, skip, gamma, beta, bias. */
function skipLayerNormalization(node: GraphNode, to: Lowering): void {
  const [, , gamma, beta = '', bias = ''] = node.inputs as [
    string,
    string,
    string,
    string?,
    string?,
  ];
  const sum = skipSum(node, to, bias);
  const inputs = beta === '' ? [sum, gamma] : [sum, gamma, beta];
  to.add('LayerNorm', node, inputs, [node.outputs[0]!], {
    axis: to.rank(sum) - 1,
    epsilon: floatAttribute(node, 'epsilon', 1e-12),
  });
}

/** X over the root of the mean of its squares from the axis on; outputs: the result and one over the root. */
function simplified(node: GraphNode, to: Lowering, x: string, scale: string, axis: number): void {
  const rank = to.rank(x);
  const axes = Array.from({ length: rank - axis }, (_, index) => index + axis);
  const compute = new Compute(node, to);
  const epsilon = floatAttribute(node, 'epsilon', 1e-5);
  const mean = compute.reduce('mean', compute.binary('mul', x, x), axes);
  const root = compute.unary('sqrt', compute.affine(mean, 1, epsilon));
  compute.binary('mul', compute.binary('div', x, root), scale, node.outputs[0]);
  const inverse = node.outputs[1] ?? '';
  if (inverse !== '') compute.unary('reciprocal', root, inverse);
}

function simplifiedLayerNormalization(node: GraphNode, to: Lowering): void {
  const [x, scale] = node.inputs as [string, string];
  simplified(node, to, x, scale, to.axis(intAttribute(node, 'axis', -1), to.rank(x)));
}

/** Input, skip, gamma, bias. */
function skipSimplifiedLayerNormalization(node: GraphNode, to: Lowering): void {
  const [, , gamma, bias = ''] = node.inputs as [string, string, string, string?];
  const sum = skipSum(node, to, bias);
  const epsilon = floatAttribute(node, 'epsilon', 1e-12);
  const attributes = new Map(node.attributes).set('epsilon', { kind: 'float', value: epsilon });
  const plain = { ...node, attributes, outputs: node.outputs.slice(0, 1) };
  simplified(plain, to, sum, gamma, to.rank(sum) - 1);
}

/**
 * Tables of words, places and kinds of segments looked up and added, then normalised. Inputs: words,
 * segments, the three tables, gamma, beta, mask, places.
 */
function embedLayerNormalization(node: GraphNode, to: Lowering): void {
  const [ids, segments = '', words, positions, kinds = '', gamma, beta, mask = '', given = ''] =
    node.inputs as string[] & Record<0 | 2 | 3 | 5 | 6, string>;
  const compute = new Compute(node, to);
  const places = given === '' ? compute.places(ids, 1) : given;
  const found = [compute.gather(words, ids), compute.gather(positions, places)];
  if (segments !== '') found.push(compute.gather(kinds, segments));
  const named = node.outputs[2] ?? '';
  const sum = found.reduce((left, right, at) => {
    const isLast = at === found.length - 1;
    return compute.binary('add', left, right, isLast && named !== '' ? named : undefined);
  });
  to.add('LayerNorm', node, [sum, gamma, beta], [node.outputs[0]!], {
    axis: 2,
    epsilon: floatAttribute(node, 'epsilon', 1e-12),
  });
  const lengths = node.outputs[1] ?? '';
  if (lengths === '') return;
  if (mask === '') throw new UnsupportedNode('counts a mask that is not there', 'give it a mask');
  to.add('Reduce', node, [mask], [lengths], { kind: 'sum', keepDims: false, axes: [1] });
}

/** Outputs: the sum of the tables normalised, the mask's sums, the sum itself. */
const embedShape: Rule = (op) => {
  const [batch, sequence] = op.dims(0);
  const table = op.facts(2);
  const rows: Facts = { dtype: table.dtype, dims: [batch!, sequence!, table.dims[1]!] };
  return [rows, { dtype: 'int32', dims: [batch!] }, rows];
};

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

const simplifiedOperator: ModelOperator = {
  shape: (op) => shape(op).slice(0, 2),
  lower: simplifiedLayerNormalization,
  types: ['float32'],
};

export const layerNormalizationFamily: OperatorFamily = {
  model: {
    LayerNormalization: { shape, lower: layerNormalization, types: ['float32'] },
    'com.microsoft.LayerNormalization': { shape, lower: layerNormalization, types: ['float32'] },
    SimplifiedLayerNormalization: simplifiedOperator,
    'com.microsoft.SimplifiedLayerNormalization': simplifiedOperator,
    'com.microsoft.SkipSimplifiedLayerNormalization': {
      shape: skipShape,
      lower: skipSimplifiedLayerNormalization,
      types: ['float32'],
      limits: 'first and last outputs only',
    },
    'com.microsoft.EmbedLayerNormalization': {
      shape: embedShape,
      lower: embedLayerNormalization,
      types: ['int32'],
    },
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
