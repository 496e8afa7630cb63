import { scalarFloat } from '../constant.js';
import { floatAttribute, intAttribute, type GraphNode } from '../graph.js';
import { fusedActivation } from './convolution.js';
import { epilogue, UnsupportedNode, type Lower, type Lowering } from './lowering.js';

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

function requireMatrix(node: GraphNode, to: Lowering): void {
  for (const input of node.inputs.slice(0, 2)) {
    to.requireType(input, 'float32');
    if (to.rank(input) < 2) {
      throw new UnsupportedNode('multiplies a vector', 'reshape it to a matrix in the model');
    }
  }
}

/** A matrix product; `scale` multiplies it, `bias` [N] is added. */
interface Product {
  transA: boolean;
  transB: boolean;
  scale: number;
  bias?: Float32Array;
}

function product(
  node: GraphNode,
  to: Lowering,
  output: string,
  options: Product,
  activation = epilogue(),
): void {
  const [a, b] = node.inputs as [string, string];
  const matrix = to.constant(b);
  if (matrix?.dims.length === 2) {
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

function matMul(node: GraphNode, to: Lowering): void {
  requireMatrix(node, to);
  if (intAttribute(node, 'transBatchA', 0) + intAttribute(node, 'transBatchB', 0) > 0) {
    throw new UnsupportedNode('transposes batch dimensions', 'plan without fusion');
  }
  product(node, to, node.outputs[0]!, {
    transA: intAttribute(node, 'transA', 0) === 1,
    transB: intAttribute(node, 'transB', 0) === 1,
    scale: floatAttribute(node, 'alpha', 1),
  });
}

/** The bias of a Gemm as one number per column, where it is constant and the same in every row. */
function gemmBias(node: GraphNode, to: Lowering, n: number): Float32Array | undefined {
  const constant = to.constant(node.inputs[2]);
  const values = to.constantFloats(node.inputs[2]);
  if (!constant || !values) return undefined;
  const beta = floatAttribute(node, 'beta', 1);
  const scalar = scalarFloat(constant);
  if (scalar !== undefined) return new Float32Array(n).fill(scalar * beta);
  const lastDim = constant.dims.at(-1);
  return values.length === n && lastDim === n ? values.map((value) => value * beta) : undefined;
}

function gemm(node: GraphNode, to: Lowering): void {
  requireMatrix(node, to);
  const transB = intAttribute(node, 'transB', 0) === 1;
  const options: Product = {
    transA: intAttribute(node, 'transA', 0) === 1,
    transB,
    scale: floatAttribute(node, 'alpha', 1),
  };
  const activation = fusedActivation(node);
  const third = node.inputs[2] ?? '';
  const matrix = to.constant(node.inputs[1])?.dims;
  const constantB = matrix?.length === 2;
  const bias = third === '' || !constantB ? undefined : gemmBias(node, to, matrix[transB ? 0 : 1]!);
  if (third === '' || bias) {
    if (third === '' && !constantB && activation.activation !== 'none') {
      const result = to.temporary(`${node.name}/product`, 'float32', to.dims(node.outputs[0]!));
      product(node, to, result, options);
      const { activation: kind, alpha, beta } = activation;
      to.add('Unary', node, [result], [node.outputs[0]!], { kind, alpha, beta });
      return;
    }
    product(node, to, node.outputs[0]!, { ...options, ...(bias && { bias }) }, activation);
    return;
  }
  if (floatAttribute(node, 'beta', 1) !== 1) {
    throw new UnsupportedNode('scales a computed bias', 'export with beta = 1');
  }
  const result = to.temporary(`${node.name}/product`, 'float32', to.dims(node.outputs[0]!));
  product(node, to, result, options);
  to.add('Binary', node, [result, third], [node.outputs[0]!], {
    kind: 'add',
    epilogue: activation,
  });
}

export const matrix: Record<string, Lower> = {
  MatMul: matMul,
  'com.microsoft.FusedMatMul': matMul,
  Gemm: gemm,
  'com.microsoft.FusedGemm': gemm,
};
