import { dtypeBytes, elementCount, PadMode } from '@canopy/protocol';
import { copyWork } from '../cost/work/strided.js';
import { type GraphNode, stringAttribute } from '../graph/graph.js';
import { type Lowering, UnsupportedNode } from '../graph/lower/lowering.js';
import type { RowRule } from '../graph/rows/rule.js';
import { add, sum } from '../graph/shapes/dim.js';
import { fromFront } from '../graph/shapes/facts.js';
import type { Rule } from '../graph/shapes/operation.js';
import type { OperatorFamily } from './operator.js';

function lower(node: GraphNode, to: Lowering): void {
  const mode = stringAttribute(node, 'mode', 'constant');
  if (!Object.hasOwn(PadMode, mode)) {
    throw new UnsupportedNode(`has the mode ${mode}`, `use ${Object.keys(PadMode).join(', ')}`);
  }
  const pads = to.intsInput(node, 1, 'pads');
  const attribute = node.attributes.get('value');
  const value =
    attribute?.kind === 'float' && attribute.value !== 0
      ? to.floats(`${node.name}/value`, [], [attribute.value])
      : (node.inputs[2] ?? '');
  const inputs = [node.inputs[0]!, pads, value, node.inputs[3] ?? ''];
  while (inputs.at(-1) === '') inputs.pop();
  to.add('Pad', node, inputs, [node.outputs[0]!], { mode: mode as keyof typeof PadMode });
}

/** Pads before each axis, then after each; since operator set 18 only for the axes named. */
const shape: Rule = (op) => {
  const dims = op.dims(0);
  const pads = op.ints('pads') ?? op.facts(1).values;
  const axes = op.has(3) ? op.numbers(3).map((axis) => op.fromFront(axis, dims.length)) : undefined;
  const reflects = op.string('mode', 'constant') === 'reflect';
  const padded = axes ?? dims.map((_, axis) => axis);
  const result = dims.map((dim, axis) => {
    const at = padded.indexOf(axis);
    if (at < 0) return dim;
    const [before, after] = [pads?.[at], pads?.[at + padded.length]];
    for (const size of reflects ? [before, after] : []) {
      if (size === undefined || size === 0) continue;
      const what = {
        left: `dimension ${axis} of its input`,
        right: 'so that there is enough to reflect',
      };
      op.requireAtLeast(dim, add(size, 1), what);
    }
    return before === undefined || after === undefined
      ? op.open(0, axis)
      : sum([dim, before, after]);
  });
  return [{ dtype: op.dtype(0), dims: result }];
};

const rows: RowRule<'Pad'> = ({ first: data, inputs: [, , value], elements, dims, has }) => {
  if (value && value.kind !== 'none') return undefined;
  if (data.kind !== 'along') return data;
  const rank = dims(0).length;
  const pads = elements(1);
  const axes = has(3) ? elements(3) : undefined;
  if (has(3) && !axes?.every((axis) => typeof axis === 'number')) return undefined;
  const padded = axes?.map((axis) => fromFront(Number(axis), rank));
  const at = padded ? padded.indexOf(data.axis) : data.axis;
  if (at < 0) return data;
  return pads?.[at] === 0 && pads[at + (padded?.length ?? rank)] === 0 ? data : undefined;
};

export const padFamily: OperatorFamily = {
  model: {
    Pad: {
      shape,
      lower,
      types: ['any'],
    },
  },
  program: {
    Pad: {
      rows,
      sizeInputs: [1, 3],
      work: ({ outputs, dtypes }) => {
        const [output] = outputs as [readonly number[]];
        const rowCount = elementCount(output.slice(0, -1));
        return copyWork('strided', rowCount, output.at(-1)! * dtypeBytes(dtypes[0]!));
      },
    },
  },
};
