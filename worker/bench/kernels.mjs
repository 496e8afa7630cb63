/**
 * Prints what kernels cost on the embedded IC, exactly: instructions a multiply-add or an element,
 * without what pages cost and with it (a message of its own, all pages touched for the first time).
 *
 *     node worker/bench/kernels.mjs [--quick] [--only NAME] [--out FILE]
 */
import { writeFileSync } from 'node:fs';
import { parseArgs } from 'node:util';
import {
  int4MatrixBytes,
  int8MatrixBytes,
  packedChannels,
  packedMatrixElements,
  UnaryKind,
} from '@canopy/protocol';
import { countNode } from './count-node.mjs';

const { values: flags } = parseArgs({
  options: { quick: { type: 'boolean' }, only: { type: 'string' }, out: { type: 'string' } },
});
const rowCounts = [1, 2, 4, 8, 32, 128];
const sizes = flags.quick ? [64, 256, 1024] : [64, 256, 896, 1024, 3072, 4096];
const one = 0x3f800000;
const none = [0, 0, 0, one, 0];

/** Inputs of `Linear` by element type of the weights. */
const weights = {
  f32: (k, n) => [{ dims: [packedMatrixElements(k, n)] }, { dims: [packedChannels(n)] }],
  int8: (k, n) => [
    { dims: [int8MatrixBytes(k, n)], dtype: 'int8' },
    { dims: [packedChannels(n)] },
    { dims: [packedChannels(n)] },
  ],
  int4: (k, n) => [
    { dims: [int4MatrixBytes(k, n)], dtype: 'uint8' },
    { dims: [packedChannels(n)] },
  ],
};

const linear = (type) => (m, k, n) => ({
  op: 'Linear',
  inputs: [{ dims: [m, k] }, ...weights[type](k, n)],
  words: [k, n, ...none],
});

const matmul = (m, k, n) => ({
  op: 'MatMul',
  inputs: [{ dims: [m, k] }, { dims: [k, n] }],
  words: [0, 0, one],
});

/** Most instructions a multiply-add by the least number of rows, for K, N >= 256. */
const products = [
  { name: 'f32', node: linear('f32'), goals: { 1: 2.0, 8: 1.7, 32: 1.6 } },
  { name: 'int8', node: linear('int8'), goals: { 1: 0.7, 8: 0.6, 32: 0.58 } },
  { name: 'int4', node: linear('int4'), goals: { 1: 1.1, 8: 0.85, 32: 0.65 } },
  { name: 'f32 by f32', node: matmul, goals: {} },
];

function convolution(side, inC, outC, group) {
  const depthwise = group > 1;
  const depth = (9 * inC) / group;
  return {
    op: depthwise ? 'DepthwiseConv' : 'Conv',
    inputs: [
      { dims: [1, side, side, inC] },
      { dims: depthwise ? [9, packedChannels(inC)] : [packedMatrixElements(depth, outC)] },
      { dims: [packedChannels(outC)] },
    ],
    words: [3, 3, 1, 1, 1, 1, 1, 1, 1, 1, group, inC, outC, ...none],
  };
}

const convolutions = [
  ...[
    [56, 16],
    [56, 64],
    [28, 128],
    [14, 256],
    [7, 512],
  ].map(([side, c]) => ({
    name: `conv 3x3 ${side}x${side}x${c}`,
    node: convolution(side, c, c, 1),
    units: side * side * c * c * 9,
    goal: 1.7,
  })),
  ...[
    [112, 32],
    [56, 144],
    [14, 384],
    [7, 960],
  ].map(([side, c]) => ({
    name: `depthwise 3x3 ${side}x${side}x${c}`,
    node: convolution(side, c, c, c),
    units: side * side * c * 9,
    goal: 2,
  })),
];

const elements = [128, 1024];
const count = elements[0] * elements[1];
const unary = (kind) => ({
  op: 'Unary',
  inputs: [{ dims: elements }],
  words: [UnaryKind[kind], 0, 0],
  dies: [0],
});
const rowwise = [
  ...['exp', 'tanh', 'sigmoid', 'erf', 'gelu', 'silu']
    .filter((kind) => kind in UnaryKind)
    .map((kind) => ({ name: kind, node: unary(kind) })),
  {
    name: 'softmax',
    node: { op: 'Softmax', inputs: [{ dims: elements }], words: [-1], dies: [0] },
  },
  {
    name: 'layer norm',
    node: {
      op: 'LayerNorm',
      inputs: [{ dims: elements }, { dims: [elements[1]] }, { dims: [elements[1]] }],
      words: [-1, 0x3727c5ac],
      dies: [0],
    },
  },
].map((some) => ({ ...some, units: count, goal: 12 }));

const chosen = ({ name }) => flags.only === undefined || name.includes(flags.only);
const figure = (x) => Number(x.toFixed(3));

function perUnit(node, units) {
  const { instructions, withPages } = countNode(node);
  return { instructions: figure(instructions / units), withPages: figure(withPages / units) };
}

function measureProduct({ name, node, goals }) {
  const cases = [];
  const table = {};
  for (const k of sizes) {
    for (const n of sizes) {
      const line = (table[`[M, ${k}] x [${k}, ${n}]`] = {});
      for (const m of rowCounts) {
        const cost = perUnit(node(m, k, n), m * k * n);
        cases.push({ m, k, n, ...cost });
        line[m] = `${cost.instructions.toFixed(3)} (${cost.withPages.toFixed(2)})`;
      }
    }
  }
  console.log(`\n${name}: instructions a multiply-add (with pages), by rows M`);
  console.table(table);
  const goalRows = Object.entries(goals).map(([rows, goal]) => {
    const some = cases.filter(
      ({ m, k, n }) => (rows === '1' ? m === 1 : m >= rows) && k >= 256 && n >= 256,
    );
    const most = Math.max(...some.map(({ instructions }) => instructions));
    return {
      kernel: name,
      rows: rows === '1' ? 'M = 1' : `M >= ${rows}`,
      goal,
      most,
      met: most <= goal,
    };
  });
  return { name, cases, goals: goalRows };
}

const measured = products.filter(chosen).map(measureProduct);
const others = [...convolutions, ...rowwise]
  .filter(chosen)
  .map(({ name, node, units, goal }) => ({ name, ...perUnit(node, units), goal }))
  .map((some) => ({ ...some, met: some.instructions <= some.goal }));
if (others.length > 0) {
  console.log('\nInstructions a multiply-add or an element');
  console.table(others);
}
const goals = measured.flatMap((some) => some.goals);
if (goals.length > 0) {
  console.log('\nGoals, over all K, N >= 256');
  console.table(goals);
}
if (flags.out !== undefined) {
  const results = {
    about:
      'Instructions a multiply-add or an element, written by npm run bench:kernels. withPages: a message of its own, schedule 2026-07.',
    products: measured,
    others,
  };
  writeFileSync(flags.out, `${JSON.stringify(results, null, 1)}\n`);
}
