import { SamePad, type DTypeName } from '@canopy/protocol';
import { type GraphNode, intAttribute, intsAttribute, stringAttribute } from '../graph.js';
import type { Window } from '../program.js';
import { samePads } from '../same-pads.js';
import type { Dim } from '../shapes/dim.js';
import { axesFrom } from './axes-from.js';
import { type Lowering, UnsupportedNode } from './lowering.js';

/** Channels of an image of this rank moved behind all its other dimensions. */
export function toChannelsLast(rank: number): number[] {
  return [0, ...axesFrom(2, rank), 1];
}
/** Undoes {@link toChannelsLast}. */
export function toChannelsFirst(rank: number): number[] {
  return [0, rank - 1, ...axesFrom(1, rank - 1)];
}

/** Runs an operation of channels-last images between two transposes of its input and output. */
export function channelsLast(
  node: GraphNode,
  to: Lowering,
  run: (input: string, output: string) => void,
  types: readonly DTypeName[] = ['float32'],
): void {
  const input = node.inputs[0]!;
  const output = node.outputs[0]!;
  to.requireType(input, ...types);
  const rank = to.rank(input);
  if (rank < 3) {
    throw new UnsupportedNode(
      `works on ${rank} dimensions, which are no images`,
      'reshape to [batch, channels, ...] in the model',
    );
  }
  const last = toChannelsLast(rank);
  const moved = (name: string): Dim[] => last.map((axis) => to.dims(name)[axis]!);
  const before = to.temporary(`${input}/nhwc`, to.dtype(input), moved(input));
  to.add('Transpose', node, [input], [before], { permutation: last });
  const after = to.temporary(`${output}/nhwc`, to.dtype(output), moved(output));
  run(before, after);
  to.add('Transpose', node, [after], [output], { permutation: toChannelsFirst(rank) });
}

/** A window over any number of dimensions; `pads` before each, then behind each. */
export interface SpatialWindow {
  kernel: number[];
  strides: number[];
  pads: number[];
  dilations: number[];
}

/** {@link samePads}. With a stride they depend on the size: where that is open, a worker finds them. */
function samePadsOf(
  size: Dim,
  kernel: number,
  stride: number,
  dilation: number,
  upper: boolean,
): [number, number] {
  if (typeof size === 'number') return samePads(size, kernel, stride, dilation, upper);
  if (stride === 1) return samePads(1, kernel, stride, dilation, upper);
  const pad = upper ? SamePad.upper : SamePad.lower;
  return [pad, pad];
}

/** @param kernelOfWeight sizes of the filter, where there is one */
export function spatialWindow(
  node: GraphNode,
  to: Lowering,
  kernelOfWeight?: readonly number[],
): SpatialWindow {
  const dims = to.dims(node.inputs[0]!);
  const isLast = intAttribute(node, 'channels_last', 0) === 1;
  const spatial = isLast ? dims.slice(1, -1) : dims.slice(2);
  const filled = (name: string, value: number, otherwise?: readonly number[]): number[] => {
    const given = intsAttribute(node, name) ?? otherwise ?? [];
    return spatial.map((_, axis) => given[axis] ?? value);
  };
  const kernel = filled('kernel_shape', 1, kernelOfWeight);
  const strides = filled('strides', 1);
  const dilations = filled('dilations', 1);
  const auto = stringAttribute(node, 'auto_pad', 'NOTSET');
  const given = auto === 'VALID' ? [] : (intsAttribute(node, 'pads') ?? []);
  const pads = Array.from({ length: 2 * spatial.length }, (_, index) => given[index] ?? 0);
  if (auto.startsWith('SAME')) {
    spatial.forEach((size, axis) => {
      const upper = auto === 'SAME_UPPER';
      const both = samePadsOf(size, kernel[axis]!, strides[axis]!, dilations[axis]!, upper);
      [pads[axis], pads[axis + spatial.length]] = both;
    });
  }
  return { kernel, strides, pads, dilations };
}

/** A window over one or two dimensions as workers take it: one dimension is an image of height 1. */
export function windowOf(
  node: GraphNode,
  to: Lowering,
  kernelOfWeight?: readonly number[],
): Window {
  const { kernel, strides, pads, dilations } = spatialWindow(node, to, kernelOfWeight);
  const pair = (sizes: number[]): [number, number] =>
    sizes.length === 1 ? [1, sizes[0]!] : [sizes[0]!, sizes[1]!];
  const [first = 0, second = 0, third = 0, fourth = 0] = pads;
  return {
    kernel: pair(kernel),
    strides: pair(strides),
    pads: kernel.length === 1 ? [0, first, 0, second] : [first, second, third, fourth],
    dilations: pair(dilations),
  };
}
