import { scalarFloat } from '../graph/constant.js';
import { floatAttribute, type GraphNode, intAttribute } from '../graph/graph.js';
import { fusedActivation } from '../graph/lower/fused-activation.js';
import { Compute } from '../graph/lower/compute.js';
import type { Lowering } from '../graph/lower/lowering.js';
import { product, type Product, requireMatrix } from '../graph/lower/product.js';
import type { Rule } from '../graph/shapes/operation.js';
import { swapLast } from '../graph/shapes/product.js';
import type { ModelOperator, OperatorFamily } from './operator.js';

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

function lower(node: GraphNode, to: Lowering): void {
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
  const beta = floatAttribute(node, 'beta', 1);
  const added = beta === 1 ? third : new Compute(node, to).affine(third, beta, 0);
  const result = to.temporary(`${node.name}/product`, 'float32', to.dims(node.outputs[0]!));
  product(node, to, result, options);
  to.add('Binary', node, [result, added], [node.outputs[0]!], {
    kind: 'add',
    epilogue: activation,
  });
}

const shape: Rule = (op) => {
  const [m, k] = op.int('transA', 0) === 1 ? swapLast(op.dims(0)) : op.dims(0);
  const [depth, n] = op.int('transB', 0) === 1 ? swapLast(op.dims(1)) : op.dims(1);
  op.requireSame(k!, depth!);
  if (op.has(2)) op.requireBroadcastsTo(2, [m!, n!]);
  return [{ dtype: op.dtype(0), dims: [m!, n!] }];
};

const gemm: ModelOperator = {
  shape,
  lower,
  types: ['float32'],
};

export const gemmFamily: OperatorFamily = {
  model: {
    Gemm: gemm,
    'com.microsoft.FusedGemm': gemm,
  },
  program: {},
};
