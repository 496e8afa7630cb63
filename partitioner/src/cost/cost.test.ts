import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { fixedShapes, noEpilogue, type OpAttributes, type Program } from '../graph/program.js';
import { costSchedule, workCost } from './model.js';
import { stageCost, type StageWork } from './stage.js';
import { convWork, depthwiseWork } from './work/convolution.js';
import { gemmWork, productWork } from './work/gemm.js';
import { multiplyAdds, nodeWork } from './work/node-work.js';
import { broadcastWalk, stridedWork } from './work/strided.js';
import type { Work } from './work/work.js';

const upTo = (max: number, min = 1): fc.Arbitrary<number> => fc.integer({ min, max });
const geometry = fc
  .record({
    size: fc.tuple(upTo(20), upTo(20)),
    kernel: fc.tuple(upTo(5), upTo(5)),
    strides: fc.tuple(upTo(3), upTo(3)),
    pads: fc.tuple(upTo(4, 0), upTo(4, 0), upTo(4, 0), upTo(4, 0)),
    dilations: fc.tuple(upTo(2), upTo(2)),
  })
  .map((shape) => {
    const out = [0, 1].map((axis) => {
      const reach = (shape.kernel[axis]! - 1) * shape.dilations[axis]! + 1;
      const room = shape.size[axis]! + shape.pads[axis]! + shape.pads[axis + 2]! - reach;
      return Math.floor(room / shape.strides[axis]!) + 1;
    });
    return { ...shape, out };
  })
  .filter(({ out }) => out.every((size) => size > 0));

type Geometry = typeof geometry extends fc.Arbitrary<infer T> ? T : never;

function attributesOf(shape: Geometry, channels: number, group: number): OpAttributes['Conv'] {
  const { kernel, strides, pads, dilations } = shape;
  return {
    kernel,
    strides,
    pads,
    dilations,
    group,
    inChannels: channels,
    outChannels: channels,
    epilogue: noEpilogue,
  };
}

function imageFor({ size, out }: Geometry) {
  return { batch: 1, height: size[0], width: size[1], outHeight: out[0]!, outWidth: out[1]! };
}

/** Pairs of an output pixel and a tap that lies inside the image, one by one. */
function tapsInside({ size, kernel, strides, pads, dilations, out }: Geometry): number {
  let count = 0;
  for (let y = 0; y < out[0]!; y++) {
    for (let x = 0; x < out[1]!; x++) {
      for (let ky = 0; ky < kernel[0]; ky++) {
        for (let kx = 0; kx < kernel[1]; kx++) {
          const iy = y * strides[0] - pads[0] + ky * dilations[0];
          const ix = x * strides[1] - pads[1] + kx * dilations[1];
          if (iy >= 0 && iy < size[0] && ix >= 0 && ix < size[1]) count++;
        }
      }
    }
  }
  return count;
}

/** Multiply-adds of 4 lanes that the pieces of a product make. */
function lanesOf(work: readonly Work[]): number {
  return work.reduce((sum, { kernel, counts }) => {
    const depth = /^gemm(\d+)$/.exec(kernel)?.[1];
    return depth === undefined ? sum : sum + Number(depth) * (counts['sum'] ?? 0);
  }, 0);
}

describe('work of convolutions', () => {
  it('counts every tap inside the image, no padding', () => {
    fc.assert(
      fc.property(geometry, fc.constantFrom(4, 8, 20, 48), (shape, channels) => {
        const work = convWork(attributesOf(shape, channels, 1), imageFor(shape));
        expect(lanesOf(work)).toBe((tapsInside(shape) * channels * channels) / 4);
      }),
    );
  });

  it('counts every tap of a filter for each channel', () => {
    fc.assert(
      fc.property(geometry, fc.constantFrom(4, 16, 24), (shape, channels) => {
        const work = depthwiseWork(attributesOf(shape, channels, channels), imageFor(shape));
        const taps = work.reduce((sum, { kernel, counts }) => {
          const square = kernel === 'depthwise3x3' ? 9 * (counts['sum'] ?? 0) : 0;
          return sum + square + (counts['multiplyAdd4'] ?? 0);
        }, 0);
        expect(taps).toBe((tapsInside(shape) * channels) / 4);
      }),
    );
  });
});

