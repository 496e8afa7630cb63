import { beforeAll, describe, expect, it } from 'vitest';
import { Engine, f32Bits, type TestTensor } from './engine.js';
import { expectClose, random } from './compare.js';
import { onnxruntime } from './onnxruntime.js';

let engine: Engine;
beforeAll(async () => {
  engine = await Engine.create();
});

const plain = [0, 0, f32Bits(1)];

async function check(a: TestTensor, b: TestTensor): Promise<void> {
  const [expected] = await onnxruntime({ type: 'MatMul', inputs: [a, b] });
  expectClose(engine.run('MatMul', [a, b], plain)[0]!, expected!, 5e-6);
}

describe('MatMul', () => {
  it('all shapes of numpy', async () => {
    const shapes: [number[], number[]][] = [
      [[5], [5]],
      [[5], [5, 7]],
      [[3, 5], [5]],
      [
        [3, 5],
        [5, 7],
      ],
      [
        [2, 3, 5],
        [5, 18],
      ],
      [
        [2, 3, 5],
        [2, 5, 4],
      ],
      [
        [2, 1, 3, 5],
        [4, 5, 6],
      ],
      [
        [3, 5],
        [2, 2, 5, 6],
      ],
      [
        [1, 40],
        [40, 33],
      ],
      [
        [20, 64],
        [64, 48],
      ],
      [
        [2, 0, 5],
        [2, 5, 3],
      ],
      [
        [2, 0],
        [0, 3],
      ],
    ];
    for (const [a, b] of shapes) await check(random(a, 1), random(b, 2));
  });

  it('transposed and scaled, as FusedMatMul', async () => {
    for (const rows of [1, 2, 9]) {
      for (const [transA, transB] of [
        [0, 0],
        [0, 1],
        [1, 0],
        [1, 1],
      ] as const) {
        const a = random(transA ? [2, 3, 21, rows] : [2, 3, rows, 21], 1);
        const b = random(transB ? [2, 3, 19, 21] : [2, 3, 21, 19], 2);
        const [expected] = await onnxruntime({
          type: 'FusedMatMul',
          domain: 'com.microsoft',
          inputs: [a, b],
          attributes: { transA, transB, alpha: { float: 0.125 } },
        });
        const [actual] = engine.run('MatMul', [a, b], [transA, transB, f32Bits(0.125)]);
        expectClose(actual!, expected!, 5e-6);
      }
    }
  });

  it('goes on after a yield where it was', () => {
    const words = [0, 1, f32Bits(0.5)];
    for (const [left, right] of [
      [
        [3, 70, 300],
        [3, 170, 300],
      ],
      [
        [1700, 333],
        [30, 333],
      ],
    ] as const) {
      const [a, b] = [random(left, 1), random(right, 2)];
      const before = engine.yields;
      const [whole] = engine.run('MatMul', [a, b], words);
      const [cut] = engine.run('MatMul', [a, b], words, { yieldAlways: true });
      expect(engine.yields).toBeGreaterThan(before);
      expect(cut).toEqual(whole);
    }
  });

  it('names what does not fit', () => {
    expect(() => engine.run('MatMul', [random([2, 3]), random([4, 5])], plain)).toThrow(
      'inputs "in0" float32[2,3] and "in1" float32[4,5]: inner dimensions must be equal',
    );
    expect(() => engine.run('MatMul', [random([2, 2, 3]), random([3, 3, 5])], plain)).toThrow(
      'must broadcast',
    );
  });
});
