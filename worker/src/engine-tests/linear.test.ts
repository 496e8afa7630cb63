import { beforeAll, describe, expect, it } from 'vitest';
import { Engine, f32Bits, noEpilogue, type TestTensor } from './engine.js';
import { expectClose, floats, random } from './compare.js';
import { packedWeights, paddedBias } from './layout.js';

let engine: Engine;
beforeAll(async () => {
  engine = await Engine.create();
});

function reference(
  a: TestTensor,
  w: TestTensor,
  bias: TestTensor,
  depth: number,
  n: number,
): TestTensor {
  const rows = a.data.length / depth;
  const out = new Float64Array(rows * n);
  for (let r = 0; r < rows; r++) {
    for (let k = 0; k < depth; k++) {
      for (let j = 0; j < n; j++) out[r * n + j]! += a.data[r * depth + k]! * w.data[k * n + j]!;
    }
    for (let j = 0; j < n; j++) out[r * n + j]! += bias.data[j]!;
  }
  return floats([...a.dims.slice(0, -1), n], out);
}

describe('Linear', () => {
  for (const rows of [1, 2, 3, 8, 33]) {
    it(`${rows} rows, all tails of depth and channels`, () => {
      for (const depth of [1, 3, 8, 31, 63, 144]) {
        for (const n of [1, 4, 10, 16, 27, 48]) {
          const a = random([rows, depth], 1);
          const w = random([depth, n], 2);
          const bias = random([n], 3);
          const inputs = [a, packedWeights(w, depth, n), paddedBias(bias)];
          const [out] = engine.run('Linear', inputs, [depth, n, ...noEpilogue]);
          const expected = reference(a, w, bias, depth, n);
          expectClose(out!, expected);
          const relu = [1, 0, 0, f32Bits(1), 0];
          const [clamped] = engine.run('Linear', inputs, [depth, n, ...relu]);
          expectClose(
            clamped!,
            floats(
              expected.dims,
              Array.from(expected.data, (x) => Math.max(x, 0)),
            ),
          );
        }
      }
    });
  }

  it('goes on after a yield where it was', () => {
    const [rows, depth, n] = [300, 400, 200];
    const a = random([rows, depth], 1);
    const w = random([depth, n], 2);
    const bias = random([n], 3);
    const inputs = [a, packedWeights(w, depth, n), paddedBias(bias)];
    const hardSwish = [3, 0, 0, f32Bits(2), f32Bits(0.5)];
    const before = engine.yields;
    const [out] = engine.run('Linear', inputs, [depth, n, ...hardSwish], { yieldAlways: true });
    expect(engine.yields).toBeGreaterThan(before + 3);
    const expected = Array.from(
      reference(a, w, bias, depth, n).data,
      (x) => ((x * Math.min(Math.max(x + 3, 0), 6)) / 6) * 2 + 0.5,
    );
    expectClose(out!, floats([rows, n], expected), 2e-5);
  });

  it('keeps NaN and infinities in their own rows', () => {
    const [depth, n] = [37, 21];
    const w = random([depth, n], 2);
    const inputs = (a: TestTensor): TestTensor[] => [
      a,
      packedWeights(w, depth, n),
      floats([24], new Float32Array(24)),
    ];
    for (const rows of [2, 5]) {
      const a = random([rows, depth], 1);
      const data = a.data as Float32Array;
      data[3] = NaN;
      data[depth + 36] = Infinity;
      const [plain] = engine.run('Linear', inputs(a), [depth, n, ...noEpilogue]);
      expectClose(plain!, reference(a, w, floats([n], new Float32Array(n)), depth, n));
      const relu = [1, 0, 0, f32Bits(1), 0];
      const [clamped] = engine.run('Linear', inputs(a), [depth, n, ...relu]);
      expect(Array.from(clamped!.data).slice(0, n).every(Number.isNaN)).toBe(true);
      expectClose(
        clamped!,
        floats(
          [rows, n],
          Array.from(plain!.data, (x) => (x < 0 ? 0 : x)),
        ),
      );
    }
  });

  it('of huge and tiny values', () => {
    const [rows, depth, n] = [4, 20, 6];
    for (const scale of [1e-30, 1e15]) {
      const a = random([rows, depth], 1, scale);
      const w = random([depth, n], 2, scale);
      const bias = floats([n], new Float32Array(n));
      const [out] = engine.run(
        'Linear',
        [a, packedWeights(w, depth, n), paddedBias(bias)],
        [depth, n, ...noEpilogue],
      );
      expectClose(out!, reference(a, w, bias, depth, n), 1e-4);
    }
  });

  it('names what does not fit', () => {
    const w = packedWeights(random([4, 4]), 4, 4);
    expect(() =>
      engine.run('Linear', [random([2, 5]), w, undefined], [4, 4, ...noEpilogue]),
    ).toThrow(
      'node "node" (Linear): input "in0" float32[2,5] must be float32 with the last dimension of the weights',
    );
    expect(() =>
      engine.run('Linear', [random([2, 4]), random([15]), undefined], [4, 4, ...noEpilogue]),
    ).toThrow('weight 1 must hold 16 float32 values');
  });
});

describe('Linear, whatever the number of rows', () => {
  it.each([
    [40, 27],
    [64, 16],
    [75, 58],
    [600, 304],
  ])('gives a row the same bits, 1 to 70 rows, %i deep, %i channels', (depth, n) => {
    const a = random([70, depth], 1);
    const w = packedWeights(random([depth, n], 2), depth, n);
    const bias = paddedBias(random([n], 3));
    const run = (rows: number): number[] => {
      const some = floats([rows, depth], Array.from(a.data).slice(0, rows * depth));
      const clip = [2, f32Bits(-0.5), f32Bits(0.75), f32Bits(1), 0];
      return Array.from(engine.run('Linear', [some, w, bias], [depth, n, ...clip])[0]!.data);
    };
    const all = run(70);
    for (let rows = 1; rows < 70; rows++) expect(run(rows)).toEqual(all.slice(0, rows * n));
  });

  it('adds products one by one from the bias on', () => {
    const [rows, depth, n] = [21, 333, 50];
    const [a, w, bias] = [random([rows, depth], 1), random([depth, n], 2), random([n], 3)];
    const expected = new Float32Array(rows * n);
    for (let r = 0; r < rows; r++) {
      for (let j = 0; j < n; j++) {
        let sum = bias.data[j]!;
        for (let k = 0; k < depth; k++) {
          sum = Math.fround(sum + Math.fround(a.data[r * depth + k]! * w.data[k * n + j]!));
        }
        expected[r * n + j] = sum;
      }
    }
    const inputs = [a, packedWeights(w, depth, n), paddedBias(bias)];
    const [out] = engine.run('Linear', inputs, [depth, n, ...noEpilogue]);
    expect(Float32Array.from(out!.data)).toEqual(expected);
  });
});
