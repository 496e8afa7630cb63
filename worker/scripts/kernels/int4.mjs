import { int4Block, int4BlockBytes, integerKernels } from '@canopy/protocol';
import { range } from './integer-rows.mjs';

/** Depth that shares a scale, vectors of 16 bytes that hold its weights, and all its bytes. */
const blockDepth = int4Block;
const blockVectors = 4;
const blockBytes = int4BlockBytes;
/** Pairs of the depth in a block and in a vector: a lane of 16 bits has one weight of each. */
const blockPairs = blockDepth / 2;
const vectorPairs = blockPairs / blockVectors;
/** What is added to a weight so that it is stored as 0 to 15. */
const offset = 8;

const vector = (block, v) => `v128.load(w, ${block * blockBytes + 16 * v})`;
const scale = (block) => `v128.load(w, ${block * blockBytes + 16 * blockVectors})`;
const mask = (x, bits) => `v128.and(${x}, i16x8.splat(${bits}))`;
const dot = (r, pair, weights) => `i32x4.dot_i16x8_s(${weights}, a${r}_${pair})`;

/** Adds a block's sum times its scale; blocks follow one another whatever the number of rows. */
const addScaled = (first, block, r, sum, factor) => {
  const product = `f32x4.mul(f32x4.convert_i32x4_s(${sum}), ${factor})`;
  if (block > 0) return [`s${r} = f32x4.add(s${r}, ${product});`];
  if (first) return [`let s${r} = ${product};`];
  return [`let s${r} = f32x4.add(v128.load(sums, ${16 * r}), ${product});`];
};

/**
 * One row: masks leave the second and third weight of a lane 16 and 256 times too large, and sums are
 * shifted instead of weights. The offset comes off by the sum of the row's block.
 */
function oneRow(depth, first) {
  const blocks = range(depth / blockDepth);
  const pairOf = (block, v, i) => block * blockPairs + v * vectorPairs + i;
  const sumOf = (block) => {
    const lanes = (i, weights) =>
      range(blockVectors).map((v) => dot(0, pairOf(block, v, i), weights(`v${v}`)));
    const add = (terms) => terms.map((term) => `t = i32x4.add(t, ${term});`);
    const [begin, ...rest] = range(blockVectors).map((v) =>
      dot(0, pairOf(block, v, 2), mask(`(v${v} = ${vector(block, v)})`, 0x0f00)),
    );
    return [
      `t = ${begin};`,
      ...add(rest),
      't = i32x4.shr_s(t, 4);',
      ...add(lanes(1, (x) => mask(x, 0x00f0))),
      't = i32x4.shr_s(t, 4);',
      ...add(lanes(0, (x) => mask(x, 0x000f))),
      ...add(lanes(3, (x) => `i16x8.shr_u(${x}, 12)`)),
      `t = i32x4.sub(t, o${block});`,
    ];
  };
  return {
    prologue: [
      ...blocks.flatMap((block) => {
        const [begin, ...rest] = range(blockPairs).map(
          (pair) => `i32x4.dot_i16x8_s(a0_${block * blockPairs + pair}, i16x8.splat(${offset}))`,
        );
        return [
          `let o${block} = ${begin};`,
          ...rest.map((term) => `o${block} = i32x4.add(o${block}, ${term});`),
        ];
      }),
      ...range(blockVectors).map((v) => `let v${v}: v128;`),
      'let t: v128;',
    ],
    turn: [
      ...blocks.flatMap((block) => [
        ...sumOf(block),
        ...addScaled(first, block, 0, 't', scale(block)),
      ]),
      'v128.store(sums, s0);',
    ],
  };
}

/** Several rows: the first unpacks weights to signed lanes that the others find in locals. */
function severalRows(rows, depth, first) {
  const blocks = range(depth / blockDepth);
  const unpack = (block, pair) => {
    const [v, i] = [Math.floor(pair / vectorPairs), pair % vectorPairs];
    const from = `v${block}_${v}`;
    if (i === 3) return `i16x8.shr_s(${from}, 12)`;
    const whole =
      i === 0 ? `(${from} = v128.xor(${vector(block, v)}, i32x4.splat(0x88888888)))` : from;
    return `i16x8.shr_s(i16x8.shl(${whole}, ${12 - 4 * i}), 12)`;
  };
  const weight = (r, block, pair) => {
    const local = `w${block * blockPairs + pair}`;
    return r === 0 ? `(${local} = ${unpack(block, pair)})` : local;
  };
  const row = (r) => [
    ...blocks.flatMap((block) => {
      const [begin, ...rest] = range(blockPairs).map((pair) =>
        dot(r, block * blockPairs + pair, weight(r, block, pair)),
      );
      return [
        `t = ${begin};`,
        ...rest.map((term) => `t = i32x4.add(t, ${term});`),
        ...addScaled(first, block, r, 't', r === 0 ? `(f${block} = ${scale(block)})` : `f${block}`),
      ];
    }),
    `v128.store(sums, s${r}, ${16 * r});`,
  ];
  return {
    prologue: [
      ...range(depth / 2).map((pair) => `let w${pair}: v128;`),
      ...blocks.flatMap((block) => range(blockVectors).map((v) => `let v${block}_${v}: v128;`)),
      ...blocks.map((block) => `let f${block}: v128;`),
      'let t: v128;',
    ],
    turn: range(rows).flatMap(row),
  };
}

/** Kernels for int4 weights. A block's sum is an exact integer; blocks are added in f32, in order. */
export const int4 = {
  kind: 'int4',
  shapes: integerKernels.int4,
  weightBytes: (depth) => (depth / blockDepth) * blockBytes,
  doc: [
    'sums[vector][row][4] (+)= x[row][0..depth) * w[vector][0..depth)[4] in f32, for the vectors of four channels',
    'up to `end` of the sums. x: i16; w: blocks of 32 along the depth, each 64 bytes of weights and four',
    'scales. `rows` is 1, 4, 8 or 16, `depth` a multiple of 32. Steps are bytes; sums begin where `first`.',
  ],
  body: ({ rows, depth, first }) =>
    rows === 1 ? oneRow(depth, first) : severalRows(rows, depth, first),
};
