import { beforeAll, describe, expect, it } from 'vitest';
import { ReduceKind, type ReduceName } from '@canopy/protocol';
import { Engine, f32Bits, type TestTensor } from './engine.js';
import { expectClose, floats, ints, random } from './compare.js';
import { channelsFirst, channelsLast } from './layout.js';
import { onnxruntime } from './onnxruntime.js';

let engine: Engine;
beforeAll(async () => {
  engine = await Engine.create();
});

describe('Softmax', () => {
  it('along every axis', async () => {
    for (const dims of [[7], [3, 1], [4, 37], [2, 5, 6], [2, 3, 4, 18]]) {
      for (let axis = -dims.length; axis < dims.length; axis++) {
        const x = random(dims, 3, 20);
        const [expected] = await onnxruntime({
          type: 'Softmax',
          inputs: [x],
          attributes: { axis },
        });
        for (const dies of [[], [0]]) {
          expectClose(engine.run('Softmax', [x], [axis], { dies })[0]!, expected!, 1e-6);
        }
      }
    }
  });

  it('of huge and masked values', async () => {
    const x = floats([2, 5], [3e38, -3e38, 0, 1, 2, 1, -Infinity, 2, -3.4e38, 0.5]);
    const [expected] = await onnxruntime({
      type: 'Softmax',
      inputs: [x],
      attributes: { axis: -1 },
    });
    expectClose(engine.run('Softmax', [x], [-1])[0]!, expected!, 1e-6);
  });

  it('goes on after a yield where it was', () => {
    const x = random([400, 1100], 2, 5);
    const before = engine.yields;
    const [whole] = engine.run('Softmax', [x], [-1]);
    const [cut] = engine.run('Softmax', [x], [-1], { yieldAlways: true, dies: [0] });
    expect(engine.yields).toBeGreaterThan(before);
    expect(cut).toEqual(whole);
  });
});

describe('LayerNorm', () => {
  it('with and without bias', async () => {
    for (const [dims, axis] of [
      [[3, 33], -1],
      [[2, 5, 64], -1],
      [[2, 3, 4, 5], 2],
      [[7], 0],
    ] as const) {
      const inner = dims.slice(axis);
      const x = random(dims, 1, 10);
      for (const tensors of [
        [x, random(inner, 2)],
        [x, random(inner, 2), random(inner, 3)],
      ]) {
        const [expected] = await onnxruntime({
          type: 'LayerNormalization',
          inputs: tensors,
          attributes: { axis, epsilon: { float: 1e-5 } },
        });
        for (const dies of [[], [0]]) {
          const [actual] = engine.run('LayerNorm', tensors, [axis, f32Bits(1e-5)], { dies });
          expectClose(actual!, expected!, 5e-6);
        }
      }
    }
  });

  it('of values far from zero', async () => {
    const x = floats(
      [1, 64],
      Array.from(random([64], 4).data, (v) => v + 1000),
    );
    const tensors = [x, random([64], 2), random([64], 3)];
    const [expected] = await onnxruntime({
      type: 'LayerNormalization',
      inputs: tensors,
      attributes: { axis: -1 },
    });
    expectClose(engine.run('LayerNorm', tensors, [-1, f32Bits(1e-5)])[0]!, expected!, 5e-4);
  });

  it('names what does not fit', () => {
    expect(() => engine.run('LayerNorm', [random([2, 3]), random([4])], [-1, 0])).toThrow(
      'input "in1" float32[4]',
    );
  });
});

describe('Reduce', () => {
  const types: Record<ReduceName, string> = {
    mean: 'ReduceMean',
    sum: 'ReduceSum',
    max: 'ReduceMax',
    min: 'ReduceMin',
    prod: 'ReduceProd',
    sumSquare: 'ReduceSumSquare',
    l2: 'ReduceL2',
  };
  for (const [name, type] of Object.entries(types)) {
    it(name, async () => {
      const cases: [number[], number[]][] = [
        [[5], [0]],
        [[3, 21], [-1]],
        [[3, 21], [0]],
        [
          [2, 3, 4, 17],
          [1, 2],
        ],
        [
          [2, 3, 4, 5],
          [0, 2],
        ],
        [
          [2, 3, 4, 5],
          [1, 3],
        ],
        [
          [2, 3, 4, 5, 2],
          [0, 2, 4],
        ],
        [[2, 3, 4], []],
        [[], []],
      ];
      for (const [dims, axes] of cases) {
        for (const keepdims of [0, 1]) {
          const x = random(dims, 2, 1.5);
          const [expected] = await onnxruntime({
            type,
            inputs: [x, ints(axes)],
            attributes: { keepdims },
            opset: 18,
          });
          const words = [ReduceKind[name as ReduceName], keepdims, axes.length, ...axes];
          expectClose(engine.run('Reduce', [x], words)[0]!, expected!, 5e-6);
        }
      }
    });
  }

  it('integers', () => {
    const x: TestTensor = { dtype: 'int64', dims: [2, 3], data: [1, -2, 3, 4, 5, 6] };
    const run = (kind: number): unknown => engine.run('Reduce', [x], [kind, 0, 1, 1])[0]!.data;
    expect(run(ReduceKind.sum)).toEqual([2, 15]);
    expect(run(ReduceKind.prod)).toEqual([-6, 120]);
    expect(run(ReduceKind.max)).toEqual([3, 6]);
    expect(run(ReduceKind.min)).toEqual([-2, 4]);
  });

  it('of nothing', () => {
    const x = floats([2, 0], []);
    expect(engine.run('Reduce', [x], [ReduceKind.sum, 0, 1, 1])[0]!.data).toEqual([0, 0]);
    expect(engine.run('Reduce', [x], [ReduceKind.max, 0, 1, 1])[0]!.data).toEqual([
      -Infinity,
      -Infinity,
    ]);
  });

  it('goes on after a yield where it was', () => {
    const x = random([40, 50, 30, 90], 2);
    const before = engine.yields;
    const words = [ReduceKind.mean, 0, 2, 1, 3];
    const [whole] = engine.run('Reduce', [x], words);
    const [cut] = engine.run('Reduce', [x], words, { yieldAlways: true });
    expect(engine.yields).toBeGreaterThan(before);
    expect(cut).toEqual(whole);
  });
});

