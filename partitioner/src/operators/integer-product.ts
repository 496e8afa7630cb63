import { elementCount, type DTypeName } from '@canopy/protocol';
import { integerBytes } from '../cost/memory/integer.js';
import {
  columnsWork,
  integerRowsWork,
  linesWork,
  packingWork,
} from '../cost/work/integer-operators.js';
import { floatAttribute, type GraphNode, intAttribute } from '../graph/graph.js';
import { Compute } from '../graph/lower/compute.js';
import { factorsOf, packedIntegers, scalesOf } from '../graph/lower/integers.js';
import { type Lower, type Lowering, UnsupportedNode } from '../graph/lower/lowering.js';
import { along } from '../graph/rows/rows.js';
import type { RowRule } from '../graph/rows/rule.js';
import type { Rule } from '../graph/shapes/operation.js';
import { productDims, swapLast } from '../graph/shapes/product.js';
import type { OperatorFamily } from './operator.js';

/** Operands of a product of integers; the empty string where one is left out. */
export interface IntegerProduct {
  a: string;
  b: string;
  aZero?: string | undefined;
  bZero?: string | undefined;
  bias?: string | undefined;
  factors?: string | undefined;
  resultZero?: string | undefined;
  offset?: string | undefined;
  /** One number that all factors are multiplied by. */
  scale?: string | undefined;
}

/** Inputs behind the two that are multiplied. */
export function parameters(to: Lowering, product: IntegerProduct): string[] {
  const { aZero = '', bZero = '', bias = '', factors = '', resultZero = '', offset = '' } = product;
  for (const name of [aZero, resultZero]) {
    if (name !== '' && to.dims(name).some((dim) => dim !== 1)) {
      throw new UnsupportedNode('has a zero point for each row', 'quantize with one for all rows');
    }
  }
  for (const name of [factors, offset]) {
    const rows = name === '' ? [] : to.dims(name).slice(0, -1);
    if (rows.some((dim) => dim !== 1)) {
      throw new UnsupportedNode('has a scale or bias for each row', 'use one for all rows');
    }
  }
  const all = [aZero, bZero, bias, factors, resultZero, offset];
  return product.scale === undefined ? all : [...all, product.scale];
}

/** A product [.., K] x [.., K, N]; a constant matrix is packed. */
export function integerProduct(
  node: GraphNode,
  to: Lowering,
  output: string,
  product: IntegerProduct,
  transB = false,
): void {
  const { a, b } = product;
  to.requireType(a, 'int8', 'uint8');
  to.requireType(b, 'int8', 'uint8');
  const rest = parameters(to, product);
  const { bZero = '' } = product;
  const columns = transB ? to.dims(b).at(-2) : to.dims(b).at(-1);
  if (
    bZero !== '' &&
    to
      .dims(bZero)
      .slice(0, -1)
      .some((dim) => dim !== 1)
  ) {
    throw new UnsupportedNode('has zero points for each matrix', 'quantize with one for all');
  }
  const dtype = to.dtype(output);
  const matrix = to.constant(b);
  if (matrix?.dims.length === 2 && to.rank(a) > 0 && typeof columns === 'number') {
    const n = columns;
    const k = matrix.dims[transB ? 1 : 0]!;
    const packed = packedIntegers(matrix, 1, k, n, (_, row, column) =>
      transB ? column * k + row : row * n + column,
    );
    if (k > 0 && n > 0) {
      const weight = to.weight(b, { kind: 'plain', constant: packed });
      const unsigned = matrix.dtype === 'uint8';
      to.add('IntegerLinear', node, [a, weight, ...rest], [output], { to: dtype, unsigned, k, n });
      return;
    }
  }
  const right = transB ? new Compute(node, to).transpose(b, swapped(to.rank(b))) : b;
  to.add('IntegerLinear', node, [a, right, ...rest], [output], {
    to: dtype,
    unsigned: false,
    k: 0,
    n: 0,
  });
}

/** The permutation that exchanges the last two dimensions. */
function swapped(rank: number): number[] {
  return [...Array(rank - 2).keys(), rank - 1, rank - 2];
}

const matMulInteger: Lower = (node, to) => {
  const [a, b, aZero, bZero] = node.inputs as [string, string, string?, string?];
  integerProduct(node, to, node.outputs[0]!, { a, b, aZero, bZero });
};

const qLinearMatMul: Lower = (node, to) => {
  const [a, aScale, aZero, b, bScale, bZero, scale, resultZero] = node.inputs as string[] &
    Record<0 | 1 | 2 | 3 | 4 | 5 | 6 | 7, string>;
  const factors = factorsOf(node, to, aScale, bScale, scale);
  integerProduct(node, to, node.outputs[0]!, { a, b, aZero, bZero, factors, resultZero });
};

const integerToFloat: Lower = (node, to) => {
  const [a, b, aScale, bScale, aZero, bZero, offset] = node.inputs as [
    string,
    string,
    string,
    string,
    string?,
    string?,
    string?,
  ];
  const scales = scalesOf(node, to, aScale, bScale);
  integerProduct(node, to, node.outputs[0]!, { a, b, aZero, bZero, ...scales, offset });
};

/** Quantizes all of A with one scale first. */
const dynamicQuantizeMatMul: Lower = (node, to) => {
  const [x, b, bScale, bZero, offset] = node.inputs as [string, string, string, string?, string?];
  const a = to.temporary(`${node.name}/integers`, 'uint8', to.dims(x));
  const aScale = to.temporary(`${node.name}/scale`, 'float32', []);
  const aZero = to.temporary(`${node.name}/zero`, 'uint8', []);
  to.add('DynamicQuantize', node, [x], [a, aScale, aZero], {});
  const scales = scalesOf(node, to, aScale, bScale);
  integerProduct(node, to, node.outputs[0]!, { a, b, aZero, bZero, ...scales, offset });
};

