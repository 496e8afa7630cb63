import { beforeAll, describe, expect, it } from 'vitest';
import fc from 'fast-check';
import { Engine, f32Bits, noEpilogue } from './engine.js';
import { expectClose, floats, random } from './compare.js';
import {
  channelsFirst,
  channelsLast,
  depthwiseFilter,
  packedFilter,
  paddedBias,
} from './layout.js';
import { onnxruntime } from './onnxruntime.js';

let engine: Engine;
beforeAll(async () => {
  engine = await Engine.create();
});

interface Case {
  batch?: number;
  size: [number, number];
  inC: number;
  outC: number;
  kernel: [number, number];
  stride?: [number, number];
  /** top, left, bottom, right */
  pads?: [number, number, number, number];
  dilation?: [number, number];
  group?: number;
  relu?: boolean;
  yieldAlways?: boolean;
}

async function check(c: Case, op: 'Conv' | 'DepthwiseConv' = 'Conv'): Promise<void> {
  const { batch = 1, size, inC, outC, kernel, group = 1, relu = false } = c;
  const stride = c.stride ?? [1, 1];
  const pads = c.pads ?? [0, 0, 0, 0];
  const dilation = c.dilation ?? [1, 1];
  const x = random([batch, inC, ...size], 1);
  const filter = random([outC, inC / group, ...kernel], 2);
  const bias = random([outC], 3);
  const [expected] = await onnxruntime({
    type: 'Conv',
    inputs: [x, filter, bias],
    attributes: { strides: stride, pads, dilations: dilation, group },
  });
  const weights =
    op === 'Conv'
      ? [packedFilter(filter, group), paddedBias(bias, group)]
      : [depthwiseFilter(filter), paddedBias(bias)];
  const epilogue = relu ? [1, 0, 0, f32Bits(1), 0] : noEpilogue;
  const words = [...kernel, ...stride, ...pads, ...dilation, group, inC, outC, ...epilogue];
  const options = c.yieldAlways ? { yieldAlways: true } : {};
  const [actual] = engine.run(op, [channelsLast(x), ...weights], words, options);
  const wanted = relu
    ? floats(
        expected!.dims,
        Array.from(expected!.data, (v) => Math.max(v, 0)),
      )
    : expected!;
  expectClose(channelsFirst(actual!), wanted, 2e-5);
}

const upTo = (max: number, min = 1): fc.Arbitrary<number> => fc.integer({ min, max });
const geometry = fc
  .record({
    batch: upTo(2),
    size: fc.tuple(upTo(12), upTo(12)),
    kernel: fc.tuple(upTo(5), upTo(5)),
    stride: fc.tuple(upTo(3), upTo(3)),
    pads: fc.tuple(upTo(3, 0), upTo(3, 0), upTo(3, 0), upTo(3, 0)),
    dilation: fc.tuple(upTo(2), upTo(2)),
    relu: fc.boolean(),
  })
  .filter(({ size, pads, kernel, dilation }) => {
    const fits = (axis: 0 | 1): boolean =>
      size[axis] + pads[axis] + pads[axis + 2]! >= (kernel[axis] - 1) * dilation[axis] + 1;
    return fits(0) && fits(1);
  });

