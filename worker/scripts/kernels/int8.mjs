import { integerKernels } from '@canopy/protocol';
import { range } from './integer-rows.mjs';

const load = (pair) => `v128.load_ext<i8>(w, ${8 * pair})`;

/** A weight pair of row `r`: the first row loads what the others find in a local. */
function weight(rows, r, pair) {
  if (rows === 1) return load(pair);
  return r === 0 ? `(w${pair} = ${load(pair)})` : `w${pair}`;
}

/** Kernels for int8 weights. The sums are integers, so they are exact in any order. */
export const int8 = {
  kind: 'int8',
  shapes: integerKernels.int8,
  weightBytes: (depth) => 4 * depth,
  doc: [
    'sums[vector][row][4] (+)= x[row][0..depth) * w[vector][0..depth)[4] in 32-bit integers, for the vectors of',
    'four channels up to `end` of the sums. x: i16; w: i8, a pair of the depth for four channels after the',
    'other. `rows` is 1, 4, 8 or 16, `depth` a multiple of 16. Steps are bytes; sums begin where `first`.',
  ],
  body({ rows, depth, first }) {
    const pairs = range(depth / 2);
    const dot = (r, pair) => `i32x4.dot_i16x8_s(${weight(rows, r, pair)}, a${r}_${pair})`;
    const row = (r) => [
      `let s${r} = ${first ? dot(r, 0) : `v128.load(sums, ${16 * r})`};`,
      ...pairs.slice(first ? 1 : 0).map((pair) => `s${r} = i32x4.add(s${r}, ${dot(r, pair)});`),
      `v128.store(sums, s${r}, ${16 * r});`,
    ];
    return {
      prologue: rows === 1 ? [] : pairs.map((pair) => `let w${pair}: v128;`),
      turn: range(rows).flatMap(row),
    };
  },
};
