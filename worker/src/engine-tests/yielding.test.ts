import { beforeAll, describe, expect, it } from 'vitest';
import {
  Activation,
  BinaryKind,
  DType,
  ReduceKind,
  UnaryKind,
  type OpName,
} from '@canopy/protocol';
import { f32Bits, noEpilogue } from './engine.js';
import {
  indexes,
  MeteredEngine,
  patterned,
  scalar,
  type Bytes,
  type MeteredNode,
} from '../testing/metered-engine.js';
import { inTables } from './operators/own-test.js';

/** Most instructions an operator does without a look at the counter, whatever its shapes. */
const longestStretch = 16_000_000;
/** The same for an operator whose work does not grow with its tensors. */
const fewInstructions = 5_000;

type Case = [name: string, inputs: MeteredNode['inputs'], words?: number[], dies?: number[]];

const one = f32Bits(1);
const mega = 1 << 19;
const gelu = [Activation.gelu, 0, 0, one, 0];
const relu = [Activation.relu, 0, 0, one, 0];
const packed = (floats: number): Bytes => patterned([floats]);
const round4 = (n: number): number => Math.ceil(n / 4) * 4;

function linear(rows: number, k: number, n: number, epilogue = noEpilogue): Case {
  const inputs = [patterned([rows, k]), packed(k * round4(n)), packed(round4(n))];
  return [`[${rows},${k}] x [${k},${n}]`, inputs, [k, n, ...epilogue]];
}

/** X [1,h,w,inC] with a filter of kh x kw, no padding, stride 1. */
function conv(
  [h, w, inC]: [number, number, number],
  [kh, kw]: [number, number],
  outC: number,
  group = 1,
  epilogue = noEpilogue,
): Case {
  const depth = (kh * kw * inC) / group;
  const weights = packed(depth * round4(outC / group) * group);
  const words = [kh, kw, 1, 1, 0, 0, 0, 0, 1, 1, group, inC, outC, ...epilogue];
  return [
    `${h}x${w}x${inC} by ${kh}x${kw} to ${outC}`,
    [patterned([1, h, w, inC]), weights],
    words,
  ];
}

function depthwise(
  h: number,
  w: number,
  c: number,
  kh: number,
  kw: number,
  epilogue = noEpilogue,
): Case {
  const words = [kh, kw, 1, 1, 0, 0, 0, 0, 1, 1, c, c, c, ...epilogue];
  const inputs = [patterned([1, h, w, c]), packed(kh * kw * round4(c))];
  return [`${h}x${w}x${c} by ${kh}x${kw}`, inputs, words];
}

function matmul(a: number[], b: number[], transA = 0, transB = 0, alpha = 1): Case {
  const name = `[${a.join()}] x [${b.join()}]${transA ? ' transA' : ''}${transB ? ' transB' : ''}`;
  return [name, [patterned(a), patterned(b)], [transA, transB, f32Bits(alpha)]];
}

/** @param more words behind those of the window */
function pool(
  h: number,
  w: number,
  c: number,
  kh: number,
  kw: number,
  more: readonly number[] = [0],
): Case {
  const words = [kh, kw, 1, 1, 0, 0, 0, 0, 1, 1, ...more];
  return [`${h}x${w}x${c} by ${kh}x${kw}`, [patterned([1, h, w, c])], words];
}

const copied = patterned([3, 4 * mega]);
const floats = patterned([5 * mega]);
const longs = patterned([2 * mega], 'int64');

/**
 * For every operator the shapes that would keep it longest from its next look at the counter. `few`:
 * its work is bounded whatever its tensors.
 */
