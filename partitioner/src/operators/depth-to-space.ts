import type { DTypeName } from '@canopy/protocol';
import { stridedWork } from '../cost/work/strided.js';
import type { Work } from '../cost/work/work.js';
import { intAttribute, stringAttribute } from '../graph/graph.js';
import { sameInputs } from '../graph/lower/same-inputs.js';
import { eachImage } from '../graph/rows/rule.js';
import { floorDivide, multiply } from '../graph/shapes/dim.js';
import type { Rule } from '../graph/shapes/operation.js';
import type { OperatorFamily } from './operator.js';

const depthToSpace: Rule = (op) => {
  const [batch, channels, height, width] = op.dims(0);
  const block = op.int('blocksize', 1);
  const depth = floorDivide(channels!, block * block);
  const dims = [batch!, depth, multiply(height!, block), multiply(width!, block)];
  return [{ dtype: op.dtype(0), dims }];
};

const spaceToDepth: Rule = (op) => {
  const [batch, channels, height, width] = op.dims(0);
  const block = op.int('blocksize', 1);
  const depth = multiply(channels!, block * block);
  const dims = [batch!, depth, floorDivide(height!, block), floorDivide(width!, block)];
  return [{ dtype: op.dtype(0), dims }];
};

/** Elements one by one, as in a transposition. */
function movedWork(output: readonly number[], dtype: DTypeName): Work[] {
  const [batch = 1, channels = 1, height = 1, width = 1] = output;
  return stridedWork([batch * channels * height, width], [width, 2], dtype);
}

export const depthToSpaceFamily: OperatorFamily = {
  model: {
    DepthToSpace: {
      shape: depthToSpace,
      lower: sameInputs('DepthToSpace', (node) => ({
        block: intAttribute(node, 'blocksize', 1),
        columns: stringAttribute(node, 'mode', 'DCR') === 'CRD',
      })),
      types: ['any'],
    },
    SpaceToDepth: {
      shape: spaceToDepth,
      lower: sameInputs('SpaceToDepth', (node) => ({ block: intAttribute(node, 'blocksize', 1) })),
      types: ['any'],
    },
  },
  program: {
    DepthToSpace: {
      rows: eachImage,
      work: ({ outputs, dtypes }) => movedWork(outputs[0]!, dtypes[0]!),
    },
    SpaceToDepth: {
      rows: eachImage,
      work: ({ outputs, dtypes }) => movedWork(outputs[0]!, dtypes[0]!),
    },
  },
};