/** A, its scale and zero point, B, its scale and zero point, C?, then those of the result, where it is quantized. */
const qGemm: Lower = (node, to) => {
  const [a, aScale, aZero, b, bScale, bZero, bias = '', scale = '', resultZero = ''] =
    node.inputs as string[] & Record<0 | 1 | 2 | 3 | 4 | 5, string>;
  const alpha = floatAttribute(node, 'alpha', 1);
  const compute = new Compute(node, to);
  const left = alpha === 1 ? aScale : compute.affine(aScale, alpha, 0);
  const n = to.dims(node.outputs[0]!).at(-1);
  const dims = bias === '' ? [] : to.dims(bias);
  if (
    dims.slice(0, -1).some((dim) => dim !== 1) ||
    (dims.length > 0 && dims.at(-1) !== 1 && dims.at(-1) !== n)
  ) {
    throw new UnsupportedNode(
      'has a bias that differs from row to row',
      'add it after the product',
    );
  }
  const factors = factorsOf(node, to, left, bScale, scale === '' ? undefined : scale);
  const isTransposed = intAttribute(node, 'transA', 0) === 1;
  integerProduct(
    node,
    to,
    node.outputs[0]!,
    {
      a: isTransposed ? compute.transpose(a, [1, 0]) : a,
      b,
      aZero,
      bZero,
      bias,
      factors,
      resultZero: scale === '' ? '' : resultZero,
    },
    intAttribute(node, 'transB', 0) === 1,
  );
};

/** Products of two inputs, the second at `right`. */
function productShape(right: number, dtype?: DTypeName): Rule {
  return (op) => [
    { dtype: dtype ?? op.dtype(0), dims: productDims(op, op.dims(0), op.dims(right)) },
  ];
}

const qLinearShape: Rule = (op) => [
  { dtype: op.dtype(7), dims: productDims(op, op.dims(0), op.dims(3)) },
];

const qGemmShape: Rule = (op) => {
  const [m, k] = op.int('transA', 0) === 1 ? swapLast(op.dims(0)) : op.dims(0);
  const [depth, n] = op.int('transB', 0) === 1 ? swapLast(op.dims(3)) : op.dims(3);
  op.requireSame(k!, depth!);
  const dtype = !op.has(7) ? 'float32' : op.has(8) ? op.dtype(8) : op.dtype(0);
  return [{ dtype, dims: [m!, n!] }];
};

/** Rows of A that are not summed over, through one matrix. */
const rows: RowRule<'IntegerLinear'> = ({ inputs, first, dims, output }) => {
  if (inputs.slice(1).some(({ kind }) => kind !== 'none')) return undefined;
  if (first.kind !== 'along') return first;
  const rank = dims(0).length;
  if (first.axis === rank - 1 || rank < 2) return undefined;
  const behind = first.axis - rank;
  const other = dims(1);
  if (behind < -2 && other.length >= -behind && other.at(behind) !== 1) return undefined;
  return along(
    output.length + behind + (other.length === 1 && rank > 1 && output.length < rank ? 1 : 0),
    first.outer,
    first.inner,
  );
};

const types = ['int8', 'uint8'] as const;

export const integerProductFamily: OperatorFamily = {
  model: {
    MatMulInteger: { shape: productShape(1, 'int32'), lower: matMulInteger, types },
    QLinearMatMul: { shape: qLinearShape, lower: qLinearMatMul, types },
    'com.microsoft.MatMulIntegerToFloat': {
      shape: productShape(1, 'float32'),
      lower: integerToFloat,
      types,
    },
    'com.microsoft.DynamicQuantizeMatMul': {
      shape: productShape(1, 'float32'),
      lower: dynamicQuantizeMatMul,
      types: ['float32'],
    },
    'com.microsoft.QGemm': {
      shape: qGemmShape,
      lower: qGemm,
      types,
      limits: 'bias of one number a column',
    },
  },
  program: {
    IntegerLinear: {
      rows,
      work: ({ attributes, inputs, outputs }) => {
        const depth = inputs[0]!.at(-1)!;
        const elements = elementCount(outputs[0]!);
        const columns =
          attributes.n > 0 ? attributes.n : inputs[1]!.length === 1 ? 1 : inputs[1]!.at(-1)!;
        const count = elements / Math.max(1, columns);
        return [
          linesWork(count, depth),
          ...integerRowsWork(attributes.to, count, depth, columns),
          columnsWork(columns),
          ...(attributes.n > 0 ? [] : [packingWork(elementCount(inputs[1]!))]),
        ];
      },
      multiplyAdds: ({ inputs, outputs }) => elementCount(outputs[0]!) * inputs[0]!.at(-1)!,
      temporaries: ({ attributes, inputs, outputs }) => {
        const depth = inputs[0]!.at(-1)!;
        const columns =
          attributes.n > 0 ? attributes.n : inputs[1]!.length === 1 ? 1 : inputs[1]!.at(-1)!;
        const count = elementCount(outputs[0]!) / Math.max(1, columns);
        const padded = Math.ceil(depth / 16) * 16 * Math.ceil(columns / 4) * 4;
        return [
          ...integerBytes('int8', count, depth, columns),
          (columns + 3) * 16,
          ...(attributes.n > 0 ? [] : [padded]),
        ];
      },
    },
  },
};