describe('work of products', () => {
  it('multiplies each number with each weight once', () => {
    fc.assert(
      fc.property(upTo(3000, 3), upTo(200), fc.constantFrom(4, 12, 16, 28, 64), (rows, k, n) => {
        const work = productWork(rows, k, n);
        const single = work.find(({ kernel }) => kernel === 'gemv')?.counts['multiplyAdd4'] ?? 0;
        expect(Math.round(lanesOf(work) + single)).toBe((rows * k * n) / 4);
      }),
    );
  });

  it('grows with rows, depth and channels', () => {
    const cost = (rows: number, depth: number, channels: number): number =>
      workCost(gemmWork([{ width: rows, height: 1, depth, blocks: 1 }], channels));
    expect(cost(100, 64, 64)).toBeGreaterThan(cost(50, 64, 64));
    expect(cost(100, 64, 64)).toBeGreaterThan(cost(100, 48, 64));
    expect(cost(100, 64, 64)).toBeGreaterThan(cost(100, 64, 48));
  });
});

describe('work of copies', () => {
  it('merges dimensions that lie together', () => {
    expect(
      broadcastWalk(
        [4, 5, 6],
        [
          [4, 5, 6],
          [5, 6],
        ],
      ),
    ).toEqual([
      { size: 4, steps: [30, 0] },
      { size: 30, steps: [1, 1] },
    ]);
    expect(broadcastWalk([2, 3], [[2, 3], [1]])).toEqual([{ size: 6, steps: [1, 0] }]);
    expect(broadcastWalk([1, 1], [[1, 1], []])).toEqual([{ size: 1, steps: [1, 1] }]);
  });

  it('knows transposes from rows', () => {
    const kernels = (steps: number[]): string[] =>
      stridedWork([8, 12], steps, 'float32').map(({ kernel }) => kernel);
    expect(kernels([1, 8])).toContain('transpose');
    expect(kernels([24, 1])).toContain('rows.strided');
    expect(kernels([0, 2])).toContain('gather');
  });
});

describe('cost of a stage', () => {
  const work: StageWork = {
    place: 'middle',
    kernels: 100_000_000,
    weightsRead: 1_000_000,
    scratchBytes: 500_000,
    touchedBytes: 500_000,
    heldBytes: 300_000,
    bytesReceived: 10_000,
    bytesSent: 10_000,
    bytesKept: 0,
  };

  it('adds pages under the schedule in force, none under the one before', () => {
    const now = stageCost(work, costSchedule('2026-07'), 1e9);
    const before = stageCost(work, costSchedule('2025-10'), 1e9);
    expect(before.pageInstructions).toBe(0);
    expect(now.pageInstructions).toBeGreaterThan(
      1.22 * work.weightsRead + 2.44 * work.touchedBytes,
    );
    expect(now.instructions - before.instructions).toBe(now.pageInstructions);
  });

  it('goes on in further messages where one does not hold the work', () => {
    const cost = stageCost(work, costSchedule('2026-07'), 30_000_000);
    expect(cost.messages).toBe(4);
    const once = stageCost(work, costSchedule('2026-07'), 1e9);
    expect(cost.instructions).toBeGreaterThan(once.instructions);
  });
});

it('every operation has a cost', () => {
  const shapes = (...dims: number[]) => fixedShapes(dims);
  const program: Program = {
    inputs: ['x'],
    outputs: ['y'],
    nodes: [],
    values: new Map([
      ['x', { name: 'x', dtype: 'float32', shapes: shapes(2, 8) }],
      ['w', { name: 'w', dtype: 'float32', shapes: shapes(8, 4) }],
      ['b', { name: 'b', dtype: 'float32', shapes: shapes(4) }],
      ['y', { name: 'y', dtype: 'float32', shapes: shapes(2, 4) }],
    ]),
  };
  const linear = {
    op: 'Linear' as const,
    name: '',
    inputs: ['x', 'w', 'b'],
    outputs: ['y'],
    attributes: { k: 8, n: 4, epilogue: noEpilogue },
  };
  expect(multiplyAdds(program, linear, 1)).toBe(64);
  expect(workCost(nodeWork(program, linear, 1))).toBeGreaterThan(64);
});
