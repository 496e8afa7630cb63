import { elementCount, type DTypeName } from '@canopy/protocol';
import type { GraphNode } from '../graph/graph.js';
import { castToFourBits } from '../graph/lower/four-bits.js';
import type { Lowering } from '../graph/lower/lowering.js';
import { keeps } from '../graph/rows/rule.js';
import type { Facts } from '../graph/shapes/facts.js';
import type { Operation, Rule } from '../graph/shapes/operation.js';
import { readDType } from '../onnx/read-tensor.js';
import type { OperatorFamily } from './operator.js';

function lower(node: GraphNode, to: Lowering): void {
  const [input, output] = [node.inputs[0]!, node.outputs[0]!];
  if (to.hasFourBits(output)) {
    castToFourBits(node, to, input, output);
    return;
  }
  to.add('Cast', node, [input], [output], { to: to.dtype(output) });
}

/** Whole numbers stay what they are, whatever type they get; a bool is 0 or 1. */
function castTo(op: Operation, dtype: DTypeName): Facts[] {
  const { values } = op.facts(0);
  const known = values?.map((value) => {
    if (dtype !== 'bool' || value === undefined) return value;
    return typeof value === 'number' ? Number(value !== 0) : undefined;
  });
  return [{ ...op.like(0, dtype), ...(known && { values: known }) }];
}

const cast: Rule = (op) => castTo(op, readDType(op.int('to', 1), op.node.op, op.node.name));
const castLike: Rule = (op) => castTo(op, op.dtype(1));

export const castFamily: OperatorFamily = {
  model: {
    Cast: { shape: cast, lower, types: ['any'] },
    CastLike: { shape: castLike, lower, types: ['any'] },
  },
  program: {
    Cast: {
      rows: keeps(() => true),
      work: ({ outputs, dtypes }) => [
        { kernel: `cast.${dtypes[0]!}`, counts: { element: elementCount(outputs[0]!) } },
      ],
    },
  },
};
