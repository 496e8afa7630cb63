import type { GraphNode } from '../graph.js';
import type { Dim } from '../shapes/dim.js';
import { type Lowering, UnsupportedNode } from './lowering.js';
import type { SpatialWindow } from './window.js';

/** A window as the one list that Im2Col, Col2Im and the like take. */
export function windowWords({ kernel, strides, pads, dilations }: SpatialWindow): number[] {
  return [...kernel, ...strides, ...pads, ...dilations];
}

/** Taps of a window. */
export function kernelCount({ kernel }: SpatialWindow): number {
  return kernel.reduce((count, size) => count * size, 1);
}

/** Sizes that are plain numbers; throws where one is open. */
export function fixedSizes(dims: readonly Dim[]): number[] {
  return dims.map((dim) => {
    if (typeof dim === 'number') return dim;
    throw new UnsupportedNode('has a filter of open sizes', 'fix its sizes in the model');
  });
}

/** A value in another shape, a constant as a constant; one size may be open where it is computed. */
export function reshaped(
  node: GraphNode,
  to: Lowering,
  name: string,
  dims: readonly Dim[],
): string {
  const constant = to.constant(name);
  const sizes = dims.map((dim) => (typeof dim === 'number' ? dim : -1));
  if (constant && !sizes.includes(-1)) {
    return to.weight(name, { kind: 'plain', constant: { ...constant, dims: sizes } });
  }
  const result = to.temporary(`${name}/reshaped`, to.dtype(name), dims);
  const shape = to.ints(`${node.name}/dims`, sizes);
  to.add('Reshape', node, [name, shape], [result], { allowZero: false });
  return result;
}

/** A list with a number for each channel, in the shape of an image with so many other dimensions. */
export function perChannel(node: GraphNode, to: Lowering, list: string, spatial: number): string {
  const ones = Array<number>(Math.max(0, spatial)).fill(1);
  return reshaped(node, to, list, [to.dims(list)[0]!, ...ones]);
}

/** A bias [channels], where there is one, as {@link perChannel}. */
export function channelBias(
  node: GraphNode,
  to: Lowering,
  bias: string | undefined,
  spatial: number,
): string[] {
  if (bias === undefined || bias === '') return [];
  return [perChannel(node, to, bias, spatial)];
}
