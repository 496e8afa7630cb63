import type { GraphNode } from '../graph/graph.js';
import { epilogue, type Lowering, UnsupportedNode } from '../graph/lower/lowering.js';
import type { Rule } from '../graph/shapes/operation.js';
import type { OperatorFamily } from './operator.js';

/** Batch normalisation that no convolution could take in: a filter of one pixel. */
function lower(node: GraphNode, to: Lowering): void {
  const [scale, shift, mean, variance] = node.inputs
    .slice(1, 5)
    .map((name) => to.constantFloats(name));
  if (!scale || !shift || !mean || !variance) {
    throw new UnsupportedNode('has computed parameters', 'export the model for inference');
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
  const statistics = { dtype: op.dtype(0), dims: op.dims(0).slice(1, 2) };
  return [op.like(0), statistics, statistics, statistics, statistics];
};

export const batchNormalizationFamily: OperatorFamily = {
  model: {
    BatchNormalization: { shape, lower, types: ['float32'], limits: 'constant parameters' },
  },
  program: {},
};