/** MaxPool and AveragePool, with pads counted and not, of a random image [n, c, h, w]. */
async function comparePools(
  dims: number[],
  kernel: number[],
  strides: number[],
  pads: number[],
  ceil: number,
): Promise<void> {
  const x = random(dims, 1);
  const common = { kernel_shape: kernel, strides, pads, ceil_mode: ceil };
  const words = [...kernel, ...strides, ...pads, 1, 1, ceil];
  const input = [channelsLast(x)];
  const [largest] = await onnxruntime({ type: 'MaxPool', inputs: [x], attributes: common });
  expectClose(channelsFirst(engine.run('MaxPool', input, words)[0]!), largest!);
  for (const include of [0, 1]) {
    const [average] = await onnxruntime({
      type: 'AveragePool',
      inputs: [x],
      attributes: { ...common, count_include_pad: include },
      opset: 19,
    });
    const [actual] = engine.run('AveragePool', input, [...words, include]);
    expectClose(channelsFirst(actual!), average!);
  }
}

describe('pooling', () => {
  it('MaxPool and AveragePool', async () => {
    for (const channels of [1, 5, 16, 37]) {
      for (const kernel of [
        [2, 2],
        [3, 3],
        [1, 4],
      ]) {
        for (const strides of [
          [1, 1],
          [2, 2],
          [3, 2],
        ]) {
          for (const pads of [
            [0, 0, 0, 0],
            [0, 1, 0, 1],
          ]) {
            for (const ceil of [0, 1]) {
              await comparePools([2, channels, 8, 9], kernel, strides, pads, ceil);
            }
          }
        }
      }
    }
  });

  it('MaxPool with dilation', async () => {
    const x = random([1, 6, 9, 9], 1);
    const attributes = { kernel_shape: [3, 2], dilations: [2, 3], pads: [1, 1, 1, 1] };
    const [expected] = await onnxruntime({ type: 'MaxPool', inputs: [x], attributes });
    const [actual] = engine.run('MaxPool', [channelsLast(x)], [3, 2, 1, 1, 1, 1, 1, 1, 2, 3, 0]);
    expectClose(channelsFirst(actual!), expected!);
  });

  it('MaxPool of bytes', async () => {
    for (const dtype of ['uint8', 'int8'] as const) {
      for (const channels of [3, 16, 37]) {
        for (const dilation of [1, 2]) {
          const dims = [2, channels, 7, 9];
          const count = dims.reduce((a, b) => a * b, 1);
          const least = dtype === 'int8' ? -128 : 0;
          const data = Array.from({ length: count }, (_, i) => least + ((i * 7919) % 256));
          const x: TestTensor = { dtype, dims, data };
          const attributes = {
            kernel_shape: [3, 2],
            strides: [2, 1],
            pads: [1, 1, 2, 1],
            dilations: [dilation, dilation],
          };
          const [expected] = await onnxruntime({
            type: 'MaxPool',
            inputs: [x],
            attributes,
            outputs: [dtype],
          });
          const words = [3, 2, 2, 1, 1, 1, 2, 1, dilation, dilation, 0];
          const input = [{ ...channelsLast(x), dtype }];
          const [actual] = engine.run('MaxPool', input, words);
          const found = channelsFirst(actual!);
          expect(found.dims).toEqual(expected!.dims);
          expect(Array.from(found.data)).toEqual(Array.from(expected!.data));
          expect(engine.run('MaxPool', input, words, { yieldAlways: true })).toEqual([actual]);
        }
      }
    }
  });

  it('a window larger than the image by less than a stride fits once', async () => {
    for (const pads of [
      [0, 0, 0, 0],
      [0, 1, 0, 1],
    ]) {
      for (const ceil of [0, 1]) {
        await comparePools([1, 6, 2, 7], [3, 2], [2, 2], pads, ceil);
      }
    }
    // A stride larger, there is no place for it.
    const words = [3, 2, 1, 1, 0, 0, 0, 0, 1, 1, 0];
    expect(() => engine.run('MaxPool', [random([1, 2, 7, 6])], words)).toThrow(
      'must be at least as large as the kernel',
    );
  });

  it('GlobalAveragePool', async () => {
    for (const channels of [3, 16, 50]) {
      const x = random([2, channels, 5, 7], 1);
      const [expected] = await onnxruntime({ type: 'GlobalAveragePool', inputs: [x] });
      expectClose(channelsFirst(engine.run('GlobalAveragePool', [channelsLast(x)])[0]!), expected!);
    }
  });
});