const cases: Partial<Record<OpName, () => Case[] | { few: Case[] }>> = {
  Linear: () => [
    linear(1, mega, 4),
    linear(40, 100_000, 6),
    linear(1, 8, mega / 2 + 1, gelu),
    linear(300, 64, 1000, gelu),
  ],
  Conv: () => [
    conv([1, 1, mega], [1, 1], 4),
    conv([3, 3, mega / 4], [3, 3], 4),
    conv([1, mega, 1], [1, 9], 4),
    conv([1, mega / 2, 4], [1, 3], 6, 2, gelu),
    conv([80, 80, 16], [11, 11], 24),
    conv([1, 20_000, 1], [1, 400], 16),
    conv([2, mega / 8, 16], [1, 1], 8, 1, relu),
  ],
  DepthwiseConv: () => [
    depthwise(1, mega / 2, 4, 1, 3),
    depthwise(1, 20_000, 6, 1, 1000, gelu),
    depthwise(100, 100, 64, 7, 7),
  ],
  MatMul: () => [
    matmul([1, 8], [8, mega]),
    matmul([1, 4 * mega], [4 * mega, 1]),
    matmul([2, mega], [4, mega], 0, 1),
    matmul([40, 50_000], [50_000, 18]),
    matmul([20, 50_000], [18, 50_000], 0, 1, 0.5),
    matmul([mega / 2, 4], [mega / 2, 4], 1),
    matmul([2000, 8], [8, 2000], 0, 0, 0.5),
  ],
  Binary: () => [
    ['a row', [floats, floats], [BinaryKind.add, ...noEpilogue]],
    [
      'a row and its number',
      [patterned([3, mega]), patterned([3, 1])],
      [BinaryKind.mul, ...gelu],
      [0],
    ],
    ['columns', [patterned([mega, 1, 5]), patterned([1, 3, 1])], [BinaryKind.sub, ...relu]],
    ['powers', [patterned([mega]), patterned([mega])], [BinaryKind.pow, ...noEpilogue]],
    [
      'powers of integers',
      [patterned([mega], 'int64'), patterned([mega], 'int64')],
      [BinaryKind.pow, ...noEpilogue],
    ],
    ['quotients of integers', [longs, longs], [BinaryKind.div, ...noEpilogue]],
    [
      'bools',
      [patterned([2 * mega], 'bool'), patterned([1], 'bool')],
      [BinaryKind.and, ...noEpilogue],
    ],
    ['comparisons', [floats, scalarFloat(0.5)], [BinaryKind.less, ...noEpilogue]],
  ],
  Unary: () => [
    ['in four lanes', [floats], [UnaryKind.gelu, 0, 0]],
    ['one by one', [patterned([mega])], [UnaryKind.sin, 0, 0], [0]],
    ['bools', [patterned([2 * mega], 'bool')], [UnaryKind.not, 0, 0]],
    ['integers', [longs], [UnaryKind.sign, 0, 0]],
  ],
  Cast: () => [
    ['to int64', [floats], [DType.int64]],
    ['to bool', [longs.dtype === 'int64' ? patterned([3 * mega], 'int64') : longs], [DType.bool]],
    ['to the same type', [copied], [DType.float32]],
  ],
  Softmax: () => [
    ['one row', [patterned([1, mega])], [1], [0]],
    ['one column of 3', [patterned([mega, 3])], [0]],
    ['columns', [patterned([1, 10, mega / 8])], [1]],
    ['rows', [patterned([mega / 16, 30])], [1]],
  ],
  LayerNorm: () => [
    ['one row', [floats, floats, floats], [0, f32Bits(1e-5)], []],
    ['rows', [patterned([mega / 16, 64]), patterned([64])], [-1, f32Bits(1e-5)], [0]],
  ],
  Reduce: () => [
    ...(['sum', 'max', 'prod', 'l2', 'mean'] as const).map((kind): Case => [
      `one row, ${kind}`,
      [patterned([8 * mega])],
      [ReduceKind[kind], 1, 0],
    ]),
    ['down 3 columns', [patterned([3 * mega, 3])], [ReduceKind.sumSquare, 0, 1, 0]],
    ['two long rows', [patterned([2, 4 * mega])], [ReduceKind.max, 0, 1, 0]],
    ['integers', [patterned([2 * mega], 'int64')], [ReduceKind.min, 0, 0]],
    ['several axes', [patterned([10, mega / 32, 5, 6])], [ReduceKind.mean, 0, 2, 1, 3]],
    ['of nothing', [patterned([0, 14 * mega])], [ReduceKind.mean, 0, 1, 0]],
  ],
  MaxPool: () => [
    pool(1, mega, 4, 1, 3),
    pool(2000, 2000, 1, 1999, 1999),
    pool(300, 300, 16, 5, 5),
  ],
  AveragePool: () => [pool(1, mega, 4, 1, 3, [0, 0]), pool(60_000, 60, 1, 60_000, 60, [0, 0])],
  GlobalAveragePool: () => [
    ['one channel', [patterned([1, 3000, 3000, 1])]],
    ['one pixel', [patterned([1, 1, 1, 9 * mega])]],
    ['images', [patterned([500, 7, 7, 400])]],
  ],
  Transpose: () => [
    ['two rows', [patterned([2, 2 * mega])], [1, 0]],
    ['two columns', [patterned([2 * mega, 2])], [1, 0]],
    ['int64', [patterned([3, mega], 'int64')], [1, 0]],
    ['bools', [patterned([2000, 2000], 'bool')], [1, 0]],
    ['planes', [patterned([500, 20, 30, 12])], [2, 0, 3, 1]],
  ],
  Reshape: () => [['a copy', [copied, indexes([-1, 2])], [0]]],
  Shape: () => ({ few: [['of a large tensor', [copied], [0, 0x7fffffff]]] }),
  Gather: () => [
    ['many rows', [patterned([1000, 1]), patterned([mega], 'int64')].map(below(1000)), [0]],
    ['two long rows', [copied, indexes([2, -1, 0])], [0]],
    ['the last axis', [patterned([mega / 2, 3]), indexes([2, 0])], [1]],
    ['rows of 100 bytes', [patterned([50, 25]), patterned([mega], 'int64')].map(below(50)), [0]],
  ],
  Slice: () => [
    [
      'every second',
      [patterned([8 * mega]), indexes([0]), indexes([8 * mega]), indexes([0]), indexes([2])],
    ],
    [
      'backwards',
      [patterned([2, 2 * mega]), indexes([-1]), indexes([-(2 ** 40)]), indexes([1]), indexes([-1])],
    ],
    [
      'all but one',
      [patterned([13 * mega]), indexes([1]), indexes([2 ** 40]), indexes([0]), indexes([1])],
    ],
    ['columns', [patterned([mega, 5]), indexes([1]), indexes([4]), indexes([1]), indexes([1])]],
  ],
  Concat: () => [
    ['two long rows', [patterned([1, 7 * mega]), patterned([1, 7 * mega])], [1]],
    ['short rows', [patterned([mega / 2, 1]), patterned([mega / 2, 3])], [1]],
    ['many', Array.from({ length: 250 }, () => patterned([1, mega / 16])), [0]],
  ],
  Squeeze: () => [['a copy', [patterned([1, 13 * mega])]]],
  Unsqueeze: () => [['a copy', [copied, indexes([0])]]],
  Flatten: () => [['a copy', [copied], [0]]],
  Identity: () => [['a copy', [copied]]],
  Expand: () => [
    ['one number', [patterned([1]), indexes([5 * mega])]],
    ['a column', [patterned([mega, 1]), indexes([1, 3])]],
    ['a row', [patterned([1, mega]), indexes([13, mega])]],
  ],
  Where: () => [
    ['a row', [patterned([3 * mega], 'bool'), patterned([3 * mega]), patterned([1])]],
    [
      'columns',
      [patterned([2, 1], 'bool'), patterned([1, mega], 'int64'), patterned([2, 1], 'int64')],
    ],
  ],
  ConstantOfShape: () => [
    ['floats', [indexes([14 * mega])], [DType.float32, one, 0]],
    ['bools', [indexes([60 * mega])], [DType.bool, 1, 0]],
  ],
  Range: () => [['integers', [scalar(5), scalar(3 * mega), scalar(1)]]],
  Pad: () => [
    ['one row', [patterned([6 * mega]), indexes([4 * mega, 2 * mega])], [0]],
    ['edges', [patterned([2]), indexes([mega, mega])], [2]],
    ['reflected', [patterned([mega]), indexes([mega - 1, mega - 1])], [1]],
    ['long blocks', [patterned([2, 4 * mega]), indexes([1, 0, 1, 0])], [2]],
    ['images', [patterned([1, 2000, 1000, 4]), indexes([0, 1, 1, 0, 0, 1, 1, 0])], [0]],
  ],
};

