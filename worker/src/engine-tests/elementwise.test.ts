import { beforeAll, describe, expect, it } from 'vitest';
import fc from 'fast-check';
import { BinaryKind, DType, UnaryKind, type BinaryName, type UnaryName } from '@canopy/protocol';
import { Engine, f32Bits, noEpilogue, type TestTensor } from './engine.js';
import { expectClose, floats, ints, random } from './compare.js';
import { onnxruntime, type Attribute } from './onnxruntime.js';

let engine: Engine;
beforeAll(async () => {
  engine = await Engine.create();
});

const special = [
  0,
  -0,
  1,
  -1,
  0.5,
  -0.5,
  1e-30,
  -1e-30,
  1e-6,
  3,
  -3,
  2.5,
  -2.5,
  10,
  -10,
  88.9,
  -88.9,
  1e5,
  -1e5,
  1e30,
  -1e30,
  Infinity,
  -Infinity,
  NaN,
];

/** Kinds of Unary and the ONNX operator that is the same; alpha and beta where it has them. */
const kinds: Partial<
  Record<
    UnaryName,
    {
      type: string;
      attributes?: Record<string, Attribute>;
      alpha?: number;
      beta?: number;
      opset?: number;
    }
  >
> = {
  relu: { type: 'Relu' },
  hardSwish: { type: 'HardSwish' },
  hardSigmoid: {
    type: 'HardSigmoid',
    attributes: { alpha: { float: 0.3 }, beta: { float: 0.4 } },
    alpha: 0.3,
    beta: 0.4,
  },
  sigmoid: { type: 'Sigmoid' },
  gelu: { type: 'Gelu', opset: 20 },
  tanh: { type: 'Tanh' },
  leakyRelu: { type: 'LeakyRelu', attributes: { alpha: { float: 0.1 } }, alpha: 0.1 },
  erf: { type: 'Erf' },
  exp: { type: 'Exp' },
  log: { type: 'Log' },
  sqrt: { type: 'Sqrt' },
  reciprocal: { type: 'Reciprocal' },
  neg: { type: 'Neg' },
  abs: { type: 'Abs' },
  floor: { type: 'Floor' },
  ceil: { type: 'Ceil' },
  round: { type: 'Round' },
  sign: { type: 'Sign' },
  sin: { type: 'Sin' },
  cos: { type: 'Cos' },
  softplus: { type: 'Softplus' },
};

/** What onnxruntime does not define, or defines by its own rounding: left out of the special values. */
const undefinedAt: Partial<Record<UnaryName, (x: number) => boolean>> = {
  sin: (x) => Math.abs(x) > 1e6,
  cos: (x) => Math.abs(x) > 1e6,
  gelu: (x) => !Number.isFinite(x),
  hardSwish: (x) => !Number.isFinite(x) || Math.abs(x) > 1e20,
};

describe('Unary', () => {
  for (const [name, { type, attributes, alpha = 0, beta = 0, opset }] of Object.entries(kinds)) {
    it(name, async () => {
      const skip = undefinedAt[name as UnaryName];
      const data = [...special.filter((x) => !skip?.(x)), ...Array.from(random([333], 5, 9).data)];
      const x = floats([data.length], data);
      const [expected] = await onnxruntime({
        type,
        inputs: [x],
        attributes: attributes ?? {},
        opset: opset ?? 17,
      });
      const words = [UnaryKind[name as UnaryName], f32Bits(alpha), f32Bits(beta)];
      for (const dies of [[], [0]]) {
        const [actual] = engine.run('Unary', [x], words, { dies });
        expectClose(actual!, expected!, 2e-6);
      }
    });
  }

  it('clip, quickGelu and affine', () => {
    const x = random([3, 7], 1, 4);
    const each = (f: (v: number) => number): TestTensor => floats(x.dims, Array.from(x.data, f));
    const run = (kind: UnaryName, alpha: number, beta: number): TestTensor =>
      engine.run('Unary', [x], [UnaryKind[kind], f32Bits(alpha), f32Bits(beta)])[0]!;
    expectClose(
      run('clip', -1, 2),
      each((v) => Math.min(Math.max(v, -1), 2)),
    );
    expectClose(
      run('quickGelu', 1.702, 0),
      each((v) => v / (1 + Math.exp(-1.702 * v))),
    );
    expectClose(
      run('affine', 3, -1),
      each((v) => 3 * v - 1),
    );
    expectClose(run('none', 0, 0), x);
  });

  it('not, and integers', () => {
    const not = engine.run(
      'Unary',
      [{ dtype: 'bool', dims: [3], data: [0, 1, 2] }],
      [UnaryKind.not, 0, 0],
    );
    expect(not[0]!.data).toEqual([1, 0, 0]);
    const x = ints([-5, 0, 7]);
    expect(engine.run('Unary', [x], [UnaryKind.neg, 0, 0])[0]!.data).toEqual([5, 0, -7]);
    expect(engine.run('Unary', [x], [UnaryKind.abs, 0, 0])[0]!.data).toEqual([5, 0, 7]);
    expect(() => engine.run('Unary', [x], [UnaryKind.exp, 0, 0])).toThrow(
      'kind 17 of Unary for int64',
    );
  });

  it('goes on after a yield where it was', () => {
    const x = random([1_500_000], 1, 2);
    const before = engine.yields;
    const [actual] = engine.run('Unary', [x], [UnaryKind.tanh, 0, 0], {
      yieldAlways: true,
      dies: [0],
    });
    expect(engine.yields).toBeGreaterThan(before);
    expectClose(actual!, floats(x.dims, Array.from(x.data, Math.tanh)), 1e-6);
  });
});

