import { allFloats, allInts, type Constant } from '../constant.js';
import { intAttribute, intsAttribute, stringAttribute, type GraphNode } from '../graph.js';
import type { OpAttributes } from '../program.js';
import { UnsupportedNode, type Lower, type Lowering } from './lowering.js';
import { split } from './split.js';
import type { OpName } from '@canopy/protocol';

const toTheLast = 0x7fffffff;

/** An operation that takes the node's inputs as they are. */
function same<Op extends OpName>(
  op: Op,
  attributes: (node: GraphNode, to: Lowering) => OpAttributes[Op],
): Lower {
  return (node, to) => {
    to.add(op, node, [...node.inputs], [node.outputs[0]!], attributes(node, to));
  };
}

function transpose(node: GraphNode, to: Lowering): void {
  const rank = to.rank(node.inputs[0]!);
  const permutation = intsAttribute(node, 'perm') ?? [...Array(rank).keys()].reverse();
  to.add('Transpose', node, [node.inputs[0]!], [node.outputs[0]!], { permutation });
}

function reshape(node: GraphNode, to: Lowering): void {
  const shape = to.intsInput(node, 1, 'shape');
  const allowZero = intAttribute(node, 'allowzero', 0) === 1;
  to.add('Reshape', node, [node.inputs[0]!, shape], [node.outputs[0]!], { allowZero });
}

/** Starts, ends and axes as attributes until operator set 9, as inputs since. */
function slice(node: GraphNode, to: Lowering): void {
  const inputs = [
    node.inputs[0]!,
    to.intsInput(node, 1, 'starts'),
    to.intsInput(node, 2, 'ends'),
    to.intsInput(node, 3, 'axes'),
    node.inputs[4] ?? '',
  ];
  while (inputs.at(-1) === '') inputs.pop();
  to.add('Slice', node, inputs, [node.outputs[0]!], {});
}

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

function constantOfShape(node: GraphNode, to: Lowering): void {
  const value = node.attributes.get('value');
  const constant: Constant | undefined = value?.kind === 'tensor' ? value.value : undefined;
  const dtype = constant?.dtype ?? 'float32';
  to.requireType(node.outputs[0]!, 'float32', 'int32', 'int64', 'bool');
  let number = 0;
  if (constant?.dtype === 'float32') number = allFloats(constant)[0] ?? 0;
  else if (constant?.dtype === 'bool') number = constant.read(0, 1)[0] ?? 0;
  else if (constant) number = allInts(constant)[0] ?? 0;
  to.add('ConstantOfShape', node, [...node.inputs], [node.outputs[0]!], { dtype, value: number });
}

function pad(node: GraphNode, to: Lowering): void {
  const mode = stringAttribute(node, 'mode', 'constant');
  if (mode !== 'constant' && mode !== 'reflect' && mode !== 'edge') {
    throw new UnsupportedNode(`has the mode ${mode}`, 'pad with constant, reflect or edge');
  }
  if ((node.inputs[3] ?? '') !== '') {
    throw new UnsupportedNode('names its axes', 'export with an operator set below 18');
  }
  const pads = to.intsInput(node, 1, 'pads');
  const attribute = node.attributes.get('value');
  const value =
    attribute?.kind === 'float' && attribute.value !== 0
      ? to.floats(`${node.name}/value`, [], [attribute.value])
      : (node.inputs[2] ?? '');
  const inputs = value === '' ? [node.inputs[0]!, pads] : [node.inputs[0]!, pads, value];
  to.add('Pad', node, inputs, [node.outputs[0]!], { mode });
}

export const shape: Record<string, Lower> = {
  Transpose: transpose,
  Reshape: reshape,
  Shape: same('Shape', (node) => ({
    start: intAttribute(node, 'start', 0),
    end: intAttribute(node, 'end', toTheLast),
  })),
  Gather: same('Gather', (node, to) => ({
    axis: to.axis(intAttribute(node, 'axis', 0), to.rank(node.inputs[0]!)),
  })),
  Slice: slice,
  Concat: same('Concat', (node, to) => ({
    axis: to.axis(intAttribute(node, 'axis', 0), to.rank(node.inputs[0]!)),
  })),
  Squeeze: withAxes('Squeeze'),
  Unsqueeze: withAxes('Unsqueeze'),
  Flatten: same('Flatten', (node, to) => ({
    axis: to.axis(intAttribute(node, 'axis', 1), to.rank(node.inputs[0]!)),
  })),
  Expand: same('Expand', () => ({})),
  Where: same('Where', () => ({})),
  ConstantOfShape: constantOfShape,
  Range: same('Range', () => ({})),
  Pad: pad,
  Split: split,
  Identity: same('Identity', () => ({})),
  Dropout: (node, to) => {
    if ((node.outputs[1] ?? '') !== '') {
      throw new UnsupportedNode('gives its mask', 'use its first output only');
    }
    to.add('Identity', node, [node.inputs[0]!], [node.outputs[0]!], {});
  },
};
