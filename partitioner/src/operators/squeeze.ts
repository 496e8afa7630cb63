import { dtypeBytes, elementCount } from '@canopy/protocol';
import { renamedWork } from '../cost/work/strided.js';
import type { Work } from '../cost/work/work.js';
import type { Lower } from '../graph/lower/lowering.js';
import { sameElements } from '../graph/rows/rule.js';
import { fromFront, NotDerivable } from '../graph/shapes/facts.js';
import type { Rule } from '../graph/shapes/operation.js';
import { reshaped } from '../graph/shapes/reshaped.js';
import type { NodeAt, OperatorFamily } from './operator.js';

/** Axes as an attribute until operator set 12, as an input since. */
function withAxes(op: 'Squeeze' | 'Unsqueeze'): Lower {
  return (node, to) => {
    const axes = to.intsInput(node, 1, 'axes');
    to.add(
      op,
      node,
      axes === '' ? [node.inputs[0]!] : [node.inputs[0]!, axes],
      [node.outputs[0]!],
      {},
    );
  };
}

/** Axes as an attribute until operator set 12, as an input since. */
const squeeze: Rule = (op) => {
  const dims = op.dims(0);
  const axes = op.numbersOf('axes', 1);
  if (!axes && !dims.every((dim) => typeof dim === 'number')) {
    throw new NotDerivable('which dimensions are 1 depends on the input');
  }
  const gone = new Set(axes?.map((axis) => fromFront(axis, dims.length)));
  const kept = dims.filter((dim, axis) => (axes ? !gone.has(axis) : dim !== 1));
  for (const axis of gone) op.requireSame(dims[axis]!, 1);
  return [reshaped(op, kept)];
};

const unsqueeze: Rule = (op) => {
  const axes = op.numbersOf('axes', 1) ?? [];
  const rank = op.rank(0) + axes.length;
  const added = new Set(axes.map((axis) => fromFront(axis, rank)));
  const dims = [...op.dims(0)];
  const result = Array.from({ length: rank }, (_, axis) => (added.has(axis) ? 1 : dims.shift()!));
  return [reshaped(op, result)];
};

function work({ inputs, dtypes }: NodeAt<'Squeeze' | 'Unsqueeze'>, inPlace: boolean): Work[] {
  return renamedWork(elementCount(inputs[0]!) * dtypeBytes(dtypes[0]!), inPlace);
}

export const squeezeFamily: OperatorFamily = {
  model: {
    Squeeze: { shape: squeeze, lower: withAxes('Squeeze'), types: ['any'] },
    Unsqueeze: { shape: unsqueeze, lower: withAxes('Unsqueeze'), types: ['any'] },
  },
  program: {
    Squeeze: { rows: sameElements, sizeInputs: [1], work },
    Unsqueeze: { rows: sameElements, sizeInputs: [1], work },
  },
};
