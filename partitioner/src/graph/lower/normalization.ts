import type { ReduceName } from '@canopy/protocol';
import { floatAttribute, intAttribute, type GraphNode } from '../graph.js';
import { product } from '../shapes/dim.js';
import { epilogue, UnsupportedNode, type Lower, type Lowering } from './lowering.js';

/** Before operator set 13, Softmax works on all dimensions from `axis` on as one. */
function softmax(node: GraphNode, to: Lowering): void {
  const input = node.inputs[0]!;
  const output = node.outputs[0]!;
  to.requireType(input, 'float32');
  const rank = to.rank(input);
  const axis = to.axis(intAttribute(node, 'axis', to.opset < 13 ? 1 : -1), rank);
  if (to.opset >= 13 || axis === rank - 1) {
    to.add('Softmax', node, [input], [output], { axis });
    return;
  }
  const dims = to.dims(input);
  const flat = [product(dims.slice(0, axis)), product(dims.slice(axis))];
  const flattened = to.temporary(`${node.name}/flat`, 'float32', flat);
  const result = to.temporary(`${node.name}/softmax`, 'float32', flat);
  const shape = to.temporary(`${node.name}/shape`, 'int64', [rank]);
  to.add('Flatten', node, [input], [flattened], { axis });
  to.add('Softmax', node, [flattened], [result], { axis: 1 });
  to.add('Shape', node, [input], [shape], { start: 0, end: 0x7fffffff });
  to.add('Reshape', node, [result, shape], [output], { allowZero: false });
}

function onlyFirstOutput(node: GraphNode): void {
  if (node.outputs.slice(1).some((output) => output !== '')) {
    throw new UnsupportedNode('gives mean and deviation', 'use its first output only');
  }
}

function layerNormalization(node: GraphNode, to: Lowering): void {
  onlyFirstOutput(node);
  to.requireType(node.inputs[0]!, 'float32');
  to.add('LayerNorm', node, node.inputs.slice(0, 3), [node.outputs[0]!], {
    axis: to.axis(intAttribute(node, 'axis', -1), to.rank(node.inputs[0]!)),
    epsilon: floatAttribute(node, 'epsilon', 1e-5),
  });
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

function reduce(kind: ReduceName): Lower {
  const forIntegers = kind === 'sum' || kind === 'max' || kind === 'min' || kind === 'prod';
  return (node, to) => {
    to.requireType(
      node.inputs[0]!,
      'float32',
      ...(forIntegers ? (['int32', 'int64'] as const) : []),
    );
    const axes = to.constantInts(node, 1, 'axes');
    if (axes === undefined && (node.inputs[1] ?? '') !== '') {
      throw new UnsupportedNode('has computed axes', 'make its axes constant');
    }
    if ((axes ?? []).length === 0 && intAttribute(node, 'noop_with_empty_axes', 0) === 1) {
      to.add('Identity', node, [node.inputs[0]!], [node.outputs[0]!], {});
      return;
    }
    const rank = to.rank(node.inputs[0]!);
    to.add('Reduce', node, [node.inputs[0]!], [node.outputs[0]!], {
      kind,
      keepDims: intAttribute(node, 'keepdims', 1) === 1,
      axes: (axes ?? []).map((axis) => to.axis(axis, rank)),
    });
  };
}

export const normalization: Record<string, Lower> = {
  Softmax: softmax,
  LayerNormalization: layerNormalization,
  'com.microsoft.SkipLayerNormalization': skipLayerNormalization,
  ReduceMean: reduce('mean'),
  ReduceSum: reduce('sum'),
  ReduceMax: reduce('max'),
  ReduceMin: reduce('min'),
  ReduceProd: reduce('prod'),
  ReduceSumSquare: reduce('sumSquare'),
  ReduceL2: reduce('l2'),
};
