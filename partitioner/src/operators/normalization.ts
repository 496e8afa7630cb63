import { floatAttribute, type GraphNode, intAttribute, intsAttribute } from '../graph/graph.js';
import { axesFrom } from '../graph/lower/axes-from.js';
import { perChannel, windowWords } from '../graph/lower/columns.js';
import { Compute } from '../graph/lower/compute.js';
import { type Lowering, UnsupportedNode } from '../graph/lower/lowering.js';
import { floorDivide, product, type Dim } from '../graph/shapes/dim.js';
import { likeFirst } from '../graph/shapes/operation.js';
import type { ModelOperator, OperatorFamily } from './operator.js';

function instanceNormalization(node: GraphNode, to: Lowering): void {
  const [x, scale, bias] = node.inputs as [string, string, string];
  to.requireType(x, 'float32');
  const rank = to.rank(x);
  const compute = new Compute(node, to);
  const epsilon = floatAttribute(node, 'epsilon', 1e-5);
  const { centred, deviation } = compute.normalised(x, axesFrom(2, rank), epsilon);
  const scaled = compute.binary('div', perChannel(node, to, scale, rank - 2), deviation);
  const product = compute.binary('mul', centred, scaled);
  compute.binary('add', product, perChannel(node, to, bias, rank - 2), node.outputs[0]);
}

/** Groups of channels, each normalised; scale and bias are per group before operator set 21. */
function groupNormalization(node: GraphNode, to: Lowering): void {
  const [x, scale, bias] = node.inputs as [string, string, string];
  to.requireType(x, 'float32');
  const rank = to.rank(x);
  const dims = to.dims(x);
  const groups = intAttribute(node, 'num_groups', 1);
  const compute = new Compute(node, to);
  const inGroups: Dim[] = [dims[0]!, groups, floorDivide(product(dims.slice(1)), groups)];
  const grouped = compute.reshape(x, [0, groups, -1], inGroups);
  const epsilon = floatAttribute(node, 'epsilon', 1e-5);
  const { centred, deviation } = compute.normalised(grouped, [2], epsilon);
  const whole = compute.binary('div', centred, deviation);
  const shape = compute.shapeOf(x);
  if (to.opset < 21) {
    const scaled = compute.binary('mul', whole, perChannel(node, to, scale, 1));
    const shifted = compute.binary('add', scaled, perChannel(node, to, bias, 1));
    compute.reshapeTo(shifted, shape, dims, node.outputs[0]);
    return;
  }
  const image = compute.reshapeTo(whole, shape, dims);
  const scaled = compute.binary('mul', image, perChannel(node, to, scale, rank - 2));
  compute.binary('add', scaled, perChannel(node, to, bias, rank - 2), node.outputs[0]);
}

function meanVarianceNormalization(node: GraphNode, to: Lowering): void {
  const x = node.inputs[0]!;
  to.requireType(x, 'float32');
  const rank = to.rank(x);
  const axes = (intsAttribute(node, 'axes') ?? [0, 2, 3]).map((axis) => to.axis(axis, rank));
  const compute = new Compute(node, to);
  const { centred, deviation } = compute.normalised(x, axes, 0);
  compute.binary('div', centred, compute.affine(deviation, 1, 1e-9), node.outputs[0]);
}

/** Divided by the root of the mean of squares. */
function rmsNormalization(node: GraphNode, to: Lowering): void {
  const [x, scale] = node.inputs as [string, string];
  to.requireType(x, 'float32');
  const rank = to.rank(x);
  const first = to.axis(intAttribute(node, 'axis', -1), rank);
  const axes = axesFrom(first, rank);
  const compute = new Compute(node, to);
  const mean = compute.reduce('mean', compute.binary('mul', x, x), axes);
  const root = compute.unary(
    'sqrt',
    compute.affine(mean, 1, floatAttribute(node, 'epsilon', 1e-5)),
  );
  compute.binary('mul', compute.binary('div', x, root), scale, node.outputs[0]);
}

/** Divided by the norm along an axis; what has none stays 0. */
function lpNormalization(node: GraphNode, to: Lowering): void {
  const x = node.inputs[0]!;
  to.requireType(x, 'float32');
  const axis = to.axis(intAttribute(node, 'axis', -1), to.rank(x));
  const p = intAttribute(node, 'p', 2);
  if (p !== 1 && p !== 2) throw new UnsupportedNode(`has the norm ${p}`, 'use p = 1 or 2');
  const compute = new Compute(node, to);
  const norm =
    p === 2
      ? compute.reduce('l2', x, [axis])
      : compute.reduce('sum', compute.unary('abs', x), [axis]);
  const none = compute.cast(compute.binary('equal', norm, compute.number(0)), 'float32');
  compute.binary('div', x, compute.binary('add', norm, none), node.outputs[0]);
}

/** Divided by a power of the sum of squares over neighbouring channels. */
function localResponse(node: GraphNode, to: Lowering): void {
  const x = node.inputs[0]!;
  to.requireType(x, 'float32');
  const size = intAttribute(node, 'size', 1);
  const compute = new Compute(node, to);
  const dims = to.dims(x);
  const squares = compute.binary('mul', x, x);
  const channels = compute.sizes(compute.shapeOf(x, 0, 1), 1, compute.shapeOf(x, 1, 2), -1);
  const planes = [dims[0]!, 1, dims[1]!, product(dims.slice(2))];
  const rows = compute.reshapeTo(squares, channels, planes);
  const sums = to.temporary(`${node.name}/sums`, 'float32', planes);
  const before = Math.floor((size - 1) / 2);
  to.add('SpatialPool', node, [rows], [sums], {
    kind: 'sum',
    ceilMode: false,
    columnMajor: false,
    window: windowWords({
      kernel: [size, 1],
      strides: [1, 1],
      pads: [before, 0, size - 1 - before, 0],
      dilations: [1, 1],
    }),
  });
  const image = compute.reshapeTo(sums, compute.shapeOf(x), dims);
  const factor = floatAttribute(node, 'alpha', 1e-4) / size;
  const base = compute.affine(image, factor, floatAttribute(node, 'bias', 1));
  const power = compute.binary('pow', base, compute.number(floatAttribute(node, 'beta', 0.75)));
  compute.binary('div', x, power, node.outputs[0]);
}

const types = ['float32'] as const;

function like(lower: ModelOperator['lower'], limits = ''): ModelOperator {
  return { shape: likeFirst(), lower, types, limits };
}

export const normalizationFamily: OperatorFamily = {
  model: {
    GroupNormalization: like(groupNormalization),
    InstanceNormalization: like(instanceNormalization),
    LRN: like(localResponse),
    LpNormalization: like(lpNormalization),
    MeanVarianceNormalization: like(meanVarianceNormalization),
    RMSNormalization: like(rmsNormalization),
  },
  program: {},
};
