import { depthPiece, elementCount, matMulBlockRows, singleRows } from '@canopy/protocol';
import { linearBytes, panelBytes } from '../cost/memory/blocks.js';
import { integerBytes } from '../cost/memory/integer.js';
import { epilogueWork } from '../cost/work/elementwise.js';
import { integerTypeOf, integerWork } from '../cost/work/integer.js';
import { linearWork } from '../cost/work/linear.js';
import { matMulWork } from '../cost/work/matmul.js';
import { floatAttribute, type GraphNode, intAttribute } from '../graph/graph.js';
import { type Lowering, UnsupportedNode } from '../graph/lower/lowering.js';
import { product, requireMatrix } from '../graph/lower/product.js';
import { along, type Along, none } from '../graph/rows/rows.js';
import { fromBehind, keeps, type RowRule, sameRows } from '../graph/rows/rule.js';
import type { Dim } from '../graph/shapes/dim.js';
import { NotDerivable } from '../graph/shapes/facts.js';
import type { Rule } from '../graph/shapes/operation.js';
import { productDims, swapLast } from '../graph/shapes/product.js';
import type { NodeAt, OperatorFamily } from './operator.js';

function lower(node: GraphNode, to: Lowering): void {
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

const plain: Rule = (op) => [{ dtype: op.dtype(0), dims: productDims(op, op.dims(0), op.dims(1)) }];

const fusedMatMul: Rule = (op) => {
  if (op.int('transBatchA', 0) + op.int('transBatchB', 0) > 0) {
    throw new NotDerivable('batch dimensions are transposed');
  }
  const side = (input: number, name: string): readonly Dim[] =>
    op.int(name, 0) === 1 && op.rank(input) > 1 ? swapLast(op.dims(input)) : op.dims(input);
  return [{ dtype: op.dtype(0), dims: productDims(op, side(0, 'transA'), side(1, 'transB')) }];
};

const rows: RowRule<'MatMul'> = ({ inputs: [a, b], dims, output, attributes }) => {
  const ranks = [dims(0).length, dims(1).length] as const;
  const { transA, transB } = attributes;
  const rank = output.length;
  const place = (rows: Along, side: 0 | 1): { batch: boolean; depth: boolean } => {
    const behind = rows.axis - ranks[side];
    const depth = side === 0 ? (transA ? -2 : -1) : transB ? -1 : -2;
    return { batch: behind < -2, depth: behind === depth };
  };
  const left = a?.kind === 'along' ? a : undefined;
  const right = b?.kind === 'along' ? b : undefined;
  if (!left && !right) return none;
  if (ranks[0] < 2 || ranks[1] < 2) return undefined;
  if (left && right) {
    const [l, r] = [fromBehind(left, ranks[0]), fromBehind(right, ranks[1])];
    const both = place(left, 0).batch && sameRows(l, r);
    return both ? along(l.axis + rank, l.outer, l.inner) : undefined;
  }
  const side = left ? 0 : 1;
  const own = (left ?? right)!;
  const { batch, depth } = place(own, side);
  if (depth) return undefined;
  // The sums of one or two rows with a transposed matrix are made in another order than those of more.
  if (side === 0 && transB && (!batch || ranks[1] === 2)) return undefined;
  const behind = own.axis - ranks[side];
  if (!batch) return along(rank - (side === 0 ? 2 : 1), own.outer, own.inner);
  const other = dims(1 - side);
  if (other.length >= -behind && other.at(behind) !== 1) return undefined;
  return along(behind + rank, own.outer, own.inner);
};

function matMulBytes({ attributes, inputs, outputs }: NodeAt<'MatMul'>): number[] {
  const { transA } = attributes;
  const [a, b] = inputs as [readonly number[], readonly number[]];
  const depth = a.at(transA ? -2 : -1) ?? 1;
  const columns = b.length === 1 ? 1 : outputs[0]!.at(-1)!;
  // One matrix on the right for all on the left: their rows are rows of one product.
  const rows =
    b.length <= 2 && !transA
      ? elementCount(a) / Math.max(depth, 1)
      : a.length === 1
        ? 1
        : (a.at(transA ? -1 : -2) ?? 1);
  const copied = transA ? [rows * depth * 4] : [];
  if (rows <= singleRows) return copied;
  const ragged = columns % 4 === 0 ? [] : [matMulBlockRows(depth, rows) * panelBytes];
  return [...copied, Math.min(depth, depthPiece) * panelBytes, ...ragged];
}

export const matMulFamily: OperatorFamily = {
  model: {
    MatMul: { shape: plain, lower, types: ['float32'], limits: 'of 2 dimensions or more' },
    'com.microsoft.FusedMatMul': {
      shape: fusedMatMul,
      lower,
      types: ['float32'],
      limits: 'of 2 dimensions or more',
    },
  },
  program: {
    Linear: {
      rows: keeps((axis, rank) => axis !== rank - 1),
      work: ({ attributes, outputs, dtypes }) => {
        const { k, n, epilogue } = attributes;
        const elements = elementCount(outputs[0]!);
        const rows = elements / Math.max(n, 1);
        const integers = integerTypeOf(dtypes[1]);
        const work = integers ? integerWork(integers, rows, k, n) : linearWork(rows, k, n);
        return [...work, ...epilogueWork(epilogue, elements)];
      },
      multiplyAdds: ({ attributes, outputs }) => elementCount(outputs[0]!) * attributes.k,
      temporaries: ({ attributes: { k, n }, outputs, dtypes }) => {
        const rows = elementCount(outputs[0]!) / Math.max(n, 1);
        const integers = integerTypeOf(dtypes[1]);
        return integers ? integerBytes(integers, rows, k, n) : linearBytes(rows, k, n);
      },
    },
    MatMul: {
      rows,
      work: matMulWork,
      multiplyAdds: ({ attributes, inputs, outputs }) =>
        elementCount(outputs[0]!) * inputs[0]!.at(attributes.transA ? -2 : -1)!,
      temporaries: matMulBytes,
    },
  },
};
