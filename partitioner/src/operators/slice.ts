import { stepsOf, stridedWork } from '../cost/work/strided.js';
import type { GraphNode } from '../graph/graph.js';
import type { Lowering } from '../graph/lower/lowering.js';
import type { RowRule } from '../graph/rows/rule.js';
import { same } from '../graph/shapes/dim.js';
import { fromFront } from '../graph/shapes/facts.js';
import { sliced } from '../graph/shapes/slice.js';
import type { OperatorFamily } from './operator.js';

/** Starts, ends and axes as attributes until operator set 9, as inputs since. */
function lower(node: GraphNode, to: Lowering): void {
  const inputs = [
    node.inputs[0]!,
    to.intsInput(node, 1, 'starts'),
    to.intsInput(node, 2, 'ends'),
    to.intsInput(node, 3, 'axes'),
    node.inputs[4] ?? '',
  ];
  while (inputs.at(-1) === '') inputs.pop();
  to.add('Slice', node, inputs, [node.outputs[0]!], {});
}

/** The axis of the rows is left whole, and bounds along others do not depend on their number. */
const rows: RowRule<'Slice'> = ({ first: data, dims, output, elements, has, counts }) => {
  const rank = dims(0).length;
  const starts = dims(1)[0];
  const axes = has(3)
    ? elements(3)
    : typeof starts === 'number'
      ? [...Array(starts).keys()]
      : undefined;
  if (!axes) return undefined;
  for (const [index, given] of axes.entries()) {
    if (typeof given !== 'number') return undefined;
    const axis = fromFront(given, rank);
    if (data.kind === 'along' && axis === data.axis) {
      const forward = !has(4) || elements(4)?.[index] === 1;
      if (!forward || !same(dims(0)[axis]!, output[axis]!)) return undefined;
      continue;
    }
    const bounds = [elements(1)?.[index], elements(2)?.[index]];
    const known = bounds.every((bound) => bound !== undefined);
    if (known && bounds.some((bound) => counts(bound))) return undefined;
  }
  return data;
};

export const sliceFamily: OperatorFamily = {
  model: {
    Slice: { shape: (op) => [sliced(op)], lower, types: ['any'] },
  },
  program: {
    Slice: {
      rows,
      sizeInputs: [1, 2, 3, 4],
      work: ({ inputs, outputs, dtypes }) =>
        stridedWork(outputs[0]!, stepsOf(inputs[0]!), dtypes[0]!),
    },
  },
};
