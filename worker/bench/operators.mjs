/** Prints what operators cost, per multiply-add or per element: `node worker/bench/operators.mjs`. */
import { BinaryKind, ReduceKind, UnaryKind } from '@canopy/protocol';
import { countNode } from './count-node.mjs';

const one = 0x3f800000;
const none = [0, 0, 0, one, 0];
const relu = [1, 0, 0, one, 0];
const round4 = (n) => Math.ceil(n / 4) * 4;
const rows = [];

function add(name, units, node) {
  const { instructions, withPages } = countNode(node);
  rows.push({
    node: name,
    instructions,
    'per unit': (instructions / units).toFixed(3),
    'with pages': (withPages / units).toFixed(3),
  });
}

const linear = (m, k, n, epilogue = none) =>
  add(`Linear [${m},${k}] x [${k},${n}]`, m * k * n, {
    op: 'Linear',
    inputs: [{ dims: [m, k] }, { dims: [k * round4(n)] }, { dims: [round4(n)] }],
    words: [k, n, ...epilogue],
  });
for (const m of [1, 2, 3, 4, 8, 16, 49, 128]) linear(m, 512, 512);
linear(1, 384, 1536);
linear(1, 1280, 1000);
linear(8, 1280, 1000);
linear(196, 24, 144);
linear(784, 16, 96, relu);
linear(784, 96, 24);
linear(196, 64, 384, relu);
linear(40, 120, 6625);

const conv = (h, w, inC, outC, k, s, group = 1, epilogue = relu) => {
  const pad = (k - 1) >> 1;
  const [oh, ow] = [h, w].map((x) => Math.floor((x + 2 * pad - k) / s) + 1);
  const depth = (k * k * inC) / group;
  const depthwise = group === inC && group > 1;
  add(
    `${depthwise ? 'DepthwiseConv' : 'Conv'} ${h}x${w}x${inC} ${k}x${k}/${s} to ${outC}`,
    oh * ow * outC * depth,
    {
      op: depthwise ? 'DepthwiseConv' : 'Conv',
      inputs: [
        { dims: [1, h, w, inC] },
        { dims: depthwise ? [k * k, round4(inC)] : [depth * round4(outC)] },
        { dims: [round4(outC)] },
      ],
      words: [k, k, s, s, pad, pad, pad, pad, 1, 1, group, inC, outC, ...epilogue],
    },
  );
};
conv(224, 224, 3, 32, 3, 2);
conv(224, 224, 3, 64, 7, 2);
conv(56, 56, 64, 64, 3, 1);
conv(28, 28, 128, 128, 3, 1);
conv(14, 14, 256, 256, 3, 1);
conv(7, 7, 512, 512, 3, 1);
conv(56, 56, 64, 256, 1, 1);
conv(56, 56, 256, 512, 1, 2);
conv(7, 7, 960, 320, 1, 1);
conv(28, 28, 1, 8, 3, 1);
conv(112, 112, 32, 32, 3, 1, 32);
conv(56, 56, 144, 144, 3, 1, 144);
conv(14, 14, 384, 384, 3, 1, 384);
conv(7, 7, 960, 960, 3, 1, 960);
conv(14, 14, 256, 256, 5, 1, 256);
conv(112, 112, 96, 96, 3, 2, 96);

const matmul = (b, m, k, n, transB) =>
  add(`MatMul ${b} x [${m},${k}] x [${k},${n}]${transB ? ' transB' : ''}`, b * m * k * n, {
    op: 'MatMul',
    inputs: [{ dims: [b, m, k] }, { dims: transB ? [b, n, k] : [b, k, n] }],
    words: [0, transB, one],
  });
matmul(12, 128, 32, 128, 1);
matmul(12, 128, 128, 32, 0);
matmul(12, 16, 64, 16, 1);
matmul(12, 1, 64, 128, 1);
matmul(12, 1, 128, 64, 0);

const big = [1, 56, 56, 64];
const count = 56 * 56 * 64;
for (const kind of ['relu', 'hardSwish', 'sigmoid', 'gelu', 'tanh', 'exp', 'erf', 'sqrt']) {
  add(`Unary ${kind}`, count, {
    op: 'Unary',
    inputs: [{ dims: big }],
    words: [UnaryKind[kind], 0, 0],
    dies: [0],
  });
}
for (const other of [big, [], [64], [1, 1, 1, 64], [1, 56, 56, 1]]) {
  add(`Binary add [${big}] + [${other}]`, count, {
    op: 'Binary',
    inputs: [{ dims: big }, { dims: other }],
    words: [BinaryKind.add, ...none],
    dies: [0],
  });
}
add('Softmax [256,128]', 256 * 128, {
  op: 'Softmax',
  inputs: [{ dims: [256, 128] }],
  words: [-1],
  dies: [0],
});
add('LayerNorm [128,384]', 128 * 384, {
  op: 'LayerNorm',
  inputs: [{ dims: [128, 384] }, { dims: [384] }, { dims: [384] }],
  words: [-1, 0x3727c5ac],
  dies: [0],
});
add('GlobalAveragePool [7,7,1280]', 7 * 7 * 1280, {
  op: 'GlobalAveragePool',
  inputs: [{ dims: [1, 7, 7, 1280] }],
});
add('MaxPool 112x112x64 3x3/2', 56 * 56 * 64 * 9, {
  op: 'MaxPool',
  inputs: [{ dims: [1, 112, 112, 64] }],
  words: [3, 3, 2, 2, 1, 1, 1, 1, 1, 1, 0],
});
add('Reduce mean [128,384] last', 128 * 384, {
  op: 'Reduce',
  inputs: [{ dims: [128, 384] }],
  words: [ReduceKind.mean, 1, 1, -1],
});
add('Transpose [1,128,12,32] to [0,2,1,3]', 128 * 384, {
  op: 'Transpose',
  inputs: [{ dims: [1, 128, 12, 32] }],
  words: [0, 2, 1, 3],
});
add('Transpose [1,56,56,64] to [0,3,1,2]', count, {
  op: 'Transpose',
  inputs: [{ dims: big }],
  words: [0, 3, 1, 2],
});
add('Concat 2 x [28,28,64]', 2 * 784 * 64, {
  op: 'Concat',
  inputs: [{ dims: [784, 64] }, { dims: [784, 64] }],
  words: [1],
});
add('Gather 128 of [1000,384]', 128 * 384, {
  op: 'Gather',
  inputs: [
    { dims: [1000, 384] },
    { dims: [128], dtype: 'int64', values: Array.from({ length: 128 }, (_, i) => i * 7) },
  ],
  words: [0],
});
console.table(rows);
