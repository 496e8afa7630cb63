import { elementCount, GridMode, GridPadding } from '@canopy/protocol';
import { plainWork } from '../cost/work/work.js';
import { type GraphNode, intAttribute, stringAttribute } from '../graph/graph.js';
import { type Lowering, UnsupportedNode } from '../graph/lower/lowering.js';
import { along, none } from '../graph/rows/rows.js';
import { type RowRule, sameRows } from '../graph/rows/rule.js';
import type { Rule } from '../graph/shapes/operation.js';
import type { OperatorFamily } from './operator.js';

const shape: Rule = (op) => [
  { dtype: op.dtype(0), dims: [...op.dims(0).slice(0, 2), ...op.dims(1).slice(1, -1)] },
];

function lower(node: GraphNode, to: Lowering): void {
  const [x, grid] = node.inputs as [string, string];
  // Names of before operator set 20.
  const given = stringAttribute(node, 'mode', 'linear');
  const mode = given.replace(/^bi/, '');
  const padding = stringAttribute(node, 'padding_mode', 'zeros');
  if (!Object.hasOwn(GridMode, mode) || !Object.hasOwn(GridPadding, padding)) {
    throw new UnsupportedNode(`has the mode ${given}, padding ${padding}`, 'use those of ONNX');
  }
  const rank = to.rank(x);
  if (rank !== 4 && (rank !== 5 || mode === 'cubic')) {
    throw new UnsupportedNode(
      `samples ${mode} in ${rank} dimensions`,
      'use 4, or 5 with another mode than cubic',
    );
  }
  to.add('GridSample', node, [x, grid], [node.outputs[0]!], {
    mode: mode as keyof typeof GridMode,
    padding: padding as keyof typeof GridPadding,
    alignCorners: intAttribute(node, 'align_corners', 0) === 1,
  });
}

/** Each image with the places of its own. */
const rows: RowRule<'GridSample'> = ({ inputs: [x, grid] }) => {
  if (x?.kind !== 'along' && grid?.kind !== 'along') return none;
  if (x?.kind !== 'along' || grid?.kind !== 'along') return undefined;
  return x.axis === 0 && sameRows(x, grid) ? along(0, x.outer, x.inner) : undefined;
};

export const gridSampleFamily: OperatorFamily = {
  model: {
    GridSample: {
      shape,
      lower,
      types: ['float32'],
      limits: 'images of 4 dimensions, or 5 unless cubic',
    },
  },
  program: {
    GridSample: {
      rows,
      work: ({ attributes, inputs, outputs }) => {
        const spatial = inputs[1]!.at(-1)!;
        const places = elementCount(inputs[1]!) / Math.max(1, spatial);
        const taps = { nearest: 1, linear: 2, cubic: 4 }[attributes.mode];
        const each = 30 + taps * 20 * (spatial === 2 ? 1 + taps : 1 + taps + taps * taps);
        return plainWork(places * spatial * (60 + 60 * taps) + elementCount(outputs[0]!) * each);
      },
    },
  },
};