function scalarFloat(value: number): Bytes {
  return { dtype: 'float32', dims: [], bytes: new Uint8Array(new Float32Array([value]).buffer) };
}

/** Indices of an int64 tensor brought below `size`. */
function below(size: number) {
  return (tensor: Bytes): Bytes => {
    if (tensor.dtype === 'int64') {
      const view = new Int32Array(tensor.bytes.buffer);
      for (let i = 0; i < view.length; i += 2) view[i] = view[i]! % size;
    }
    return tensor;
  };
}

let engine: MeteredEngine;
beforeAll(async () => {
  engine = await MeteredEngine.create();
});

it('knows every operator that has no test of its own', () => {
  expect(Object.keys(cases).sort()).toEqual([...inTables].sort());
});

describe.each(inTables)('%s', (op) => {
  const made = cases[op]!();
  if ('few' in made) {
    it.each(made.few)('%s: few instructions', (_, inputs, words) => {
      expect(engine.run({ op, inputs, words }, false).instructions).toBeLessThan(fewInstructions);
    });
    return;
  }
  it.each(made)('%s: goes on in other messages', (name, inputs, words, dies) => {
    const node = { op, inputs, words, dies };
    const whole = engine.run(node, false);
    const cut = engine.run(node, true);
    if (process.env['PRINT']) {
      console.info(op, name, { ...whole, output: whole.output.length }, cut.messages);
    }
    expect(whole.messages).toBe(1);
    expect(cut.messages).toBeGreaterThanOrEqual(3);
    expect(Buffer.compare(cut.output, whole.output)).toBe(0);
    expect(whole.longest).toBeLessThan(longestStretch);
  });
});
