import { beforeAll, describe, expect, it } from 'vitest';
import fc from 'fast-check';
import { DType, type OpName } from '@canopy/protocol';
import { Engine, f32Bits, type TestTensor } from './engine.js';
import { expectClose } from './compare.js';
import { onnxruntime, type OnnxNode } from './onnxruntime.js';

/**
 * Operators that compute with numbers from tensors, which a caller may choose: whatever they are, the
 * result is onnxruntime's or there is a text. Never a trap, never memory that is not the input's.
 */
let engine: Engine;
beforeAll(async () => {
  engine = await Engine.create();
  engine.limitHeap(1 << 24);
});

const most = 2n ** 63n;
const small = fc.bigInt({ min: -6n, max: 6n });
const extreme = fc.oneof(
  { weight: 5, arbitrary: small },
  {
    weight: 3,
    arbitrary: fc.constantFrom(
      ...[-most, -most + 1n, -most + 4n, most - 1n, most - 5n, 2n ** 62n, -(2n ** 62n)],
      ...[2n ** 31n, 2n ** 31n - 1n, -(2n ** 31n), -(2n ** 31n) - 1n],
      ...[2n ** 32n, 2n ** 32n - 1n, 2n ** 32n + 1n, -(2n ** 32n), -(2n ** 32n) - 2n, 2n ** 53n],
    ),
  },
);
const dimension = fc.integer({ min: 0, max: 4 });
const shape = (maxRank: number): fc.Arbitrary<number[]> =>
  fc.array(dimension, { minLength: 1, maxLength: maxRank });

function tensor(dims: readonly number[]): TestTensor {
  const count = dims.reduce((product, dim) => product * dim, 1);
  return { dtype: 'float32', dims, data: Array.from({ length: count }, (_, i) => i + 1) };
}

function longs(values: readonly bigint[], dims = [values.length]): TestTensor {
  return { dtype: 'int64', dims, data: values as unknown as number[] };
}

function ints(values: readonly bigint[], dims = [values.length]): TestTensor {
  return { dtype: 'int32', dims, data: values.map((value) => Number(BigInt.asIntN(32, value))) };
}

/** Result or text of the engine; anything else is a failure of the test. */
function attempt(op: OpName, inputs: OnnxNode['inputs'], words: number[]): TestTensor | string {
  try {
    return engine.run(op, inputs, words)[0]!;
  } catch (error) {
    expect(String(error)).toMatch(/^Error: node "node"/);
    return String(error);
  }
}

/** Checks a node against onnxruntime. Where only the engine refuses, its sizes must be beyond it. */
async function check(op: OpName, words: number[], node: OnnxNode, isSmall: boolean): Promise<void> {
  const result = attempt(op, node.inputs, words);
  // What is too large for the engine is not tried elsewhere either.
  if (typeof result === 'string' && !isSmall) return;
  let expected: TestTensor | undefined;
  try {
    [expected] = await onnxruntime({ ...node, outputs: node.outputs ?? [node.inputs[0]!.dtype] });
  } catch {
    if (typeof result !== 'string')
      expect.fail(`onnxruntime refuses, the engine gives [${result.dims.join()}]`);
    return;
  }
  if (typeof result === 'string')
    expect.fail(`onnxruntime gives [${expected!.dims.join()}], the engine: ${result}`);
  expectClose(result, expected!);
}

const isSmall = (...values: bigint[]): boolean =>
  values.every((value) => value >= -6n && value <= 6n);
const runs = { numRuns: 200, seed: 11 };

