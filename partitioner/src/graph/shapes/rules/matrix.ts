import type { Dim } from '../dim.js';
import { broadcastDims } from '../facts.js';
import type { Rule } from '../operation.js';

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
  'com.microsoft.MatMulBnb4': lastBecomesN,
  Einsum: einsum,
  Det: (op) => [{ dtype: op.dtype(0), dims: op.dims(0).slice(0, -2) }],
};
