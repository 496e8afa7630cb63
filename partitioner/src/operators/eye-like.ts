import type { GraphNode } from '../graph/graph.js';
import { intAttribute } from '../graph/graph.js';
import type { Lowering } from '../graph/lower/lowering.js';
import type { Rule } from '../graph/shapes/operation.js';
import { oneBits } from '../graph/constant.js';
import { readDType } from '../onnx/read-tensor.js';
import type { OperatorFamily } from './operator.js';

const shape: Rule = (op) => {
  const code = op.int('dtype', 0);
  return [op.like(0, code === 0 ? op.dtype(0) : readDType(code, op.node.op, op.node.name))];
};

/** Ones of which both triangles beside the diagonal are made 0. */
function lower(node: GraphNode, to: Lowering): void {
  const [input, output] = [node.inputs[0]!, node.outputs[0]!];
  const dtype = to.dtype(output);
  const dims = to.dims(output);
  const sizes = to.temporary(`${node.name}/shape`, 'int64', [dims.length]);
  const [ones, upper] = ['ones', 'upper'].map((name) =>
    to.temporary(`${node.name}/${name}`, dtype, dims),
  ) as [string, string];
  const diagonal = to.numbers(`${node.name}/k`, 'int64', [], [intAttribute(node, 'k', 0)]);
  to.add('Shape', node, [input], [sizes], { start: 0, end: 0x7fffffff });
  to.add('ConstantOfShape', node, [sizes], [ones], { dtype, value: oneBits(dtype) });
  to.add('Trilu', node, [ones, diagonal], [upper], { upper: true });
  to.add('Trilu', node, [upper, diagonal], [output], { upper: false });
}

export const eyeLikeFamily: OperatorFamily = {
  model: { EyeLike: { shape, lower, types: ['any'] } },
  program: {},
};
