import type { GraphNode } from '../graph.js';
import { epilogue, type Lowering, UnsupportedNode } from './lowering.js';

/** The input with its last two dimensions exchanged. */
function transposed(node: GraphNode, to: Lowering, input: string): string {
  const rank = to.rank(input);
  const permutation = [...Array(rank).keys()];
  [permutation[rank - 2], permutation[rank - 1]] = [rank - 1, rank - 2];
  const dims = to.dims(input);
  const output = to.temporary(
    `${input}/transposed`,
    to.dtype(input),
    permutation.map((axis) => dims[axis]!),
  );
  to.add('Transpose', node, [input], [output], { permutation });
  return output;
}

export function requireMatrix(node: GraphNode, to: Lowering): void {
  for (const input of node.inputs.slice(0, 2)) {
    to.requireType(input, 'float32');
    if (to.rank(input) < 1) {
      throw new UnsupportedNode('multiplies a scalar', 'use Mul in the model');
    }
  }
}

/** A matrix product; `scale` multiplies it, `bias` [N] is added. */
export interface Product {
  transA: boolean;
  transB: boolean;
  scale: number;
  bias?: Float32Array;
}

export function product(
  node: GraphNode,
  to: Lowering,
  output: string,
  options: Product,
  activation = epilogue(),
): void {
  const [a, b] = node.inputs as [string, string];
  const matrix = to.constant(b);
  if (matrix?.dims.length === 2 && to.rank(a) > 1) {
    const [first = 0, second = 0] = matrix.dims;
    const [k, n] = options.transB ? [second, first] : [first, second];
    const weight = to.weight(b, {
      kind: 'matrix',
      constant: matrix,
      k,
      n,
      transposed: options.transB,
      scale: options.scale === 1 ? undefined : new Float32Array(n).fill(options.scale),
    });
    const bias = to.weight(`${node.name}/bias`, {
      kind: 'bias',
      values: options.bias ?? new Float32Array(n),
      group: 1,
    });
    const left = options.transA ? transposed(node, to, a) : a;
    to.add('Linear', node, [left, weight, bias], [output], { k, n, epilogue: activation });
    return;
  }
  to.add('MatMul', node, [a, b], [output], {
    transA: options.transA,
    transB: options.transB,
    alpha: options.scale,
  });
}
