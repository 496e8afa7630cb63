import type { DTypeName } from '@canopy/protocol';
import { imageOf, poolWork } from '../cost/work/convolution.js';
import type { Work } from '../cost/work/work.js';
import { type GraphNode, intAttribute } from '../graph/graph.js';
import { type Lower, type Lowering, UnsupportedNode } from '../graph/lower/lowering.js';
import { channelsLast, windowOf } from '../graph/lower/window.js';
import type { Window } from '../graph/program.js';
import { eachImage } from '../graph/rows/rule.js';
import { globalPoolShape, poolShape } from '../graph/shapes/convolution.js';
import type { NodeAt, OperatorFamily } from './operator.js';

function lower(kind: 'MaxPool' | 'AveragePool'): Lower {
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

const images = 'images [batch, channels, height, width]';
const padded = `${images}; auto_pad SAME_* with strides only of fixed sizes`;
const types: readonly DTypeName[] = ['float32'];

function windowWork(
  kernel: 'maxPool' | 'averagePool',
  node: NodeAt<'MaxPool' | 'AveragePool'>,
): Work[] {
  const [input, output] = [node.inputs[0]!, node.outputs[0]!];
  return poolWork(kernel, node.attributes, imageOf(input, output), output[3]!);
}

/** All pixels in one window. */
function globalWork({ inputs }: NodeAt<'GlobalAveragePool'>): Work[] {
  const [batch = 1, height = 1, width = 1, channels = 1] = inputs[0]!;
  const window: Window = {
    kernel: [1, height * width],
    strides: [1, 1],
    pads: [0, 0, 0, 0],
    dilations: [1, 1],
  };
  const image = { batch, height: 1, width: height * width, outHeight: 1, outWidth: 1 };
  return poolWork('averagePool', window, image, channels);
}

export const poolFamily: OperatorFamily = {
  model: {
    MaxPool: {
      shape: poolShape,
      lower: lower('MaxPool'),
      types,
      limits: `first output only; ${padded}`,
    },
    AveragePool: { shape: poolShape, lower: lower('AveragePool'), types, limits: padded },
    GlobalAveragePool: { shape: globalPoolShape, lower: globalAveragePool, types, limits: images },
    GlobalMaxPool: { shape: globalPoolShape, lower: globalMaxPool, types, limits: images },
  },
  program: {
    MaxPool: { rows: eachImage, work: (node) => windowWork('maxPool', node) },
    AveragePool: { rows: eachImage, work: (node) => windowWork('averagePool', node) },
    GlobalAveragePool: { rows: eachImage, work: globalWork },
  },
};
