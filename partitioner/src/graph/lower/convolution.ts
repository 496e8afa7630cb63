import type { Epilogue } from '@canopy/protocol';
import {
  floatAttribute,
  floatsAttribute,
  intAttribute,
  intsAttribute,
  stringAttribute,
  type GraphNode,
} from '../graph.js';
import type { OpAttributes, Window } from '../program.js';
import type { Dim } from '../shapes/dim.js';
import { epilogue, UnsupportedNode, type Lower, type Lowering } from './lowering.js';

const toChannelsLast = [0, 2, 3, 1];
const toChannelsFirst = [0, 3, 1, 2];

/** Runs an operation of channels-last images between two transposes of its input and output. */
function channelsLast(
  node: GraphNode,
  to: Lowering,
  run: (input: string, output: string) => void,
): void {
  const input = node.inputs[0]!;
  const output = node.outputs[0]!;
  to.requireType(input, 'float32');
  if (to.rank(input) !== 4) {
    throw new UnsupportedNode(
      `works on ${to.rank(input)} dimensions, only images of 4 are supported`,
      'reshape to [batch, channels, height, width] in the model',
    );
  }
  const moved = (name: string): Dim[] => toChannelsLast.map((axis) => to.dims(name)[axis]!);
  const before = to.temporary(`${input}/nhwc`, 'float32', moved(input));
  to.add('Transpose', node, [input], [before], { permutation: toChannelsLast });
  const after = to.temporary(`${output}/nhwc`, 'float32', moved(output));
  run(before, after);
  to.add('Transpose', node, [after], [output], { permutation: toChannelsFirst });
}

/**
 * Padding before and after a dimension that `SAME_UPPER` and `SAME_LOWER` mean: as many positions as
 * `size / stride` rounded up. With a stride it depends on the size, which then must be known.
 */
function samePads(
  size: Dim,
  kernel: number,
  stride: number,
  dilation: number,
  upper: boolean,
): [number, number] {
  const field = (kernel - 1) * dilation + 1;
  if (stride !== 1 && typeof size !== 'number') {
    throw new UnsupportedNode(
      `pads by auto_pad with strides, which depends on the open size ${size.text}`,
      'export with a fixed size or explicit pads',
    );
  }
  const steps = typeof size === 'number' ? (Math.ceil(size / stride) - 1) * stride - size : -1;
  const total = Math.max(0, steps + field);
  const less = Math.floor(total / 2);
  return upper ? [less, total - less] : [total - less, less];
}

/** @param kernelOfWeight height and width of the filter, where there is one */
function windowOf(node: GraphNode, to: Lowering, kernelOfWeight?: readonly number[]): Window {
  const [kernelH = 1, kernelW = 1] = intsAttribute(node, 'kernel_shape') ?? kernelOfWeight ?? [];
  const [strideH = 1, strideW = 1] = intsAttribute(node, 'strides') ?? [];
  const [dilationH = 1, dilationW = 1] = intsAttribute(node, 'dilations') ?? [];
  const given = intsAttribute(node, 'pads') ?? [0, 0, 0, 0];
  let [top = 0, left = 0, bottom = 0, right = 0] = given;
  const auto = stringAttribute(node, 'auto_pad', 'NOTSET');
  if (auto === 'VALID') [top, left, bottom, right] = [0, 0, 0, 0];
  if (auto.startsWith('SAME')) {
    const [, , height = 1, width = 1] = to.dims(node.inputs[0]!);
    const upper = auto === 'SAME_UPPER';
    [top, bottom] = samePads(height, kernelH, strideH, dilationH, upper);
    [left, right] = samePads(width, kernelW, strideW, dilationW, upper);
  }
  return {
    kernel: [kernelH, kernelW],
    strides: [strideH, strideW],
    pads: [top, left, bottom, right],
    dilations: [dilationH, dilationW],
  };
}

/** The activation that onnxruntime has fused into a node. */
export function fusedActivation(node: GraphNode): Epilogue {
  const activation = stringAttribute(node, 'activation', '');
  // FusedConv has a list, FusedGemm an attribute each.
  const [first = 0, second = 0] = floatsAttribute(node, 'activation_params') ?? [
    floatAttribute(node, 'activation_alpha', 0),
    floatAttribute(node, 'activation_beta', 0),
  ];
  switch (activation) {
    case '':
      return epilogue();
    case 'Relu':
      return epilogue({ activation: 'relu' });
    case 'Clip':
      return epilogue({ activation: 'clip', alpha: first, beta: second });
    case 'HardSigmoid':
      return epilogue({ activation: 'hardSigmoid', alpha: first, beta: second });
    case 'LeakyRelu':
      return epilogue({ activation: 'leakyRelu', alpha: first });
    case 'Sigmoid':
      return epilogue({ activation: 'sigmoid' });
    case 'Tanh':
      return epilogue({ activation: 'tanh' });
    default:
      throw new UnsupportedNode(`has the activation ${activation}`, 'plan without fusion');
  }
}

