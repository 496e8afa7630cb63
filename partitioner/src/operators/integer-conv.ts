import {
  elementCount,
  mostDepthwiseWeights,
  packedChannels,
  paddedDepth,
  type DTypeName,
} from '@canopy/protocol';
import { integerBytes } from '../cost/memory/integer.js';
import { imageOf, tapsInside } from '../cost/work/convolution.js';
import {
  columnsWork,
  integerDepthwiseWork,
  integerRowsWork,
  packingWork,
  windowsWork,
} from '../cost/work/integer-operators.js';
import { type GraphNode, intAttribute } from '../graph/graph.js';
import { fixedSizes } from '../graph/lower/columns.js';
import { Compute } from '../graph/lower/compute.js';
import { factorsOf, packedIntegers } from '../graph/lower/integers.js';
import { type Lower, type Lowering, UnsupportedNode } from '../graph/lower/lowering.js';
import { channelsLast, toChannelsLast, windowOf } from '../graph/lower/window.js';
import { eachImage } from '../graph/rows/rule.js';
import { convShape } from '../graph/shapes/convolution.js';
import { parameters, type IntegerProduct } from './integer-product.js';
import type { ModelOperator, NodeAt, OperatorFamily } from './operator.js';

const bytes: readonly DTypeName[] = ['int8', 'uint8'];

/** A convolution of images `a` with filters `b`. */
function convolution(node: GraphNode, to: Lowering, product: IntegerProduct): void {
  const { b } = product;
  to.requireType(b, ...bytes);
  const rank = to.rank(b);
  if (rank !== 3 && rank !== 4) {
    throw new UnsupportedNode(`has filters of ${rank - 2} dimensions`, 'use one or two');
  }
  const [outChannels = 0, perGroup = 0, ...kernel] = fixedSizes(to.dims(b));
  const group = intAttribute(node, 'group', 1);
  const filter = to.constant(b);
  const pixels = elementCount(kernel);
  const k = pixels * perGroup;
  const n = outChannels / group;
  let weight: string;
  if (filter) {
    const constant = packedIntegers(filter, group, k, n, (g, row, column) => {
      const [pixel, channel] = [Math.floor(row / perGroup), row % perGroup];
      return ((g * n + column) * perGroup + channel) * pixels + pixel;
    });
    weight = to.weight(b, { kind: 'plain', constant });
  } else weight = new Compute(node, to).transpose(b, toChannelsLast(rank));
  const rest = parameters(to, product);
  const attributes = {
    ...windowOf(node, to, kernel),
    to: to.dtype(node.outputs[0]!),
    unsigned: filter?.dtype === 'uint8',
    packed: filter !== undefined,
    group,
    inChannels: perGroup * group,
    outChannels,
  };
  const run = (image: string, output: string): void => {
    to.add('IntegerConv', node, [image, weight, ...rest], [output], attributes);
  };
  if (intAttribute(node, 'channels_last', 0) === 1) run(node.inputs[0]!, node.outputs[0]!);
  else channelsLast(node, to, run, bytes);
}

const convInteger: Lower = (node, to) => {
  const [a, b, aZero, bZero] = node.inputs as [string, string, string?, string?];
  convolution(node, to, { a, b, aZero, bZero });
};

const qLinearConv: Lower = (node, to) => {
  const [a, aScale, aZero, b, bScale, bZero, scale, resultZero, bias] = node.inputs as string[] &
    Record<0 | 1 | 2 | 3 | 4 | 5 | 6 | 7, string>;
  const factors = factorsOf(node, to, aScale, bScale, scale);
  convolution(node, to, { a, b, aZero, bZero, bias, factors, resultZero });
};

/** Depth of a product, its columns, and its rows in all groups. */
function sizesOf({ attributes, outputs }: NodeAt<'IntegerConv'>) {
  const { kernel, group, inChannels, outChannels } = attributes;
  const depth = kernel[0] * kernel[1] * (inChannels / group);
  const pixels = elementCount(outputs[0]!) / Math.max(1, outChannels);
  return { depth, columns: outChannels / group, pixels };
}

function isDepthwise(node: NodeAt<'IntegerConv'>): boolean {
  const { group, inChannels, outChannels } = node.attributes;
  const isEach = group === inChannels && group === outChannels;
  return isEach && sizesOf(node).depth * group <= mostDepthwiseWeights;
}

const quantizedConvolution: ModelOperator = {
  shape: convShape(3, 8, (op) => op.dtype(7)),
  lower: qLinearConv,
  types: bytes,
  limits: 'of one or two dimensions',
};

export const integerConvFamily: OperatorFamily = {
  model: {
    ConvInteger: {
      shape: convShape(1, undefined, () => 'int32'),
      lower: convInteger,
      types: bytes,
      limits: 'of one or two dimensions',
    },
    QLinearConv: quantizedConvolution,
    'com.microsoft.QLinearConv': quantizedConvolution,
  },
  program: {
    IntegerConv: {
      rows: (step) =>
        step.inputs.slice(1).every(({ kind }) => kind === 'none') ? eachImage(step) : undefined,
      work: (node) => {
        const { depth, columns, pixels } = sizesOf(node);
        const { group, packed, to, kernel, dilations, inChannels } = node.attributes;
        const parameters = columnsWork(columns * group);
        if (isDepthwise(node)) {
          const image = imageOf(node.inputs[0]!, node.outputs[0]!);
          const taps = tapsInside(node.attributes, image);
          return [parameters, ...integerDepthwiseWork(to, pixels, taps, depth, group)];
        }
        const isRun = group === 1 && dilations[1] === 1;
        const [lines, run] = isRun
          ? [kernel[0], kernel[1] * inChannels]
          : [kernel[0] * kernel[1], inChannels / group];
        return [
          windowsWork(pixels * group, lines, run),
          ...integerRowsWork(to, pixels, depth, columns, group),
          parameters,
          ...(packed ? [] : [packingWork(elementCount(node.inputs[1]!))]),
        ];
      },
      multiplyAdds: (node) => elementCount(node.outputs[0]!) * sizesOf(node).depth,
      temporaries: (node) => {
        const { depth, columns, pixels } = sizesOf(node);
        const { group, packed } = node.attributes;
        if (isDepthwise(node)) {
          return [
            ...integerBytes('int8', 1, depth, group),
            packedChannels(group) * 16,
            depth * Math.ceil(group / 8) * 16,
          ];
        }
        const four = Math.ceil(columns / 4) * 4 * group;
        return [
          ...integerBytes('int8', pixels, depth, columns),
          four * 16,
          ...(packed ? [] : [paddedDepth(depth, 16) * four]),
        ];
      },
    },
  },
};
