import { dtypeBytes, elementCount } from '@canopy/protocol';
import { copyWork } from '../cost/work/strided.js';
import { type GraphNode, stringAttribute } from '../graph/graph.js';
import { type Lowering, UnsupportedNode } from '../graph/lower/lowering.js';
import type { RowRule } from '../graph/rows/rule.js';
import { sum } from '../graph/shapes/dim.js';
import { fromFront } from '../graph/shapes/facts.js';
import type { Rule } from '../graph/shapes/operation.js';
import type { OperatorFamily } from './operator.js';

const modes = ['constant', 'reflect', 'edge', 'wrap'] as const;

/** Pads of all axes, where an input names some of them: 0 for the others. */
function padsOfAll(node: GraphNode, to: Lowering, pads: string): string {
  const rank = to.rank(node.inputs[0]!);
  const axes = to.constantInts(node, 3)?.map((axis) => to.axis(axis, rank));
  if (!axes) throw new UnsupportedNode('has computed axes', 'make its axes constant');
  const given = to.constantInts(node, 1);
  const places = [0, axes.length].flatMap((start) =>
    Array.from({ length: rank }, (_, axis) => {
      const at = axes.indexOf(axis);
      return at < 0 ? undefined : start + at;
    }),
  );
  if (given) {
    const all = places.map((place) => (place === undefined ? 0 : given[place]!));
    return to.ints(`${node.name}/pads`, all);
  }
  // Index 0 of what the pads are gathered from is a 0.
  const zero = to.ints(`${node.name}/zero`, [0]);
  const [list, all] = [2 * axes.length + 1, 2 * rank].map((size) =>
    to.temporary(`${node.name}/pads`, 'int64', [size]),
  ) as [string, string];
  const indices = to.ints(
    `${node.name}/places`,
    places.map((place) => (place === undefined ? 0 : place + 1)),
  );
  to.add('Concat', node, [zero, to.asInt64(node, pads)], [list], { axis: 0 });
  to.add('Gather', node, [list, indices], [all], { axis: 0 });
  return all;
}

function lower(node: GraphNode, to: Lowering): void {
  const name = stringAttribute(node, 'mode', 'constant');
  const mode = modes.find((known) => known === name);
  if (!mode) throw new UnsupportedNode(`has the mode ${name}`, `pad with ${modes.join(', ')}`);
  const given = to.intsInput(node, 1, 'pads');
  const pads = (node.inputs[3] ?? '') === '' ? given : padsOfAll(node, to, given);
  const attribute = node.attributes.get('value');
  const value =
    attribute?.kind === 'float' && attribute.value !== 0
      ? to.floats(`${node.name}/value`, [], [attribute.value])
      : (node.inputs[2] ?? '');
  const inputs = value === '' ? [node.inputs[0]!, pads] : [node.inputs[0]!, pads, value];
  to.add('Pad', node, inputs, [node.outputs[0]!], { mode });
}

/** Pads before each axis, then after each; since operator set 18 only for the axes named. */
const shape: Rule = (op) => {
  const dims = op.dims(0);
  const pads = op.ints('pads') ?? op.facts(1).values;
  const axes = op.has(3) ? op.numbers(3).map((axis) => fromFront(axis, dims.length)) : undefined;
  const padded = axes ?? dims.map((_, axis) => axis);
  const result = dims.map((dim, axis) => {
    const at = padded.indexOf(axis);
    if (at < 0) return dim;
    const [before, after] = [pads?.[at], pads?.[at + padded.length]];
    return before === undefined || after === undefined
      ? op.open(0, axis)
      : sum([dim, before, after]);
  });
  return [{ dtype: op.dtype(0), dims: result }];
};

const rows: RowRule<'Pad'> = ({ first: data, inputs: [, , value], elements, dims }) => {
  if (value && value.kind !== 'none') return undefined;
  if (data.kind !== 'along') return data;
  const rank = dims(0).length;
  const pads = elements(1);
  return pads?.[data.axis] === 0 && pads[data.axis + rank] === 0 ? data : undefined;
};

export const padFamily: OperatorFamily = {
  model: {
    Pad: {
      shape,
      lower,
      types: ['any'],
      limits: 'constant axes',
    },
  },
  program: {
    Pad: {
      rows,
      sizeInputs: [1],
      work: ({ outputs, dtypes }) => {
        const [output] = outputs as [readonly number[]];
        const rowCount = elementCount(output.slice(0, -1));
        return copyWork('strided', rowCount, output.at(-1)! * dtypeBytes(dtypes[0]!));
      },
    },
  },
};
