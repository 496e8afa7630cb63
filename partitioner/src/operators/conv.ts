import { elementCount, linearBlockRows, type OpAttributes } from '@canopy/protocol';
import { linearBytes, panelBytes, vectorBytes } from '../cost/memory/blocks.js';
import { convWork, depthwiseWork, imageOf } from '../cost/work/convolution.js';
import { epilogueWork } from '../cost/work/elementwise.js';
import type { Constant } from '../graph/constant.js';
import { type GraphNode, intAttribute } from '../graph/graph.js';
import {
  channelBias,
  fixedSizes,
  kernelCount,
  reshaped,
  windowWords,
} from '../graph/lower/columns.js';
import { fusedActivation } from '../graph/lower/fused-activation.js';
import { epilogue, type Lowering, UnsupportedNode } from '../graph/lower/lowering.js';
import { channelsLast, spatialWindow, toChannelsLast, windowOf } from '../graph/lower/window.js';
import { eachImage } from '../graph/rows/rule.js';
import { product as dimProduct } from '../graph/shapes/dim.js';
import { convShape } from '../graph/shapes/convolution.js';
import { plainWork } from '../cost/work/work.js';
import type { ModelOperator, NodeAt, OperatorFamily } from './operator.js';

/** Filters that kernels take: constant, over one or two dimensions. */
function packable(filter: Constant | undefined): filter is Constant {
  return filter?.dtype === 'float32' && (filter.dims.length === 3 || filter.dims.length === 4);
}

function lower(node: GraphNode, to: Lowering): void {
  const [, weightName, biasName] = node.inputs;
  const filter = to.constant(weightName);
  const biasValues = biasName ? to.constantFloats(biasName) : new Float32Array(0);
  if (packable(filter) && biasValues) lowerPacked(node, to, filter, biasValues);
  else lowerColumns(node, to);
}

function lowerPacked(
  node: GraphNode,
  to: Lowering,
  filter: Constant,
  biasValues: Float32Array,
): void {
  const [, weightName, biasName, addedName] = node.inputs;
  const [outChannels = 0, perGroup = 0, ...kernel] = filter.dims;
  const group = intAttribute(node, 'group', 1);
  const inChannels = perGroup * group;
  const added = addedName !== undefined && addedName !== '';
  const activation = fusedActivation(node);
  const attributes: OpAttributes['Conv'] = {
    ...windowOf(node, to, kernel),
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
    values: biasName ? biasValues : new Float32Array(outChannels),
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
    to.add('Transpose', node, [addedName], [other], { permutation: toChannelsLast(dims.length) });
    const sum = to.temporary(`${node.name}/conv`, 'float32', dims);
    to.add(op, node, [input, weight, bias], [sum], attributes);
    to.add('Binary', node, [sum, other], [output], { kind: 'add', epilogue: activation });
  });
}

/** Any other convolution is a product of its filter and the columns of what each window covers. */
function lowerColumns(node: GraphNode, to: Lowering): void {
  const [input, weight, bias, added] = node.inputs as [string, string, string?, string?];
  to.requireType(input, 'float32');
  const [outChannels, perGroup, ...kernel] = to.dims(weight);
  const group = intAttribute(node, 'group', 1);
  if (typeof outChannels !== 'number' || typeof perGroup !== 'number') {
    throw new UnsupportedNode('has a filter of an open number of channels', 'fix it in the model');
  }
  const window = spatialWindow(node, to, fixedSizes(kernel));
  const depth = perGroup * kernelCount(window);
  const [batch] = to.dims(input);
  const [, , ...positions] = to.dims(node.outputs[0]!);
  const columns = to.temporary(`${node.name}/columns`, 'float32', [
    batch!,
    group,
    depth,
    dimProduct(positions),
  ]);
  const shape = to.temporary(`${node.name}/shape`, 'int64', [positions.length + 2]);
  to.add('Im2Col', node, [input], [columns, shape], {
    group,
    outChannels,
    window: windowWords(window),
  });
  const matrix = reshaped(node, to, weight, [group, outChannels / group, depth]);
  const product = to.temporary(`${node.name}/product`, 'float32', [
    batch!,
    group,
    outChannels / group,
    dimProduct(positions),
  ]);
  to.add('MatMul', node, [matrix, columns], [product], { transA: false, transB: false, alpha: 1 });
  const activation = fusedActivation(node);
  const steps = [added ?? '', ...channelBias(node, to, bias, positions.length)].filter(Boolean);
  const name = (left: number): string =>
    left === 0
      ? node.outputs[0]!
      : to.temporary(`${node.name}/sum`, 'float32', to.dims(node.outputs[0]!));
  let result = name(steps.length);
  to.add('Reshape', node, [product, shape], [result], { allowZero: true });
  while (steps.length > 0) {
    const sum = name(steps.length - 1);
    to.add('Binary', node, [result, steps.pop()!], [sum], {
      kind: 'add',
      epilogue: steps.length === 0 ? activation : epilogue(),
    });
    result = sum;
  }
}