describe('Conv', () => {
  const cases: Record<string, Case> = {
    pointwise: { size: [7, 9], inC: 24, outC: 40, kernel: [1, 1] },
    'pointwise, stride 2': { size: [7, 9], inC: 24, outC: 40, kernel: [1, 1], stride: [2, 2] },
    '3x3 same': { size: [8, 8], inC: 20, outC: 32, kernel: [3, 3], pads: [1, 1, 1, 1], relu: true },
    '3x3, few channels': {
      size: [9, 12],
      inC: 3,
      outC: 16,
      kernel: [3, 3],
      stride: [2, 2],
      pads: [1, 1, 1, 1],
      relu: true,
    },
    '7x7, stride 2, three channels': {
      size: [30, 31],
      inC: 3,
      outC: 20,
      kernel: [7, 7],
      stride: [2, 2],
      pads: [3, 3, 3, 3],
      relu: true,
    },
    'padding larger than half the filter': {
      size: [5, 5],
      inC: 4,
      outC: 8,
      kernel: [3, 3],
      pads: [2, 2, 2, 2],
      relu: true,
    },
    'padding as large as the filter': {
      size: [3, 3],
      inC: 4,
      outC: 5,
      kernel: [2, 2],
      pads: [3, 3, 3, 3],
      relu: true,
    },
    dilation: {
      size: [11, 12],
      inC: 6,
      outC: 9,
      kernel: [3, 3],
      dilation: [2, 3],
      pads: [2, 3, 2, 3],
    },
    groups: { size: [6, 7], inC: 12, outC: 18, kernel: [3, 3], group: 3, pads: [1, 1, 1, 1] },
    'groups of one input channel': {
      size: [6, 7],
      inC: 4,
      outC: 8,
      kernel: [3, 3],
      group: 4,
      pads: [1, 1, 1, 1],
    },
    'filter wider than the image': {
      size: [2, 2],
      inC: 3,
      outC: 4,
      kernel: [5, 5],
      pads: [2, 2, 2, 2],
    },
    'a batch': { batch: 3, size: [6, 5], inC: 17, outC: 6, kernel: [3, 2], pads: [0, 1, 1, 0] },
    'a row of text': {
      size: [3, 40],
      inC: 16,
      outC: 16,
      kernel: [3, 3],
      stride: [2, 1],
      pads: [1, 1, 1, 1],
    },
    yields: {
      batch: 2,
      size: [60, 60],
      inC: 64,
      outC: 40,
      kernel: [3, 3],
      pads: [1, 1, 1, 1],
      relu: true,
      yieldAlways: true,
    },
  };
  for (const [name, c] of Object.entries(cases)) it(name, () => check(c));

  it('yields in large images', () => {
    expect(engine.yields).toBeGreaterThan(3);
  });

  it('any shape', async () => {
    await fc.assert(
      fc.asyncProperty(
        geometry,
        fc.integer({ min: 1, max: 40 }),
        fc.integer({ min: 1, max: 20 }),
        async (g, inC, outC) => {
          await check({ ...g, inC, outC });
        },
      ),
      { numRuns: 150, seed: 1 },
    );
  });

  it('names what does not fit', () => {
    const words = [3, 3, 1, 1, 0, 0, 0, 0, 1, 1, 1, 2, 4, ...noEpilogue];
    const weights = [floats([72], new Float32Array(72)), undefined];
    expect(() => engine.run('Conv', [random([1, 5, 5, 3]), ...weights], words)).toThrow(
      'input "in0" float32[1,5,5,3] must be of as many channels as the filters',
    );
    expect(() => engine.run('Conv', [random([1, 2, 5, 2]), ...weights], words)).toThrow(
      'must be at least as large as the kernel',
    );
  });
});

describe('DepthwiseConv', () => {
  const cases: Record<string, Omit<Case, 'outC' | 'group'>> = {
    '3x3 same': { size: [9, 10], inC: 36, kernel: [3, 3], pads: [1, 1, 1, 1], relu: true },
    '3x3, stride 2': { size: [9, 10], inC: 16, kernel: [3, 3], stride: [2, 2], pads: [1, 1, 1, 1] },
    '5x5 same': { size: [9, 10], inC: 19, kernel: [5, 5], pads: [2, 2, 2, 2], relu: true },
    dilation: {
      size: [12, 9],
      inC: 5,
      kernel: [3, 3],
      dilation: [2, 3],
      pads: [2, 3, 2, 3],
      relu: true,
    },
    'filter wider than the image': { size: [1, 2], inC: 7, kernel: [3, 5], pads: [1, 2, 1, 2] },
    'stride 2x1': { size: [6, 40], inC: 24, kernel: [5, 5], stride: [2, 1], pads: [2, 2, 2, 2] },
    yields: {
      batch: 2,
      size: [100, 100],
      inC: 70,
      kernel: [3, 3],
      pads: [1, 1, 1, 1],
      yieldAlways: true,
    },
  };
  for (const [name, c] of Object.entries(cases)) {
    it(name, () => check({ ...c, outC: c.inC, group: c.inC }, 'DepthwiseConv'));
  }

  it('any shape', async () => {
    await fc.assert(
      fc.asyncProperty(geometry, fc.integer({ min: 1, max: 24 }), async (g, channels) => {
        await check({ ...g, inC: channels, outC: channels, group: channels }, 'DepthwiseConv');
      }),
      { numRuns: 150, seed: 2 },
    );
  });
});
