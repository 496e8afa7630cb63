import { floatAttribute, type GraphNode, intAttribute } from '../graph/graph.js';
import { perChannel } from '../graph/lower/columns.js';
import { Compute } from '../graph/lower/compute.js';
import { epilogue, type Lowering, UnsupportedNode } from '../graph/lower/lowering.js';
import { requirePerChannel } from '../graph/shapes/convolution.js';
import type { Rule } from '../graph/shapes/operation.js';
import type { OperatorFamily } from './operator.js';

/** With parameters that are computed: factor and offset of each channel are, too. */
function lowerComputed(node: GraphNode, to: Lowering): void {
  const [x, scale, shift, mean, variance] = node.inputs as [string, string, string, string, string];
  to.requireType(x, 'float32');
  const compute = new Compute(node, to);
  const epsilon = floatAttribute(node, 'epsilon', 1e-5);
  const deviation = compute.unary('sqrt', compute.affine(variance, 1, epsilon));
  const factor = compute.binary('div', scale, deviation);
  const offset = compute.binary('sub', shift, compute.binary('mul', mean, factor));
  const spatial = to.rank(x) - 2;
  const scaled = compute.binary('mul', x, perChannel(node, to, factor, spatial));
  compute.binary('add', scaled, perChannel(node, to, offset, spatial), node.outputs[0]);
}

/** Batch normalisation that no convolution could take in: a filter of one pixel. */
function lower(node: GraphNode, to: Lowering): void {
  if (intAttribute(node, 'training_mode', 0) === 1 || node.outputs.slice(1).some(Boolean)) {
    throw new UnsupportedNode('is that of training', 'export the model for inference');
  }
  if (intAttribute(node, 'spatial', 1) === 0) {
    throw new UnsupportedNode('normalises each activation', 'export with spatial=1');
  }
  const [scale, shift, mean, variance] = node.inputs
    .slice(1, 5)
    .map((name) => to.constantFloats(name));
  if (!scale || !shift || !mean || !variance) {
    lowerComputed(node, to);
    return;
  }
  const attribute = node.attributes.get('epsilon');
  const epsilon = attribute?.kind === 'float' ? attribute.value : 1e-5;
  const factor = scale.map((value, index) => value / Math.sqrt(variance[index]! + epsilon));
  const offset = shift.map((value, index) => value - mean[index]! * factor[index]!);
  const rank = to.rank(node.inputs[0]!);
  const dims = [factor.length, ...Array<number>(Math.max(0, rank - 2)).fill(1)];
  const scaled = to.temporary(`${node.name}/scaled`, 'float32', to.dims(node.outputs[0]!));
  const factors = to.floats(`${node.name}/factor`, dims, factor);
  const offsets = to.floats(`${node.name}/offset`, dims, offset);
  to.add('Binary', node, [node.inputs[0]!, factors], [scaled], {
    kind: 'mul',
    epilogue: epilogue(),
  });
  to.add('Binary', node, [scaled, offsets], [node.outputs[0]!], {
    kind: 'add',
    epilogue: epilogue(),
  });
}

const shape: Rule = (op) => {
  requirePerChannel(op, op.dims(0)[1] ?? 1, 1, 2, 3, 4);
  const statistics = { dtype: op.dtype(0), dims: op.dims(0).slice(1, 2) };
  return [op.like(0), statistics, statistics, statistics, statistics];
};

export const batchNormalizationFamily: OperatorFamily = {
  model: {
    BatchNormalization: { shape, lower, types: ['float32'], limits: 'as in inference' },
  },
  program: {},
};
