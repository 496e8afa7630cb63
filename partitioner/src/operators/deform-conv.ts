import { elementCount, type OpAttributes } from '@canopy/protocol';
import { plainWork } from '../cost/work/work.js';
import { type GraphNode, intAttribute } from '../graph/graph.js';
import {
  channelBias,
  fixedSizes,
  kernelCount,
  reshaped,
  windowWords,
} from '../graph/lower/columns.js';
import { Compute } from '../graph/lower/compute.js';
import { type Lowering, UnsupportedNode } from '../graph/lower/lowering.js';
import { spatialWindow } from '../graph/lower/window.js';
import { none } from '../graph/rows/rows.js';
import { type RowRule, sameRows } from '../graph/rows/rule.js';
import { convShape } from '../graph/shapes/convolution.js';
import { product } from '../graph/shapes/dim.js';
import type { OperatorFamily } from './operator.js';

/** X, filter, offsets, bias, factors: a product of the filter and columns of what the taps meet. */
function lower(node: GraphNode, to: Lowering): void {
  const [x, weight, offset, bias, mask = ''] = node.inputs as [
    string,
    string,
    string,
    string?,
    string?,
  ];
  const [outChannels, perGroup, ...kernel] = fixedSizes(to.dims(weight)) as [number, number];
  if (to.rank(x) !== 4) {
    throw new UnsupportedNode(
      `works on ${to.rank(x)} dimensions`,
      'use [batch, channels, height, width]',
    );
  }
  const group = intAttribute(node, 'group', 1);
  const window = spatialWindow(node, to, kernel);
  const depth = perGroup * kernelCount(window);
  const output = node.outputs[0]!;
  const [batch, , ...positions] = to.dims(output);
  const compute = new Compute(node, to);
  const pixels = product(positions);
  const columns = to.temporary(`${node.name}/columns`, 'float32', [batch!, group, depth, pixels]);
  const inputs = mask === '' ? [x, offset] : [x, offset, mask];
  const attributes: OpAttributes['DeformIm2Col'] = {
    group,
    offsetGroups: intAttribute(node, 'offset_group', 1),
    window: windowWords(window),
  };
  to.add('DeformIm2Col', node, inputs, [columns], attributes);
  const matrix = reshaped(node, to, weight, [group, outChannels / group, depth]);
  const products = compute.matMul(matrix, columns);
  const shape = compute.sizes(compute.shapeOf(x, 0, 1), outChannels, compute.shapeOf(offset, 2, 4));
  const [added] = channelBias(node, to, bias, 2);
  const image = compute.reshapeTo(products, shape, to.dims(output), added ? undefined : output);
  if (added) compute.binary('add', image, added, output);
}

/** Each image with the offsets and factors of its own. */
const rows: RowRule<'DeformIm2Col'> = ({ inputs, has }) => {
  const [first = none] = inputs;
  if (inputs.every(({ kind }) => kind === 'none')) return none;
  if (first.kind !== 'along' || first.axis !== 0) return undefined;
  const same = [1, 2].every((input) => {
    const own = inputs[input] ?? none;
    return !has(input) || (own.kind === 'along' && sameRows(own, first));
  });
  return same ? first : undefined;
};

export const deformConvFamily: OperatorFamily = {
  model: {
    DeformConv: {
      shape: convShape(1, 3, (op) => op.dtype(0)),
      lower,
      types: ['float32'],
      limits: 'images of two dimensions; filter of fixed sizes',
    },
  },
  program: {
    DeformIm2Col: {
      rows,
      work: ({ inputs, outputs }) => {
        const places = elementCount(inputs[1]!) / 2;
        return plainWork(elementCount(outputs[0]!) * 83 + places * 930);
      },
    },
  },
};
