import {
  activationRange,
  int4Block,
  integerSumDepth,
  packedChannels,
  packInt4,
  packInt8,
} from '@canopy/protocol';
import { beforeAll, describe, expect, it } from 'vitest';
import { floats, random } from './compare.js';
import { Engine, f32Bits, noEpilogue, type TestTensor } from './engine.js';
import { paddedBias } from './layout.js';

const kinds = ['int8', 'int4'] as const;
type Kind = (typeof kinds)[number];
const f = Math.fround;

let engine: Engine;
beforeAll(async () => {
  engine = await Engine.create();
});

/** Integer weights [depth, n] over the whole range of their kind, and their scales by block. */
interface Weights {
  kind: Kind;
  depth: number;
  n: number;
  values: Int8Array;
  /** int8: [n]; int4: [blocks, n]. */
  scales: Float32Array;
}

function weights(kind: Kind, depth: number, n: number, seed = 7): Weights {
  const [low, high] = kind === 'int8' ? [-128, 127] : [-8, 7];
  const values = Int8Array.from(random([depth * n], seed).data, (x) =>
    Math.min(high, Math.floor(low + ((x + 1) / 2) * (high - low + 1))),
  );
  const blocks = kind === 'int8' ? 1 : Math.ceil(depth / int4Block);
  const scales = Float32Array.from(random([blocks * n], seed + 1).data, (x) => 0.01 + Math.abs(x));
  return { kind, depth, n, values, scales };
}

function inputsOf(a: TestTensor, w: Weights, bias: TestTensor): (TestTensor | undefined)[] {
  const { kind, depth, n, values, scales } = w;
  const get = (k: number, j: number): number => values[k * n + j]!;
  if (kind === 'int8') {
    const data = packInt8(depth, n, get);
    const padded = new Float32Array(packedChannels(n));
    padded.set(scales);
    return [
      a,
      { dtype: 'int8', dims: [data.length], data },
      paddedBias(bias),
      floats([padded.length], padded),
    ];
  }
  const data = packInt4(depth, n, get, (block, j) => scales[block * n + j]!);
  return [a, { dtype: 'uint8', dims: [data.length], data }, paddedBias(bias)];
}

const nearestEven = (x: number): number => {
  const low = Math.floor(x);
  const rest = x - low;
  if (rest !== 0.5) return Math.round(x);
  return low % 2 === 0 ? low : low + 1;
};

/** The plain twin of the kernels: the same numbers rounded at the same places. */
function reference(a: TestTensor, w: Weights, bias: TestTensor): Float32Array {
  const { kind, depth, n } = w;
  const rows = a.data.length / depth;
  const range = kind === 'int8' ? activationRange(depth) : 32767;
  const sumDepth = kind === 'int8' ? integerSumDepth : int4Block;
  const out = new Float32Array(rows * n);
  for (let r = 0; r < rows; r++) {
    const row = Array.from({ length: depth }, (_, k) => a.data[r * depth + k]!);
    const most = Math.max(f(1e-30), ...row.map(Math.abs));
    const inverse = f(range / most);
    const unit = f(most / range);
    const x = row.map((value) => nearestEven(f(value * inverse)));
    for (let j = 0; j < n; j++) {
      let total = kind === 'int8' ? bias.data[j]! : 0;
      for (let first = 0; first < depth; first += sumDepth) {
        let sum = 0;
        for (let k = first; k < Math.min(first + sumDepth, depth); k++) {
          sum += x[k]! * w.values[k * n + j]!;
        }
        expect(Math.abs(sum)).toBeLessThan(2 ** 31);
        if (kind === 'int8') total = f(total + f(f(f(sum) * unit) * w.scales[j]!));
        else {
          const product = f(sum * w.scales[(first / int4Block) * n + j]!);
          total = first === 0 ? product : f(total + product);
        }
      }
      out[r * n + j] = kind === 'int8' ? total : f(f(total * unit) + bias.data[j]!);
    }
  }
  return out;
}