const binaryTypes: Partial<Record<BinaryName, string>> = {
  add: 'Add',
  sub: 'Sub',
  mul: 'Mul',
  div: 'Div',
  pow: 'Pow',
  min: 'Min',
  max: 'Max',
  equal: 'Equal',
  less: 'Less',
  lessOrEqual: 'LessOrEqual',
  greater: 'Greater',
  greaterOrEqual: 'GreaterOrEqual',
};
const comparisons = ['equal', 'less', 'lessOrEqual', 'greater', 'greaterOrEqual'];

async function checkBinary(
  name: string,
  a: TestTensor,
  b: TestTensor,
  dies: number[] = [],
): Promise<void> {
  const output = comparisons.includes(name) ? 'bool' : a.dtype;
  const [expected] = await onnxruntime({
    type: binaryTypes[name as BinaryName]!,
    inputs: [a, b],
    outputs: [output],
  });
  const words = [BinaryKind[name as BinaryName], ...noEpilogue];
  const [actual] = engine.run('Binary', [a, b], words, { dies });
  expectClose(actual!, expected!, 2e-6);
}

describe('Binary', () => {
  const shapes: [number[], number[]][] = [
    [
      [3, 35],
      [3, 35],
    ],
    [[3, 35], []],
    [[1], [3, 35]],
    [[2, 3, 5, 18], [18]],
    [
      [2, 3, 5, 18],
      [2, 1, 1, 18],
    ],
    [
      [2, 1, 1, 18],
      [2, 3, 5, 18],
    ],
    [
      [2, 3, 5, 7],
      [2, 3, 5, 1],
    ],
    [
      [4, 1, 6],
      [3, 1],
    ],
    [
      [2, 1, 3, 1, 5],
      [2, 1, 4, 1],
    ],
    [
      [0, 3],
      [1, 3],
    ],
  ];
  for (const name of Object.keys(binaryTypes)) {
    it(name, async () => {
      for (const [left, right] of shapes) {
        const exponent = name === 'pow';
        const a = random(left, 1, 3);
        const b = random(right, 2, 3);
        if (exponent)
          for (let i = 0; i < a.data.length; i++)
            (a.data as Float32Array)[i] = Math.abs(a.data[i]!);
        if (comparisons.includes(name)) {
          for (const t of [a, b])
            (t.data as Float32Array).forEach((v, i, all) => (all[i] = Math.round(v)));
        }
        for (const dies of [[], [0], [1], [0, 1]]) await checkBinary(name, a, b, dies);
        if (exponent) continue;
        const whole = (t: TestTensor): TestTensor => ({
          ...t,
          dtype: 'int64',
          data: Array.from(t.data, (v) => Math.trunc(v * 10) || 1),
        });
        await checkBinary(name, whole(a), whole(b));
      }
    });
  }

  it('any two shapes that broadcast', async () => {
    const dims = fc.array(fc.tuple(fc.integer({ min: 1, max: 5 }), fc.boolean(), fc.boolean()), {
      maxLength: 5,
    });
    await fc.assert(
      fc.asyncProperty(dims, fc.nat(5), fc.nat(5), async (all, dropA, dropB) => {
        const a = all.map(([size, one]) => (one ? 1 : size)).slice(Math.min(dropA, all.length));
        const b = all.map(([size, , one]) => (one ? 1 : size)).slice(Math.min(dropB, all.length));
        await checkBinary('sub', random(a, 1), random(b, 2));
      }),
      { numRuns: 100, seed: 3 },
    );
  });

  it('prelu, and / or / xor, and integers that would trap', () => {
    const run = (kind: BinaryName, a: TestTensor, b: TestTensor): number[] =>
      Array.from(engine.run('Binary', [a, b], [BinaryKind[kind], ...noEpilogue])[0]!.data);
    expect(run('prelu', floats([4], [-2, -1, 0, 3]), floats([1], [0.5]))).toEqual([-1, -0.5, 0, 3]);
    const bools = (data: number[]): TestTensor => ({ dtype: 'bool', dims: [4], data });
    expect(run('and', bools([0, 0, 1, 1]), bools([0, 1, 0, 1]))).toEqual([0, 0, 0, 1]);
    expect(run('or', bools([0, 0, 1, 1]), bools([0, 1, 0, 1]))).toEqual([0, 1, 1, 1]);
    expect(run('xor', bools([0, 0, 1, 1]), bools([0, 1, 0, 1]))).toEqual([0, 1, 1, 0]);
    const words = (data: number[]): TestTensor => ({ dtype: 'int32', dims: [2], data });
    expect(run('div', words([-2147483648, 7]), words([-1, 0]))).toEqual([-2147483648, 0]);
    expect(run('pow', words([3, 2]), words([4, -1]))).toEqual([81, 0]);
  });

  it('the same tensor twice, in place', () => {
    const x = random([100], 1);
    // Two tensors of equal values stand for it: the engine compares buffers, not values.
    const [out] = engine.run('Binary', [x, x], [BinaryKind.mul, ...noEpilogue], { dies: [0, 1] });
    expectClose(
      out!,
      floats(
        [100],
        Array.from(x.data, (v) => v * v),
      ),
    );
  });

  it('with an epilogue', () => {
    const [a, b] = [random([5, 6], 1), random([6], 2)];
    const sum = Array.from(a.data, (v, i) => v + b.data[i % 6]!);
    const relu = [1, 0, 0, f32Bits(1), 0];
    const [clamped] = engine.run('Binary', [a, b], [BinaryKind.add, ...relu]);
    expectClose(
      clamped!,
      floats(
        [5, 6],
        sum.map((v) => Math.max(v, 0)),
      ),
    );
    const sigmoid = [5, 0, 0, f32Bits(2), f32Bits(1)];
    const [other] = engine.run('Binary', [a, b], [BinaryKind.add, ...sigmoid]);
    expectClose(
      other!,
      floats(
        [5, 6],
        sum.map((v) => 2 / (1 + Math.exp(-v)) + 1),
      ),
    );
  });

  it('goes on after a yield where it was', () => {
    const [a, b] = [random([3, 1000, 700], 1), random([3, 1, 700], 2)];
    const before = engine.yields;
    const [out] = engine.run('Binary', [a, b], [BinaryKind.sub, ...noEpilogue], {
      yieldAlways: true,
      dies: [0],
    });
    expect(engine.yields).toBeGreaterThan(before);
    const expected = Array.from(
      a.data,
      (v, i) => v - b.data[Math.floor(i / 700_000) * 700 + (i % 700)]!,
    );
    expectClose(out!, floats(a.dims, expected));
  });

  it('names shapes that do not broadcast', () => {
    expect(() => engine.run('Binary', [random([2, 3]), random([4])], [0, ...noEpilogue])).toThrow(
      'shapes do not broadcast: "in0" [2,3], "in1" [4]',
    );
    expect(() => engine.run('Binary', [random([2]), ints([1, 2])], [0, ...noEpilogue])).toThrow(
      'inputs "in0" float32[2] and "in1" int64[2]: types must be equal',
    );
  });
});

describe('Cast', () => {
  const types = ['float32', 'int64', 'int32', 'bool', 'uint8'] as const;
  for (const from of types) {
    it(`from ${from}`, async () => {
      const data =
        from === 'bool'
          ? [0, 1, 1]
          : from === 'float32'
            ? [-2.7, 0, 1.5, 100, 0.4]
            : [0, 1, 77, 200];
      const x: TestTensor = { dtype: from, dims: [data.length], data };
      for (const to of types) {
        // From negative floats to unsigned: not defined.
        const input = to === 'uint8' && from === 'float32' ? floats([2], [0.4, 100.9]) : x;
        const [expected] = await onnxruntime({
          type: 'Cast',
          inputs: [input],
          attributes: { to: DType[to] },
          outputs: [to],
        });
        const [actual] = engine.run('Cast', [input], [DType[to]]);
        expectClose(actual!, expected!);
      }
    });
  }
});
