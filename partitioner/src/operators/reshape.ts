import { dtypeBytes, elementCount } from '@canopy/protocol';
import { renamedWork } from '../cost/work/strided.js';
import { type GraphNode, intAttribute } from '../graph/graph.js';
import type { Lowering } from '../graph/lower/lowering.js';
import { sameElements } from '../graph/rows/rule.js';
import { type Dim, floorDivide, quotient, product } from '../graph/shapes/dim.js';
import { elements, NotDerivable } from '../graph/shapes/facts.js';
import type { Rule } from '../graph/shapes/operation.js';
import { reshaped } from '../graph/shapes/reshaped.js';
import type { OperatorFamily } from './operator.js';

function lower(node: GraphNode, to: Lowering): void {
  const shape = to.intsInput(node, 1, 'shape');
  const allowZero = intAttribute(node, 'allowzero', 0) === 1;
  to.add('Reshape', node, [node.inputs[0]!, shape], [node.outputs[0]!], { allowZero });
}

const shape: Rule = (op) => {
  const dims = op.dims(0);
  const total = elements(dims);
  const allowZero = op.int('allowzero', 0) === 1;
  const known = op.ints('shape') ?? op.facts(1).values;
  const rank = known?.length ?? op.dims(1)[0];
  if (typeof rank !== 'number') throw new NotDerivable('the number of dimensions is computed');
  const target = Array.from({ length: rank }, (_, axis) => {
    const size = known?.[axis];
    return size === 0 && !allowZero ? (dims[axis] ?? 0) : size;
  });
  // -1, or the only size that is not known, is what the others leave.
  const unknown = target.filter((size) => size === undefined);
  const rest = target.filter((size) => size !== undefined && size !== -1) as Dim[];
  const free = target.length - rest.length;
  const left = (): Dim => quotient(total, product(rest)) ?? floorDivide(total, product(rest));
  const result = target.map((size, axis) => {
    if (size !== undefined && size !== -1) return size;
    return free === 1 && product(rest) !== 0 ? left() : op.open(0, axis);
  });
  if (unknown.length === 0) op.requireSame(total, elements(result));
  return [reshaped(op, result)];
};

export const reshapeFamily: OperatorFamily = {
  model: {
    Reshape: { shape, lower, types: ['any'] },
  },
  program: {
    Reshape: {
      rows: sameElements,
      sizeInputs: [1],
      work: ({ inputs, dtypes }, inPlace) =>
        renamedWork(elementCount(inputs[0]!) * dtypeBytes(dtypes[0]!), inPlace),
    },
  },
};