describe.each(kinds)('Linear with %s weights', (kind) => {
  it.each([
    [1, 256, 16],
    [3, 40, 10],
    [4, 128, 27],
    [7, 33, 4],
    [15, 300, 21],
    [16, 64, 12],
    [31, 592, 9],
    [2, 1, 1],
    [5, 1100, 1030],
    [9, 4500, 6],
    [1, 9000, 5],
  ])('%i rows, %i deep, %i channels: the bits of its plain twin', (rows, depth, n) => {
    const a = random([rows, depth], 3, 5);
    const w = weights(kind, depth, n);
    const bias = random([n], 5);
    const [out] = engine.run('Linear', inputsOf(a, w, bias), [depth, n, ...noEpilogue]);
    expect(out!.dims).toEqual([rows, n]);
    expect(Float32Array.from(out!.data)).toEqual(reference(a, w, bias));
  });

  it('gives a row the same bits whatever the number of rows, 1 to 70', () => {
    const [depth, n] = [200, 20];
    const a = random([70, depth], 3);
    const w = weights(kind, depth, n);
    const bias = random([n], 5);
    const run = (rows: number): ArrayLike<number> =>
      engine.run(
        'Linear',
        inputsOf(floats([rows, depth], Array.from(a.data).slice(0, rows * depth)), w, bias),
        [depth, n, ...noEpilogue],
      )[0]!.data;
    const all = Array.from(run(70));
    for (let rows = 1; rows < 70; rows++) {
      expect(Array.from(run(rows))).toEqual(all.slice(0, rows * n));
    }
  });

  it('holds the largest sums there can be', () => {
    for (const depth of [16, 512, 513, 4096]) {
      const a = floats([5, depth], new Float32Array(5 * depth).fill(3));
      const w = weights(kind, depth, 4);
      w.values.fill(kind === 'int8' ? -128 : -8);
      const bias = floats([4], [0, 1, 2, 3]);
      const [out] = engine.run('Linear', inputsOf(a, w, bias), [depth, 4, ...noEpilogue]);
      expect(Float32Array.from(out!.data)).toEqual(reference(a, w, bias));
    }
  });

  it('goes on after a yield where it was', () => {
    const [rows, depth, n] = [50, 2100, 1500];
    const a = random([rows, depth], 3);
    const inputs = inputsOf(a, weights(kind, depth, n), random([n], 5));
    const hardSwish = [3, 0, 0, f32Bits(2), f32Bits(0.5)];
    const before = engine.yields;
    const [broken] = engine.run('Linear', inputs, [depth, n, ...hardSwish], { yieldAlways: true });
    expect(engine.yields).toBeGreaterThan(before + 10);
    const [whole] = engine.run('Linear', inputs, [depth, n, ...hardSwish]);
    expect(broken!.data).toEqual(whole!.data);
  });

  it('applies the epilogue', () => {
    const [depth, n] = [48, 10];
    const a = random([6, depth], 3);
    const w = weights(kind, depth, n);
    const bias = random([n], 5);
    const relu = [1, 0, 0, f32Bits(1), 0];
    const [out] = engine.run('Linear', inputsOf(a, w, bias), [depth, n, ...relu]);
    expect(Float32Array.from(out!.data)).toEqual(reference(a, w, bias).map((x) => Math.max(x, 0)));
  });

  it('keeps NaN and infinities in their own rows, and takes tiny and huge ones', () => {
    const [depth, n] = [40, 6];
    const a = random([5, depth], 3);
    const data = a.data as Float32Array;
    data[3] = NaN;
    data[depth + 36] = -Infinity;
    data.set(new Float32Array(depth).fill(1e-42), 2 * depth);
    data.set(new Float32Array(depth).fill(1e30), 3 * depth);
    const w = weights(kind, depth, n);
    const bias = random([n], 5);
    const [out] = engine.run('Linear', inputsOf(a, w, bias), [depth, n, ...noEpilogue]);
    const values = Array.from(out!.data);
    expect(values.slice(0, 2 * n).every(Number.isNaN)).toBe(true);
    const rest = floats([3, depth], data.slice(2 * depth));
    expect(Float32Array.from(values.slice(2 * n))).toEqual(reference(rest, w, bias));
  });

  it('names what does not fit', () => {
    const inputs = inputsOf(random([2, 40]), weights(kind, 40, 6), random([6]));
    expect(() => engine.run('Linear', inputs, [40, 12, ...noEpilogue])).toThrow(
      kind === 'int8' ? 'must hold 576 int8 values' : 'must hold 480 bytes of int4 blocks',
    );
  });
});

it('int8 weights need their scales', () => {
  const inputs = inputsOf(random([2, 40]), weights('int8', 40, 6), random([6])).slice(0, 3);
  expect(() => engine.run('Linear', inputs, [40, 6, ...noEpilogue])).toThrow(
    'weight 3 must hold 8 float32 values',
  );
});
