import type { GateFunction, UnaryName } from '@canopy/protocol';
import { floatsAttribute, type GraphNode, stringsAttribute } from '../graph.js';
import { UnsupportedNode } from './lowering.js';

/** A function that gates can have: its kind, and what `alpha` and `beta` are where the model does not say. */
interface Form {
  kind: UnaryName;
  alpha?: number;
  beta?: number;
}

const forms: Readonly<Record<string, Form>> = {
  affine: { kind: 'affine', alpha: 1, beta: 0 },
  elu: { kind: 'elu', alpha: 1 },
  hardsigmoid: { kind: 'hardSigmoid', alpha: 0.2, beta: 0.5 },
  leakyrelu: { kind: 'leakyRelu', alpha: 0.01 },
  relu: { kind: 'relu' },
  scaledtanh: { kind: 'tanh', alpha: 1, beta: 1 },
  sigmoid: { kind: 'sigmoid' },
  softplus: { kind: 'softplus' },
  softsign: { kind: 'softsign' },
  tanh: { kind: 'tanh' },
  thresholdedrelu: { kind: 'thresholdedRelu', alpha: 1 },
};

/** One function by its name; numbers are taken from the front of the lists by those that have such. */
function gateFunction(name: string, alphas: number[], betas: number[]): GateFunction {
  const form = forms[name.toLowerCase()];
  if (!form) {
    const known = Object.keys(forms).join(', ');
    throw new UnsupportedNode(`has the activation "${name}"`, `use one of ${known}`);
  }
  const alpha = form.alpha === undefined ? 0 : (alphas.shift() ?? form.alpha);
  const beta = form.beta === undefined ? 0 : (betas.shift() ?? form.beta);
  // alpha * tanh(beta * x)
  const isScaled = form.kind === 'tanh' && form.alpha !== undefined;
  if (isScaled) return { kind: 'tanh', alpha: 0, beta: 0, inner: beta, outer: alpha };
  return { kind: form.kind, alpha, beta, inner: 1, outer: 1 };
}

/**
 * The functions of all directions of a recurrent layer, in their order.
 *
 * @param otherwise of one direction, where the node names none
 */
export function gateFunctions(
  node: GraphNode,
  directions: number,
  otherwise: readonly string[],
): GateFunction[] {
  const given = stringsAttribute(node, 'activations') ?? [];
  const names =
    given.length > 0 ? given : Array<readonly string[]>(directions).fill(otherwise).flat();
  const count = directions * otherwise.length;
  if (names.length !== count) {
    throw new UnsupportedNode(
      `has ${names.length} activations, ${count} expected`,
      'name all of them when exporting',
    );
  }
  const alphas = [...(floatsAttribute(node, 'activation_alpha') ?? [])];
  const betas = [...(floatsAttribute(node, 'activation_beta') ?? [])];
  return names.map((name) => gateFunction(name, alphas, betas));
}
