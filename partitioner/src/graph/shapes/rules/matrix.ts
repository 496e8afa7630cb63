import type { Dim } from '../dim.js';
import { broadcastDims, NotDerivable } from '../facts.js';
import { rulesFor, type Operation, type Rule } from '../operation.js';
import type { DTypeName } from '@canopy/protocol';

/** Shape of the product of two inputs as numpy's matmul has it; a vector is a row, or a column. */
function productDims(op: Operation, left: readonly Dim[], right: readonly Dim[]): Dim[] {
  if (left.length === 0 || right.length === 0) throw new NotDerivable('a scalar is no matrix');
  const a = left.length === 1 ? [1, left[0]!] : left;
  const b = right.length === 1 ? [right[0]!, 1] : right;
  op.requireSame(a.at(-1)!, b.at(-2)!);
  return [
    ...broadcastDims(a.slice(0, -2), b.slice(0, -2)),
    ...(left.length === 1 ? [] : [a.at(-2)!]),
    ...(right.length === 1 ? [] : [b.at(-1)!]),
  ];
}

function swapLast(dims: readonly Dim[]): Dim[] {
  return [...dims.slice(0, -2), dims.at(-1)!, dims.at(-2)!];
}

/** Products of two inputs, the second at `right`. */
function matMul(right: number, dtype?: DTypeName): Rule {
  return (op) => [
    { dtype: dtype ?? op.dtype(0), dims: productDims(op, op.dims(0), op.dims(right)) },
  ];
}

const fusedMatMul: Rule = (op) => {
  if (op.int('transBatchA', 0) + op.int('transBatchB', 0) > 0) {
    throw new NotDerivable('batch dimensions are transposed');
  }
  const side = (input: number, name: string): readonly Dim[] =>
    op.int(name, 0) === 1 && op.rank(input) > 1 ? swapLast(op.dims(input)) : op.dims(input);
  return [{ dtype: op.dtype(0), dims: productDims(op, side(0, 'transA'), side(1, 'transB')) }];
};

function gemm(right: number): Rule {
  return (op) => {
    const [m, k] = op.int('transA', 0) === 1 ? swapLast(op.dims(0)) : op.dims(0);
    const [depth, n] = op.int('transB', 0) === 1 ? swapLast(op.dims(right)) : op.dims(right);
    op.requireSame(k!, depth!);
    if (right === 1 && op.has(2)) op.requireBroadcastsTo(2, [m!, n!]);
    return [{ dtype: op.dtype(0), dims: [m!, n!] }];
  };
}

/** A matrix whose weights are packed in few bits: the last dimension becomes N. */
const lastBecomesN: Rule = (op) => [
  { dtype: op.dtype(0), dims: [...op.dims(0).slice(0, -1), op.int('N', 0)] },
];

/** Letters of each operand of an Einsum, `...` spelt out. */
const einsum: Rule = (op) => {
  const equation = op.string('equation', '').replaceAll(' ', '');
  const [left, right] = equation.split('->') as [string, string | undefined];
  const sizes = new Map<string, Dim>();
  let ellipsis: Dim[] = [];
  left.split(',').forEach((letters, input) => {
    const dims = op.dims(input);
    const named = letters.replace('...', '').length;
    const free = dims.length - named;
    if (letters.includes('...')) {
      const start = letters.indexOf('...');
      ellipsis = broadcastDims(ellipsis, dims.slice(start, start + free));
    }
    Array.from(letters.replace('...', '.')).reduce((axis, letter) => {
      if (letter === '.') return axis + free;
      const known = sizes.get(letter);
      const size = dims[axis]!;
      if (known !== undefined && known !== 1 && size !== 1) op.requireSame(known, size);
      if (known === undefined || known === 1) sizes.set(letter, size);
      return axis + 1;
    }, 0);
  });
  const count = (letter: string): number => left.split(letter).length - 1;
  const implied = [...sizes.keys()].sort().filter((letter) => count(letter) === 1);
  const output = right ?? (left.includes('...') ? '...' : '') + implied.join('');
  const dims = Array.from(output.replace('...', '.')).flatMap((letter) =>
    letter === '.' ? ellipsis : [sizes.get(letter)!],
  );
  return [{ dtype: op.dtype(0), dims }];
};

export const matrix: Record<string, Rule> = {
  MatMul: matMul(1),
  MatMulInteger: matMul(1, 'int32'),
  QLinearMatMul: (op) => [{ dtype: op.dtype(7), dims: productDims(op, op.dims(0), op.dims(3)) }],
  'com.microsoft.MatMulIntegerToFloat': matMul(1, 'float32'),
  'com.microsoft.DynamicQuantizeMatMul': matMul(1, 'float32'),
  ...rulesFor(fusedMatMul, 'com.microsoft.FusedMatMul', 'com.microsoft.FusedMatMulActivation'),
  ...rulesFor(gemm(1), 'Gemm', 'com.microsoft.FusedGemm'),
  ...rulesFor(lastBecomesN, 'com.microsoft.MatMulNBits', 'com.microsoft.MatMulBnb4'),
  Einsum: einsum,
  Det: (op) => [{ dtype: op.dtype(0), dims: op.dims(0).slice(0, -2) }],
};
