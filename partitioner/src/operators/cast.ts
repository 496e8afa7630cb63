import { elementCount } from '@canopy/protocol';
import { type GraphNode, intAttribute } from '../graph/graph.js';
import type { Lowering } from '../graph/lower/lowering.js';
import { keeps } from '../graph/rows/rule.js';
import type { Rule } from '../graph/shapes/operation.js';
import { readDType } from '../onnx/read-tensor.js';
import type { OperatorFamily } from './operator.js';

function lower(node: GraphNode, to: Lowering): void {
  const target = readDType(intAttribute(node, 'to', 1), node.op, node.name);
  to.requireType(node.inputs[0]!, 'float32', 'int32', 'int64', 'bool', 'uint8', 'int8');
  to.requireType(node.outputs[0]!, 'float32', 'int32', 'int64', 'bool', 'uint8', 'int8');
  to.add('Cast', node, [node.inputs[0]!], [node.outputs[0]!], { to: target });
}

/** Whole numbers stay what they are, whatever type they get; a bool is 0 or 1. */
const cast: Rule = (op) => {
  const dtype = readDType(op.int('to', 1), op.node.op, op.node.name);
  const { values } = op.facts(0);
  const known = values?.map((value) => {
    if (dtype !== 'bool' || value === undefined) return value;
    return typeof value === 'number' ? Number(value !== 0) : undefined;
  });
  return [{ ...op.like(0, dtype), ...(known && { values: known }) }];
};

export const castFamily: OperatorFamily = {
  model: {
    Cast: {
      shape: cast,
      lower,
      types: ['float32', 'int32', 'int64', 'bool', 'uint8', 'int8'],
      limits: 'to one of these types',
    },
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