const conv: ModelOperator = {
  shape: convShape(1, 2, (op) => op.dtype(0)),
  lower,
  types: ['float32'],
};

/** An operation on images that go through a filter. */
function products({ attributes, outputs }: NodeAt<'Conv' | 'DepthwiseConv'>): number {
  const { kernel, inChannels, group } = attributes;
  return elementCount(outputs[0]!) * kernel[0] * kernel[1] * (inChannels / group);
}

/** Rows of an image's block in Conv and DepthwiseConv. */
function imageRows(height: number, width: number, channels: number): number {
  return Math.max(1, Math.min(height, Math.floor(linearBlockRows(channels) / width)));
}

function convBytes({ attributes, inputs, outputs }: NodeAt<'Conv'>): number[] {
  const { inChannels, outChannels, group, kernel, strides } = attributes;
  const image = imageOf(inputs[0]!, outputs[0]!);
  const { batch, outHeight: height, outWidth: width } = image;
  const onePixel = [...kernel, ...strides].every((size) => size === 1) && group === 1;
  if (onePixel && image.height === height && image.width === width) {
    return linearBytes(batch * height * width, inChannels, outChannels);
  }
  const rows = imageRows(height, width, inChannels);
  return (outChannels / group) % 4 === 0 ? [] : [rows * width * panelBytes];
}

function depthwiseBytes({ attributes, inputs, outputs }: NodeAt<'DepthwiseConv'>): number[] {
  const { outHeight: height, outWidth: width } = imageOf(inputs[0]!, outputs[0]!);
  const { inChannels } = attributes;
  return inChannels % 4 === 0 ? [] : [imageRows(height, width, inChannels) * width * vectorBytes];
}

export const convFamily: OperatorFamily = {
  model: {
    Conv: conv,
    'com.microsoft.FusedConv': conv,
  },
  program: {
    Conv: {
      rows: eachImage,
      work: ({ attributes, inputs, outputs }) => [
        ...convWork(attributes, imageOf(inputs[0]!, outputs[0]!)),
        ...epilogueWork(attributes.epilogue, elementCount(outputs[0]!)),
      ],
      multiplyAdds: products,
      temporaries: convBytes,
    },
    DepthwiseConv: {
      rows: eachImage,
      work: ({ attributes, inputs, outputs }) => [
        ...depthwiseWork(attributes, imageOf(inputs[0]!, outputs[0]!)),
        ...epilogueWork(attributes.epilogue, elementCount(outputs[0]!)),
      ],
      multiplyAdds: products,
      temporaries: depthwiseBytes,
    },
    Im2Col: {
      rows: ({ first, outputIndex }) => {
        if (first.kind !== 'along') return first;
        if (first.axis !== 0) return undefined;
        return outputIndex === 0 ? first : { kind: 'count' };
      },
      work: ({ outputs }) => {
        const [columns] = outputs as [readonly number[]];
        const width = Math.max(1, columns[3]!);
        return plainWork(elementCount(columns) * 4 + (elementCount(columns) / width) * 300);
      },
    },
  },
};
