import { scalarFloat } from '../constant.js';
import { isPlainEpilogue, type Program, type ProgramNodeOf } from '../program.js';
import { replaceNode } from './edit.js';

/** `alpha * x + beta` that a Binary with a constant of one number is; which operand is `x`. */
function affineOf(
  program: Program,
  node: ProgramNodeOf<'Binary'>,
): { x: string; alpha: number; beta: number } | undefined {
  const [left, right] = node.inputs as [string, string];
  const number = (name: string): number | undefined => {
    const weight = program.values.get(name)?.weight;
    return weight?.kind === 'plain' ? scalarFloat(weight.constant) : undefined;
  };
  const [a, b] = [number(left), number(right)];
  switch (node.attributes.kind) {
    case 'add':
      if (b !== undefined) return { x: left, alpha: 1, beta: b };
      return a === undefined ? undefined : { x: right, alpha: 1, beta: a };
    case 'sub':
      if (b !== undefined) return { x: left, alpha: 1, beta: -b };
      return a === undefined ? undefined : { x: right, alpha: -1, beta: a };
    case 'mul':
      if (b !== undefined) return { x: left, alpha: b, beta: 0 };
      return a === undefined ? undefined : { x: right, alpha: a, beta: 0 };
    case 'div':
      return b === undefined ? undefined : { x: left, alpha: 1 / b, beta: 0 };
    default:
      return undefined;
  }
}

/** `x + 3`, `x * s` and the like with a constant number become Unary affine, which other passes take in. */
export function scalarOperands(program: Program): boolean {
  let changed = false;
  for (const node of [...program.nodes]) {
    if (node.op !== 'Binary' || !isPlainEpilogue(node.attributes.epilogue)) continue;
    const output = program.values.get(node.outputs[0]!)!;
    if (output.dtype !== 'float32') continue;
    const affine = affineOf(program, node);
    // A constant of more dimensions than x would give the result more dimensions.
    if (!affine || program.values.get(affine.x)!.shapes.rank !== output.shapes.rank) {
      continue;
    }
    const { x, alpha, beta } = affine;
    replaceNode(program, node, {
      op: 'Unary',
      name: node.name,
      inputs: [x],
      outputs: node.outputs,
      attributes: { kind: 'affine', alpha, beta },
    });
    changed = true;
  }
  return changed;
}
