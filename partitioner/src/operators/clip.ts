import type { DTypeName } from '@canopy/protocol';
import { scalarFloat } from '../graph/constant.js';
import { floatAttribute, type GraphNode } from '../graph/graph.js';
import { epilogue, type Lowering } from '../graph/lower/lowering.js';
import { type Dim, maximum, minimum } from '../graph/shapes/dim.js';
import { onElement } from '../graph/shapes/elements.js';
import type { Rule } from '../graph/shapes/operation.js';
import type { OperatorFamily } from './operator.js';

const largestFloat = 3.4028234663852886e38;

/** Bounds as attributes until operator set 10, as inputs since; undefined where one is computed. */
function clipBounds(node: GraphNode, to: Lowering): Record<'alpha' | 'beta', number | undefined> {
  const bound = (index: number, attribute: string, otherwise: number): number | undefined => {
    const input = node.inputs[index];
    if (input === undefined || input === '') return floatAttribute(node, attribute, otherwise);
    return scalarFloat(to.constant(input));
  };
  return { alpha: bound(1, 'min', -largestFloat), beta: bound(2, 'max', largestFloat) };
}

/** Types that are worked on as they are; narrower ones as int32. */
const whole: readonly DTypeName[] = ['float32', 'int32', 'int64'];
const narrow: readonly DTypeName[] = ['int8', 'uint8'];

/** The larger of a value and the lower bound, then the smaller of that and the upper one. */
function lowerComputed(node: GraphNode, to: Lowering): void {
  const [input, low = '', high = ''] = node.inputs as [string, string?, string?];
  const dtype = to.dtype(input);
  to.requireType(input, ...whole, ...narrow);
  const own = whole.includes(dtype) ? dtype : 'int32';
  const wide = (name: string): string => {
    if (own === dtype) return name;
    const result = to.temporary(`${name}/wide`, own, to.dims(name));
    to.add('Cast', node, [name], [result], { to: own });
    return result;
  };
  const output = node.outputs[0]!;
  let value = wide(input);
  for (const [kind, bound] of [
    ['max', low],
    ['min', high],
  ] as const) {
    if (bound === '') continue;
    const result = to.temporary(`${node.name}/${kind}`, own, to.dims(input));
    to.add('Binary', node, [value, wide(bound)], [result], { kind, epilogue: epilogue() });
    value = result;
  }
  if (own === dtype) to.add('Identity', node, [value], [output], {});
  else to.add('Cast', node, [value], [output], { to: dtype });
}

const clip: Rule = (op) => {
  const bound = (input: number): Dim | undefined =>
    op.has(input) ? op.facts(input).values?.[0] : undefined;
  const [low, high] = [bound(1), bound(2)];
  const known = (op.has(1) ? low !== undefined : true) && (op.has(2) ? high !== undefined : true);
  if (!known || op.opset < 11) return [op.like(0)];
  return onElement((value) => {
    const raised = low === undefined ? value : maximum(value, low);
    return high === undefined ? raised : minimum(raised, high);
  })(op);
};

function lower(node: GraphNode, to: Lowering): void {
  const { alpha, beta } = clipBounds(node, to);
  if (to.dtype(node.inputs[0]!) !== 'float32' || alpha === undefined || beta === undefined) {
    lowerComputed(node, to);
    return;
  }
  to.add('Unary', node, [node.inputs[0]!], [node.outputs[0]!], { kind: 'clip', alpha, beta });
}

export const clipFamily: OperatorFamily = {
  model: {
    Clip: { shape: clip, lower, types: [...whole, ...narrow] },
  },
  program: {},
};
