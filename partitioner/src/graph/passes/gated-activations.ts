import type { Program, ProgramNode } from '../program.js';
import { isPlainEpilogue } from '../program.js';
import { addValue, replaceNode } from './edit.js';
import { ProgramUses } from './uses.js';

/** How far constants of an exporter may be from the exact 1/6 and the like. */
const near = (value: number, wanted: number): boolean => Math.abs(value - wanted) < 1e-5;

/** What `x * gate(x)` is, for the gates that exporters write: an activation and a factor. */
function activationOf(
  uses: ProgramUses,
  gate: ProgramNode | undefined,
  x: string,
): { kind: 'hardSwish' | 'quickGelu'; alpha: number; factor: number } | undefined {
  if (gate?.op !== 'Unary') return undefined;
  const { kind, alpha, beta } = gate.attributes;
  const input = gate.inputs[0]!;
  if (kind === 'sigmoid' && input === x) return { kind: 'quickGelu', alpha: 1, factor: 1 };
  if (kind === 'hardSigmoid' && input === x && near(alpha, 1 / 6) && near(beta, 0.5)) {
    return { kind: 'hardSwish', alpha: 0, factor: 1 };
  }
  const before = uses.producer(input);
  if (before?.op !== 'Unary' || before.attributes.kind !== 'affine' || before.inputs[0] !== x) {
    return undefined;
  }
  const step = before.attributes;
  if (kind === 'sigmoid' && step.beta === 0) {
    return { kind: 'quickGelu', alpha: step.alpha, factor: 1 };
  }
  // clip(x + 3, 0, 6) is six times the gate of hard-swish.
  if (kind === 'clip' && alpha === 0 && near(beta, 6) && step.alpha === 1 && near(step.beta, 3)) {
    return { kind: 'hardSwish', alpha: 0, factor: 6 };
  }
  return undefined;
}

/**
 * `x * clip(x + 3, 0, 6)` and `x * hardSigmoid(x)` become hard-swish, `x * sigmoid(alpha * x)`
 * becomes quickGelu (SiLU).
 */
export function gatedActivations(program: Program): boolean {
  let changed = false;
  for (const node of [...program.nodes]) {
    if (node.op !== 'Binary' || node.attributes.kind !== 'mul') continue;
    if (!isPlainEpilogue(node.attributes.epilogue)) continue;
    const uses = new ProgramUses(program);
    const [left, right] = node.inputs as [string, string];
    const found =
      [left, right]
        .map((x, index) => {
          const gate = uses.producer(index === 0 ? right : left);
          return { x, activation: activationOf(uses, gate, x) };
        })
        .find(({ activation }) => activation) ?? undefined;
    if (!found?.activation) continue;
    const { kind, alpha, factor } = found.activation;
    const output = node.outputs[0]!;
    const { dtype, shapes } = program.values.get(output)!;
    const result = factor === 1 ? output : addValue(program, `${output}/activated`, dtype, shapes);
    const active: ProgramNode = {
      op: 'Unary',
      name: node.name,
      inputs: [found.x],
      outputs: [result],
      attributes: { kind, alpha, beta: 0 },
    };
    const scaled: ProgramNode = {
      op: 'Unary',
      name: node.name,
      inputs: [result],
      outputs: [output],
      attributes: { kind: 'affine', alpha: factor, beta: 0 },
    };
    replaceNode(program, node, ...(factor === 1 ? [active] : [active, scaled]));
    changed = true;
  }
  return changed;
}
