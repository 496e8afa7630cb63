import { elementCount, numbers } from '@canopy/protocol';
import { plainWork } from '../cost/work/work.js';
import { intAttribute, type GraphNode } from '../graph/graph.js';
import type { Lowering } from '../graph/lower/lowering.js';
import { mixing } from '../graph/rows/rule.js';
import { elements, fromFront } from '../graph/shapes/facts.js';
import type { Operation, Rule } from '../graph/shapes/operation.js';
import type { OperatorFamily } from './operator.js';

/** Instructions of a comparison, and of an element that is compared. */
const stepCost = 150;
const elementCost = 40;

/** The outputs that are there have one size in common, which depends on data. */
const shape: Rule = (op: Operation) => {
  const given = op.attribute('axis');
  const axis = given?.kind === 'int' ? fromFront(given.value, op.rank(0)) : undefined;
  const parts = axis === undefined ? elements(op.dims(0)) : op.dims(0)[axis]!;
  const output = [0, 1, 3].find((index) => (op.node.outputs[index] ?? '') !== '') ?? 2;
  const different = output === 2 ? parts : op.open(output, output === 0 ? (axis ?? 0) : 0);
  const dims = axis === undefined ? [different] : op.dims(0).with(axis, different);
  const list = (size: typeof different) => ({ dtype: 'int64' as const, dims: [size] });
  return [{ dtype: op.dtype(0), dims }, list(different), list(parts), list(different)];
};

function lower(node: GraphNode, to: Lowering): void {
  const input = node.inputs[0]!;
  const given = node.attributes.get('axis');
  const flat = given?.kind !== 'int';
  const axis = flat ? 0 : fromFront(given.value, to.rank(input));
  const outputs = [0, 1, 2, 3].map((index) => {
    const name = node.outputs[index] ?? '';
    if (name !== '') return name;
    const dims = index === 0 ? to.dims(input) : [to.dims(input)[axis] ?? 1];
    return to.temporary(`${node.name}/unused`, index === 0 ? to.dtype(input) : 'int64', dims);
  });
  const sorted = intAttribute(node, 'sorted', 1) === 1;
  to.add('Unique', node, [input], outputs, { axis, flat, sorted });
}

export const uniqueFamily: OperatorFamily = {
  model: { Unique: { shape, lower, types: [...numbers, 'bool'] } },
  program: {
    Unique: {
      rows: mixing,
      work: ({ attributes: { axis, flat }, inputs }) => {
        const count = elementCount(inputs[0]!);
        const parts = flat ? count : (inputs[0]![axis] ?? 1);
        const steps = parts * Math.log2(parts + 2);
        return plainWork(steps * (stepCost + (elementCost * count) / Math.max(1, parts)));
      },
      temporaries: ({ attributes: { axis, flat }, inputs }) => {
        const parts = flat ? elementCount(inputs[0]!) : (inputs[0]![axis] ?? 1);
        return [parts * 4, parts * 4];
      },
    },
  },
};
