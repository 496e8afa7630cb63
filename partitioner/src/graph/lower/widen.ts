import type { DTypeName } from '@canopy/protocol';
import type { GraphNode } from '../graph.js';
import type { Lower, Lowering } from './lowering.js';

/** Types that are stored only: workers compute with them as f32. */
const halves: ReadonlySet<DTypeName> = new Set(['float16', 'bfloat16']);

export function isHalf(dtype: DTypeName): boolean {
  return halves.has(dtype);
}

/** Lowers a node whose halves an operator does not take: its halves become f32, and its results halves again. */
export function lowerWidened(node: GraphNode, to: Lowering, lower: Lower): void {
  const is = (name: string): boolean => to.knows(name) && isHalf(to.dtype(name));
  if (![...node.inputs, ...node.outputs].some(is)) {
    lower(node, to);
    return;
  }
  const narrow: [wide: string, name: string][] = [];
  const inputs = node.inputs.map((name) => (is(name) ? to.widened(node, name) : name));
  const outputs = node.outputs.map((name) => {
    if (!is(name)) return name;
    const wide = to.temporary(`${name}/float32`, 'float32', to.dims(name));
    narrow.push([wide, name]);
    return wide;
  });
  lower({ ...node, inputs, outputs }, to);
  for (const [wide, name] of narrow) {
    to.add('Cast', node, [wide], [name], { to: to.dtype(name) });
  }
}