function conv(node: GraphNode, to: Lowering): void {
  const [, weightName, biasName, addedName] = node.inputs;
  const filter = to.constant(weightName);
  if (!filter || filter.dtype !== 'float32' || filter.dims.length !== 4) {
    throw new UnsupportedNode(
      filter ? `has a filter ${filter.dtype}[${filter.dims.join(',')}]` : 'has a computed filter',
      'use a constant f32 filter of 4 dimensions',
    );
  }
  const [outChannels = 0, perGroup = 0, kernelH = 1, kernelW = 1] = filter.dims;
  const group = intAttribute(node, 'group', 1);
  const inChannels = perGroup * group;
  const biasValues = biasName ? to.constantFloats(biasName) : new Float32Array(outChannels);
  if (!biasValues) throw new UnsupportedNode('has a computed bias', 'use a constant bias');
  const added = addedName !== undefined && addedName !== '';
  const activation = fusedActivation(node);
  const attributes: OpAttributes['Conv'] = {
    ...windowOf(node, to, [kernelH, kernelW]),
    group,
    inChannels,
    outChannels,
    epilogue: added ? epilogue() : activation,
  };
  const depthwise = group > 1 && group === inChannels && outChannels === inChannels;
  const weight = to.weight(
    weightName!,
    depthwise
      ? { kind: 'depthwise', constant: filter, scale: undefined }
      : { kind: 'filter', constant: filter, group, scale: undefined },
  );
  const bias = to.weight(biasName ? biasName : `${node.name}/bias`, {
    kind: 'bias',
    values: biasValues,
    group: depthwise ? 1 : group,
  });
  const op = depthwise ? 'DepthwiseConv' : 'Conv';
  channelsLast(node, to, (input, output) => {
    if (!added) {
      to.add(op, node, [input, weight, bias], [output], attributes);
      return;
    }
    const dims = to.dims(output);
    const other = to.temporary(`${addedName}/nhwc`, 'float32', dims);
    to.add('Transpose', node, [addedName], [other], { permutation: toChannelsLast });
    const sum = to.temporary(`${node.name}/conv`, 'float32', dims);
    to.add(op, node, [input, weight, bias], [sum], attributes);
    to.add('Binary', node, [sum, other], [output], { kind: 'add', epilogue: activation });
  });
}

function pool(kind: 'MaxPool' | 'AveragePool'): Lower {
  return (node, to) => {
    if ((node.outputs[1] ?? '') !== '') {
      throw new UnsupportedNode('gives indices', 'use the first output of MaxPool only');
    }
    const window = { ...windowOf(node, to), ceilMode: intAttribute(node, 'ceil_mode', 0) === 1 };
    const countIncludePad = intAttribute(node, 'count_include_pad', 0) === 1;
    channelsLast(node, to, (input, output) => {
      if (kind === 'MaxPool') to.add('MaxPool', node, [input], [output], window);
      else to.add('AveragePool', node, [input], [output], { ...window, countIncludePad });
    });
  };
}

function globalAveragePool(node: GraphNode, to: Lowering): void {
  channelsLast(node, to, (input, output) => {
    to.add('GlobalAveragePool', node, [input], [output], {});
  });
}

function globalMaxPool(node: GraphNode, to: Lowering): void {
  channelsLast(node, to, (input, output) => {
    to.add('Reduce', node, [input], [output], { kind: 'max', keepDims: true, axes: [1, 2] });
  });
}

/** Batch normalisation that no convolution could take in: a filter of one pixel. */
function batchNormalization(node: GraphNode, to: Lowering): void {
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

export const convolution: Record<string, Lower> = {
  Conv: conv,
  'com.microsoft.FusedConv': conv,
  MaxPool: pool('MaxPool'),
  AveragePool: pool('AveragePool'),
  GlobalAveragePool: globalAveragePool,
  GlobalMaxPool: globalMaxPool,
  BatchNormalization: batchNormalization,
};
