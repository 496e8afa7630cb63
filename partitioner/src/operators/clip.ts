import { numbers } from '@canopy/protocol';
import { scalarFloat } from '../graph/constant.js';
import { floatAttribute, type GraphNode } from '../graph/graph.js';
import { epilogue, type Lowering } from '../graph/lower/lowering.js';
import { type Dim, maximum, minimum } from '../graph/shapes/dim.js';
import { onElement } from '../graph/shapes/elements.js';
import type { Rule } from '../graph/shapes/operation.js';
import type { OperatorFamily } from './operator.js';

const largestFloat = 3.4028234663852886e38;

/** Bounds as attributes until operator set 10, as inputs since; undefined where they are computed. */
function constantBounds(
  node: GraphNode,
  to: Lowering,
): { alpha: number; beta: number } | undefined {
  const bound = (index: number, attribute: string, otherwise: number): number | undefined => {
    const input = node.inputs[index] ?? '';
    return input === ''
      ? floatAttribute(node, attribute, otherwise)
      : scalarFloat(to.constant(input));
  };
  const alpha = bound(1, 'min', -largestFloat);
  const beta = bound(2, 'max', largestFloat);
  return alpha === undefined || beta === undefined ? undefined : { alpha, beta };
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

/** As one function of each element where the bounds are constants of f32, else as maximum and minimum. */
function lower(node: GraphNode, to: Lowering): void {
  const [input, output] = [node.inputs[0]!, node.outputs[0]!];
  const dtype = to.dtype(input);
  to.requireType(input, ...numbers);
  const bounds = dtype === 'float32' ? constantBounds(node, to) : undefined;
  if (bounds) {
    to.add('Unary', node, [input], [output], { kind: 'clip', ...bounds });
    return;
  }
  const bound = (index: number, attribute: string): string => {
    const given = node.attributes.get(attribute);
    if (given?.kind === 'float')
      return to.numbers(`${node.name}/${attribute}`, dtype, [], [given.value]);
    return node.inputs[index] ?? '';
  };
  const steps = [
    { kind: 'max', by: bound(1, 'min') },
    { kind: 'min', by: bound(2, 'max') },
  ] as const;
  const taken = steps.filter(({ by }) => by !== '');
  if (taken.length === 0) to.add('Identity', node, [input], [output], {});
  taken.reduce((value, { kind, by }, index) => {
    const result =
      index === taken.length - 1
        ? output
        : to.temporary(`${node.name}/${kind}`, dtype, to.dims(input));
    to.add('Binary', node, [value, by], [result], { kind, epilogue: epilogue() });
    return result;
  }, input);
}

export const clipFamily: OperatorFamily = {
  model: {
    Clip: { shape: clip, lower, types: numbers },
  },
  program: {},
};
