import type { DTypeName } from '@canopy/protocol';
import type { GraphNode } from '../graph.js';
import { Compute } from './compute.js';
import type { Lowering } from './lowering.js';

/** Least and most of int4, or uint4, by the type that holds its numbers. */
function bounds(holder: DTypeName): [least: number, most: number] {
  return holder === 'int8' ? [-8, 7] : [0, 15];
}

/** X kept between two numbers of its type. */
function within(
  node: GraphNode,
  to: Lowering,
  x: string,
  [least, most]: readonly [number, number],
  output?: string,
): string {
  const compute = new Compute(node, to);
  const bound = (value: number): string =>
    to.numbers(`${node.name}/bound`, to.dtype(x), [], [value]);
  return compute.binary('min', compute.binary('max', x, bound(least)), bound(most), output);
}

/** Numbers of a type of 8 bits, kept within what the type of 4 bits that it stands for has. */
export function withinFourBits(node: GraphNode, to: Lowering, x: string, output: string): void {
  within(node, to, x, bounds(to.dtype(x)), output);
}

/** To int4 or uint4: floats are rounded, halves away from 0, and saturated; of integers the lower four bits are kept. */
export function castToFourBits(node: GraphNode, to: Lowering, x: string, output: string): void {
  const holder = to.dtype(output);
  const compute = new Compute(node, to);
  if (to.dtype(x).includes('float')) {
    const floats = to.dtype(x) === 'float32' ? x : compute.cast(x, 'float32');
    const [least, most] = bounds(holder);
    const near = within(node, to, floats, [least - 1, most + 1]);
    const whole = compute.cast(near, 'int8');
    const rest = compute.binary('sub', near, compute.cast(whole, 'float32'));
    const step = compute.cast(compute.affine(rest, 2, 0), 'int8');
    const rounded = within(node, to, compute.binary('add', whole, step), [least, most]);
    compute.cast(rounded, holder, output);
    return;
  }
  const number = (value: number): string => to.numbers(`${node.name}/number`, holder, [], [value]);
  const bytes = to.dtype(x) === holder ? x : compute.cast(x, holder);
  const lower = [bytes, number(15)] as const;
  if (holder === 'uint8') {
    compute.binary('bitAnd', ...lower, output);
    return;
  }
  const shifted = compute.binary('bitXor', compute.binary('bitAnd', ...lower), number(8));
  compute.binary('sub', shifted, number(8), output);
}
