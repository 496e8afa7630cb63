import { dtypeBytes, elementCount, type DTypeName } from '@canopy/protocol';
import { renamedWork } from '../cost/work/strided.js';
import type { GraphNode } from '../graph/graph.js';
import { castToFourBits } from '../graph/lower/four-bits.js';
import { type Lowering, UnsupportedNode } from '../graph/lower/lowering.js';
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

function bitCast(node: GraphNode, to: Lowering): void {
  const [input, output] = [node.inputs[0]!, node.outputs[0]!];
  if (to.hasFourBits(input) || to.hasFourBits(output)) {
    throw new UnsupportedNode('works on numbers of 4 bits', 'use numbers of a byte');
  }
  to.add('BitCast', node, [input], [output], { to: to.dtype(output) });
}

const bitCastShape: Rule = (op) => {
  const dtype = readDType(op.int('to', 1), op.node.op, op.node.name);
  if (dtypeBytes(dtype) !== dtypeBytes(op.dtype(0))) {
    throw op.badModel(`takes ${op.dtype(0)} for ${dtype}, which is of another size`);
  }
  return [{ dtype, dims: op.dims(0) }];
};

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
    BitCast: { shape: bitCastShape, lower: bitCast, types: ['any'] },
    Cast: { shape: cast, lower, types: ['any'] },
    CastLike: { shape: castLike, lower, types: ['any'] },
  },
  program: {
    BitCast: {
      rows: keeps(() => true),
      work: ({ inputs, dtypes }, inPlace) =>
        renamedWork(elementCount(inputs[0]!) * dtypeBytes(dtypes[0]!), inPlace),
    },
    Cast: {
      rows: keeps(() => true),
      work: ({ outputs, dtypes }) => [
        { kernel: `cast.${dtypes[0]!}`, counts: { element: elementCount(outputs[0]!) } },
      ],
    },
  },
};