describe('numbers from tensors', () => {
  it('Pad', async () => {
    const cases = shape(2).chain((dims) =>
      fc.tuple(
        fc.constant(dims),
        fc.array(extreme, { minLength: 2 * dims.length, maxLength: 2 * dims.length }),
        fc.integer({ min: 0, max: 2 }),
      ),
    );
    await fc.assert(
      fc.asyncProperty(cases, async ([dims, pads, mode]) => {
        const attributes = { mode: ['constant', 'reflect', 'edge'][mode]! };
        const inputs = [tensor(dims), longs(pads)];
        await check('Pad', [mode], { type: 'Pad', inputs, attributes }, isSmall(...pads));
        const narrow = pads.map((pad) => BigInt.asIntN(32, pad));
        const wide = attempt('Pad', [tensor(dims), longs(narrow)], [mode]);
        const result = attempt('Pad', [tensor(dims), ints(narrow)], [mode]);
        if (typeof wide === 'string') expect(typeof result).toBe('string');
        else expect(result).toEqual(wide);
      }),
      runs,
    );
  });

  it('Slice', async () => {
    const list = fc.array(fc.tuple(extreme, extreme, extreme, extreme), {
      minLength: 1,
      maxLength: 2,
    });
    await fc.assert(
      fc.asyncProperty(shape(2), list, fc.boolean(), async (dims, ranges, narrow) => {
        const column = (i: 0 | 1 | 2 | 3): TestTensor =>
          (narrow ? ints : longs)(ranges.map((range) => range[i]));
        // onnxruntime negates the step, and this one has no negative.
        fc.pre(ranges.every(([, , , step]) => step !== -most));
        // Axes are mostly those that exist, else nothing else is ever tried.
        const axes = ranges.map(([axis], i) => (isSmall(axis) ? BigInt(i % dims.length) : axis));
        const inputs = [
          tensor(dims),
          column(1),
          column(2),
          (narrow ? ints : longs)(axes),
          column(3),
        ];
        await check('Slice', [], { type: 'Slice', inputs }, isSmall(...ranges.flat()));
      }),
      runs,
    );
  });

  it('Gather', async () => {
    await fc.assert(
      fc.asyncProperty(
        shape(2),
        fc.array(extreme, { maxLength: 3 }),
        fc.boolean(),
        async (dims, at, narrow) => {
          const inputs = [tensor(dims), narrow ? ints(at) : longs(at)];
          await check(
            'Gather',
            [0],
            { type: 'Gather', inputs, attributes: { axis: 0 } },
            isSmall(...at),
          );
        },
      ),
      runs,
    );
  });

  it('Reshape', async () => {
    const target = fc.array(fc.oneof(extreme, fc.constant(-1n), fc.constant(2n)), { maxLength: 4 });
    await fc.assert(
      fc.asyncProperty(
        shape(3),
        target,
        fc.integer({ min: 0, max: 1 }),
        async (dims, sizes, allowzero) => {
          const inputs = [tensor(dims), longs(sizes)];
          const node = { type: 'Reshape', inputs, attributes: { allowzero } };
          await check('Reshape', [allowzero], node, isSmall(...sizes));
        },
      ),
      runs,
    );
  });

  it('Expand', async () => {
    await fc.assert(
      fc.asyncProperty(shape(2), fc.array(extreme, { maxLength: 3 }), async (dims, sizes) => {
        const node = { type: 'Expand', inputs: [tensor(dims), longs(sizes)] };
        await check('Expand', [], node, isSmall(...sizes));
      }),
      runs,
    );
  });

  it('ConstantOfShape', async () => {
    await fc.assert(
      fc.asyncProperty(fc.array(extreme, { maxLength: 3 }), async (sizes) => {
        const node: OnnxNode = {
          type: 'ConstantOfShape',
          inputs: [longs(sizes)],
          outputs: ['float32'],
        };
        await check('ConstantOfShape', [DType.float32, f32Bits(0), 0], node, isSmall(...sizes));
      }),
      runs,
    );
  });

  it('Squeeze and Unsqueeze', async () => {
    await fc.assert(
      fc.asyncProperty(
        shape(3),
        fc.array(extreme, { minLength: 1, maxLength: 3 }),
        async (dims, axes) => {
          const inputs = [tensor(dims.map((dim) => Math.min(dim, 2))), longs(axes)];
          await check('Squeeze', [], { type: 'Squeeze', inputs }, isSmall(...axes));
          await check('Unsqueeze', [], { type: 'Unsqueeze', inputs }, isSmall(...axes));
        },
      ),
      runs,
    );
  });

  it('Range of integers', () => {
    fc.assert(
      fc.property(extreme, extreme, extreme, fc.boolean(), (start, limit, delta, narrow) => {
        const make = (value: bigint): TestTensor => (narrow ? ints : longs)([value], []);
        const inputs = [make(start), make(limit), make(delta)];
        const result = attempt('Range', inputs, []);
        if (typeof result === 'string') {
          if (isSmall(start, limit, delta)) expect(delta).toBe(0n);
          return;
        }
        const bits = narrow ? 32 : 64;
        const [from, to, by] = [start, limit, delta].map((value) => BigInt.asIntN(bits, value));
        const expected: bigint[] = [];
        for (let x = from!; by! > 0n ? x < to! : x > to!; x += by!) expected.push(x);
        expect(result.data).toEqual(expected.map(Number));
      }),
      runs,
    );
  });

  it('Range of floats', async () => {
    const values = [
      0,
      -0,
      1,
      -1,
      0.1,
      2.5,
      -3,
      1e-45,
      1e30,
      -3e38,
      3e38,
      NaN,
      Infinity,
      -Infinity,
      100,
    ];
    const float = fc.constantFrom(...values);
    await fc.assert(
      fc.asyncProperty(float, float, float, async (start, limit, delta) => {
        const make = (value: number): TestTensor => ({ dtype: 'float32', dims: [], data: [value] });
        const inputs = [make(start), make(limit), make(delta)];
        const result = attempt('Range', inputs, []);
        if (typeof result === 'string') return;
        await check('Range', [], { type: 'Range', inputs }, true);
      }),
      runs,
    );
  });
});
