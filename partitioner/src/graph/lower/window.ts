import { type GraphNode, intsAttribute, stringAttribute } from '../graph.js';
import type { Window } from '../program.js';
import type { Dim } from '../shapes/dim.js';
import { type Lowering, UnsupportedNode } from './lowering.js';

export const toChannelsLast = [0, 2, 3, 1];
const toChannelsFirst = [0, 3, 1, 2];

/** Runs an operation of channels-last images between two transposes of its input and output. */
export function channelsLast(
  node: GraphNode,
  to: Lowering,
  run: (input: string, output: string) => void,
): void {
  const input = node.inputs[0]!;
  const output = node.outputs[0]!;
  to.requireType(input, 'float32');
  if (to.rank(input) !== 4) {
    throw new UnsupportedNode(
      `works on ${to.rank(input)} dimensions, only images of 4 are supported`,
      'reshape to [batch, channels, height, width] in the model',
    );
  }
  const moved = (name: string): Dim[] => toChannelsLast.map((axis) => to.dims(name)[axis]!);
  const before = to.temporary(`${input}/nhwc`, 'float32', moved(input));
  to.add('Transpose', node, [input], [before], { permutation: toChannelsLast });
  const after = to.temporary(`${output}/nhwc`, 'float32', moved(output));
  run(before, after);
  to.add('Transpose', node, [after], [output], { permutation: toChannelsFirst });
}

/**
 * Padding before and after a dimension that `SAME_UPPER` and `SAME_LOWER` mean: as many positions as
 * `size / stride` rounded up. With a stride it depends on the size, which then must be known.
 */
function samePads(
  size: Dim,
  kernel: number,
  stride: number,
  dilation: number,
  upper: boolean,
): [number, number] {
  const field = (kernel - 1) * dilation + 1;
  if (stride !== 1 && typeof size !== 'number') {
    throw new UnsupportedNode(
      `pads by auto_pad with strides, which depends on the open size ${size.text}`,
      'export with a fixed size or explicit pads',
    );
  }
  const steps = typeof size === 'number' ? (Math.ceil(size / stride) - 1) * stride - size : -1;
  const total = Math.max(0, steps + field);
  const less = Math.floor(total / 2);
  return upper ? [less, total - less] : [total - less, less];
}

/** @param kernelOfWeight height and width of the filter, where there is one */
export function windowOf(
  node: GraphNode,
  to: Lowering,
  kernelOfWeight?: readonly number[],
): Window {
  const [kernelH = 1, kernelW = 1] = intsAttribute(node, 'kernel_shape') ?? kernelOfWeight ?? [];
  const [strideH = 1, strideW = 1] = intsAttribute(node, 'strides') ?? [];
  const [dilationH = 1, dilationW = 1] = intsAttribute(node, 'dilations') ?? [];
  const given = intsAttribute(node, 'pads') ?? [0, 0, 0, 0];
  let [top = 0, left = 0, bottom = 0, right = 0] = given;
  const auto = stringAttribute(node, 'auto_pad', 'NOTSET');
  if (auto === 'VALID') [top, left, bottom, right] = [0, 0, 0, 0];
  if (auto.startsWith('SAME')) {
    const [, , height = 1, width = 1] = to.dims(node.inputs[0]!);
    const upper = auto === 'SAME_UPPER';
    [top, bottom] = samePads(height, kernelH, strideH, dilationH, upper);
    [left, right] = samePads(width, kernelW, strideW, dilationW, upper);
  }
  return {
    kernel: [kernelH, kernelW],
    strides: [strideH, strideW],
    pads: [top, left, bottom, right],
    dilations: [dilationH, dilationW],
  };
}
