import { elementCount, linearBlockRows, type OpAttributes } from '@canopy/protocol';
import { linearBytes, panelBytes, vectorBytes } from '../cost/memory/blocks.js';
import { convWork, depthwiseWork, imageOf } from '../cost/work/convolution.js';
import { epilogueWork } from '../cost/work/elementwise.js';
import { type GraphNode, intAttribute } from '../graph/graph.js';
import { fusedActivation } from '../graph/lower/fused-activation.js';
import { epilogue, type Lowering, UnsupportedNode } from '../graph/lower/lowering.js';
import { channelsLast, toChannelsLast, windowOf } from '../graph/lower/window.js';
import { eachImage } from '../graph/rows/rule.js';
import { convShape } from '../graph/shapes/convolution.js';
import type { ModelOperator, NodeAt, OperatorFamily } from './operator.js';

function lower(node: GraphNode, to: Lowering): void {
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

const limits =
  'constant filter of 4 dimensions, constant bias; images [batch, channels, height, width]; ' +
  'auto_pad SAME_* with strides only of fixed sizes';

const conv: ModelOperator = {
  shape: convShape(1, 2, (op) => op.dtype(0)),
  lower,
  types: ['float32'],
  limits,
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
  const [batch = 1, height = 1, width = 1] = outputs[0]!;
  const onePixel = [...kernel, ...strides].every((size) => size === 1) && group === 1;
  const [, givenHeight, givenWidth] = inputs[0]!;
  if (onePixel && givenHeight === height && givenWidth === width) {
    return linearBytes(batch * height * width, inChannels, outChannels);
  }
  const rows = imageRows(height, width, inChannels);
  return (outChannels / group) % 4 === 0 ? [] : [rows * width * panelBytes];
}

function depthwiseBytes({ attributes, outputs }: NodeAt<'DepthwiseConv'>): number[] {
  const [, height = 1, width = 1] = outputs[0]!;
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
  },
};
