import { elementCount } from '@canopy/protocol';
import { plainWork } from '../cost/work/work.js';
import {
  floatAttribute,
  type GraphNode,
  intAttribute,
  intsAttribute,
  stringAttribute,
} from '../graph/graph.js';
import { type Lowering, UnsupportedNode } from '../graph/lower/lowering.js';
import { mixing } from '../graph/rows/rule.js';
import type { Rule } from '../graph/shapes/operation.js';
import type { OperatorFamily } from './operator.js';

const roiAlignShape: Rule = (op) => {
  const [boxes, channels] = [op.dims(1)[0]!, op.dims(0)[1]!];
  const dims = [boxes, channels, op.int('output_height', 1), op.int('output_width', 1)];
  return [{ dtype: op.dtype(0), dims }];
};

function roiAlign(node: GraphNode, to: Lowering): void {
  const mode = stringAttribute(node, 'mode', 'avg');
  const places = stringAttribute(
    node,
    'coordinate_transformation_mode',
    to.opset < 16 ? 'output_half_pixel' : 'half_pixel',
  );
  if (!['avg', 'max'].includes(mode) || !['half_pixel', 'output_half_pixel'].includes(places)) {
    throw new UnsupportedNode(`has the mode ${mode}, ${places}`, 'use those of ONNX');
  }
  to.add('RoiAlign', node, node.inputs.slice(0, 3), [node.outputs[0]!], {
    height: intAttribute(node, 'output_height', 1),
    width: intAttribute(node, 'output_width', 1),
    samples: intAttribute(node, 'sampling_ratio', 0),
    scale: floatAttribute(node, 'spatial_scale', 1),
    halfPixel: places === 'half_pixel',
    largest: mode === 'max',
  });
}

const maxRoiPoolShape: Rule = (op) => {
  const [height, width] = op.ints('pooled_shape') ?? [];
  if (height === undefined || width === undefined) throw op.badModel('has no pooled_shape');
  return [{ dtype: op.dtype(0), dims: [op.dims(1)[0]!, op.dims(0)[1]!, height, width] }];
};

function maxRoiPool(node: GraphNode, to: Lowering): void {
  const [height, width] = intsAttribute(node, 'pooled_shape') as [number, number];
  const scale = floatAttribute(node, 'spatial_scale', 1);
  to.add('MaxRoiPool', node, node.inputs, [node.outputs[0]!], { height, width, scale });
}

/** Samples, or pixels, of a bin where the size of boxes is not known. */
const typicalSamples = 4;

export const regionsFamily: OperatorFamily = {
  model: {
    RoiAlign: { shape: roiAlignShape, lower: roiAlign, types: ['float32'] },
    MaxRoiPool: { shape: maxRoiPoolShape, lower: maxRoiPool, types: ['float32'] },
  },
  program: {
    RoiAlign: {
      // Boxes name images by their places among all.
      rows: mixing,
      work: ({ attributes, outputs }) => {
        const samples = attributes.samples === 0 ? typicalSamples : attributes.samples ** 2;
        return plainWork(elementCount(outputs[0]!) * (150 + 445 * samples));
      },
    },
    MaxRoiPool: {
      rows: mixing,
      work: ({ outputs }) => plainWork(elementCount(outputs[0]!) * (200 + 37 * typicalSamples)),
    },
  },
};
