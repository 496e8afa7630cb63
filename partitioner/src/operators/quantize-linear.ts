import { elementCount, type DTypeName } from '@canopy/protocol';
import { sixteensWork } from '../cost/work/integer-operators.js';
import { type GraphNode, intAttribute } from '../graph/graph.js';
import { dequantizedConstant } from '../graph/lower/dequantized-constant.js';
import { withinFourBits } from '../graph/lower/four-bits.js';
import { type Lowering, UnsupportedNode } from '../graph/lower/lowering.js';
import { mixing, sameRows, type RowRule } from '../graph/rows/rule.js';
import type { Operation, Rule } from '../graph/shapes/operation.js';
import { readDType } from '../onnx/read-tensor.js';
import type { ModelOperator, NodeAt, OperatorFamily } from './operator.js';

/** Type of the zero point, or of the attribute that stands for it; uint8 where there is neither. */
function quantizedType(op: Operation): DTypeName {
  if (op.has(2)) return op.dtype(2);
  const code = op.int('output_dtype', 0);
  return code === 0 ? 'uint8' : readDType(code, op.node.op, op.node.name);
}

const quantizeShape: Rule = (op) => [op.like(0, quantizedType(op))];
const dequantizeShape: Rule = (op) => [op.like(0, op.dtype(1))];

/** Outputs: integers, scale, zero point. */
const dynamicShape: Rule = (op) => [
  op.like(0, 'uint8'),
  { dtype: 'float32', dims: [] },
  { dtype: 'uint8', dims: [] },
];

/** Along which axis scales lie, and how many neighbours share one. */
function scalesOf(node: GraphNode, to: Lowering): { axis: number; block: number } {
  const block = intAttribute(node, 'block_size', 0);
  const single = block === 0 && to.dims(node.inputs[1]!).every((dim) => dim === 1);
  const axis = single ? 0 : to.axis(intAttribute(node, 'axis', 1), to.rank(node.inputs[0]!));
  return { axis, block };
}

function quantizeLinear(node: GraphNode, to: Lowering): void {
  const output = node.outputs[0]!;
  const dtype = to.dtype(output);
  if (!['int8', 'uint8', 'int16', 'uint16'].includes(dtype)) {
    throw new UnsupportedNode(`gives ${dtype}`, 'quantize to 8 or 16 bits');
  }
  const narrow = to.hasFourBits(output);
  const wide = narrow ? to.temporary(`${node.name}/wide`, dtype, to.dims(output)) : output;
  to.add('Quantize', node, node.inputs.slice(0, 3), [wide], { to: dtype, ...scalesOf(node, to) });
  if (narrow) withinFourBits(node, to, wide, output);
}

function dequantizeLinear(node: GraphNode, to: Lowering): void {
  const [x, scale, zero = ''] = node.inputs as [string, string, string?];
  const output = node.outputs[0]!;
  const scales = scalesOf(node, to);
  const [integers, factors] = [to.constant(x), to.constant(scale)];
  const isOutput = to.program.outputs.includes(output);
  const known = zero === '' || to.constant(zero) !== undefined;
  if (integers && factors?.dtype === 'float32' && known && !isOutput) {
    const given = { scale: factors, zero: to.constant(zero), ...scales };
    to.define(output, dequantizedConstant(integers, given));
    return;
  }
  to.add('Dequantize', node, node.inputs.slice(0, 3), [output], scales);
}

/** Integers of one scale: rows of a request are mixed, which the rule of its rows says. */
function dynamicQuantizeLinear(node: GraphNode, to: Lowering): void {
  const like = [
    ['uint8', to.dims(node.inputs[0]!)],
    ['float32', []],
    ['uint8', []],
  ] as const;
  const outputs = like.map(([dtype, dims], index) => {
    const name = node.outputs[index] ?? '';
    return name === '' ? to.temporary(`${node.name}/unused`, dtype, dims) : name;
  });
  to.add('DynamicQuantize', node, [node.inputs[0]!], outputs, {});
}

/** Where scales do not depend on rows, or have those of X: each row its own blocks. */
const byElement: RowRule<'Quantize' | 'Dequantize'> = ({ inputs, first, attributes }) => {
  const { axis, block } = attributes;
  const alike = inputs.slice(1).every((rows) => {
    if (rows.kind === 'none') return true;
    if (block === 0 || rows.kind !== 'along' || first.kind !== 'along') return false;
    return sameRows(rows, first) && first.axis !== axis;
  });
  return alike ? first : undefined;
};

function scaledWork(
  { inputs, outputs, attributes }: NodeAt<'Quantize' | 'Dequantize'>,
  kernel: string,
) {
  const [x, scale] = inputs as [readonly number[], readonly number[]];
  const { axis, block } = attributes;
  const count = elementCount(outputs[0]!);
  if (elementCount(scale) === 1 && block === 0) return [sixteensWork(kernel, 1, count)];
  const inner = elementCount(x.slice(axis + 1));
  const run = inner > 1 ? inner : block === 0 ? (x[axis] ?? 1) : Math.min(block, x[axis] ?? 1);
  const runs = count / Math.max(1, run);
  const varies = (block === 0) === (inner === 1);
  return [sixteensWork(varies ? `${kernel}.each` : kernel, runs, run)];
}

const quantize: ModelOperator = {
  shape: quantizeShape,
  lower: quantizeLinear,
  types: ['float32'],
  limits: 'to integers of 4, 8 or 16 bits',
};
const dequantize: ModelOperator = {
  shape: dequantizeShape,
  lower: dequantizeLinear,
  types: ['int8', 'uint8', 'int16', 'uint16', 'int32'],
};

export const quantizeLinearFamily: OperatorFamily = {
  model: {
    QuantizeLinear: quantize,
    'com.microsoft.QuantizeLinear': quantize,
    DequantizeLinear: dequantize,
    'com.microsoft.DequantizeLinear': dequantize,
    DynamicQuantizeLinear: {
      shape: dynamicShape,
      lower: dynamicQuantizeLinear,
      types: ['float32'],
    },
  },
  program: {
    Quantize: { rows: byElement, work: (node) => scaledWork(node, 'quantizing') },
    Dequantize: { rows: byElement, work: (node) => scaledWork(node, 'dequantizing') },
    DynamicQuantize: {
      rows: mixing,
      work: ({ inputs }) => [sixteensWork('dynamicQuantizing', 1, elementCount(inputs[0]!))],
    },
  },
};
