import { beforeAll, describe, expect, it } from 'vitest';
import fc from 'fast-check';
import { DType } from '@canopy/protocol';
import { Engine, f32Bits, type TestTensor } from './engine.js';
import { expectClose, floats, ints, random } from './compare.js';
import { onnxruntime, type OnnxNode } from './onnxruntime.js';

let engine: Engine;
beforeAll(async () => {
  engine = await Engine.create();
});

const counted = (dims: readonly number[], dtype: TestTensor['dtype'] = 'float32'): TestTensor => ({
  dtype,
  dims,
  data: Array.from({ length: dims.reduce((p, d) => p * d, 1) }, (_, i) =>
    dtype === 'bool' ? i % 2 : i,
  ),
});

/** Runs the node here and in onnxruntime, with and without taking over input 0. */
async function check(
  op: Parameters<Engine['run']>[0],
  words: number[],
  node: OnnxNode,
): Promise<void> {
  const [expected] = await onnxruntime({
    ...node,
    outputs: node.outputs ?? [node.inputs[0]!.dtype],
  });
  for (const dies of [[], [0]])
    expectClose(engine.run(op, node.inputs, words, { dies })[0]!, expected!);
}

describe('shape operators', () => {
  it('Transpose', async () => {
    const cases: [number[], number[]][] = [
      [
        [2, 3, 5, 7],
        [0, 2, 3, 1],
      ],
      [
        [3, 9],
        [1, 0],
      ],
      [
        [5, 7],
        [1, 0],
      ],
      [
        [2, 3, 4],
        [0, 2, 1],
      ],
      [
        [2, 3, 4],
        [2, 1, 0],
      ],
      [
        [2, 9, 3, 8],
        [0, 2, 1, 3],
      ],
      [
        [2, 9, 3, 8],
        [0, 2, 3, 1],
      ],
      [
        [2, 5, 6, 7],
        [0, 3, 1, 2],
      ],
      [
        [1, 3, 1, 4],
        [2, 3, 0, 1],
      ],
      [
        [2, 19, 21],
        [0, 2, 1],
      ],
      [
        [1, 3, 5, 9],
        [0, 2, 3, 1],
      ],
      [
        [3, 0, 2],
        [2, 0, 1],
      ],
      [[], []],
    ];
    for (const [dims, perm] of cases) {
      for (const dtype of ['float32', 'int64', 'uint8'] as const) {
        await check('Transpose', perm, {
          type: 'Transpose',
          inputs: [counted(dims, dtype)],
          attributes: { perm },
        });
      }
    }
    expect(() => engine.run('Transpose', [random([2, 3])], [0, 0])).toThrow('no permutation');
  });

  it('Reshape', async () => {
    const cases: [number[], number[], number][] = [
      [[2, 6], [3, 4], 0],
      [[2, 6], [-1], 0],
      [[2, 6], [0, -1, 2], 0],
      [[2, 0], [0, 5, 2], 1],
      [[1], [], 0],
    ];
    for (const [dims, shape, allowzero] of cases) {
      await check('Reshape', [allowzero], {
        type: 'Reshape',
        inputs: [counted(dims), ints(shape)],
        attributes: { allowzero },
      });
    }
    expect(() => engine.run('Reshape', [random([2, 6]), ints([5, -1])], [0])).toThrow(
      'input "in0" float32[2,6] must be of a size that the shape [5,-1] holds',
    );
  });

  it('Squeeze, Unsqueeze, Flatten, Identity, Shape', async () => {
    const x = counted([1, 3, 1, 2]);
    await check('Squeeze', [], { type: 'Squeeze', inputs: [x] });
    await check('Squeeze', [], { type: 'Squeeze', inputs: [x, ints([-2])] });
    await check('Unsqueeze', [], { type: 'Unsqueeze', inputs: [x, ints([0, -1, 3])] });
    for (const axis of [-4, -1, 0, 2, 4])
      await check('Flatten', [axis], { type: 'Flatten', inputs: [x], attributes: { axis } });
    await check('Identity', [], { type: 'Identity', inputs: [x] });
    for (const [start, end] of [
      [0, 4],
      [1, 3],
      [-3, -1],
      [2, 1],
      [-9, 9],
    ] as const) {
      await check('Shape', [start, end], {
        type: 'Shape',
        inputs: [x],
        attributes: { start, end },
        outputs: ['int64'],
      });
    }
    expect(engine.run('Shape', [x], [0, 0x7fffffff])[0]!.data).toEqual([1, 3, 1, 2]);
    expect(() => engine.run('Squeeze', [x, ints([1])])).toThrow(
      'must be of size 1 along the axes to remove',
    );
  });

  it('Gather', async () => {
    for (const dtype of ['float32', 'int64', 'bool'] as const) {
      const x = counted([3, 4, 5], dtype);
      for (const axis of [-1, 0, 1]) {
        await check('Gather', [axis], {
          type: 'Gather',
          inputs: [x, ints([2, -1, 0])],
          attributes: { axis },
        });
        await check('Gather', [axis], {
          type: 'Gather',
          inputs: [x, ints([1], [])],
          attributes: { axis },
        });
        await check('Gather', [axis], {
          type: 'Gather',
          inputs: [x, ints([0, 1, 1, 2], [2, 2])],
          attributes: { axis },
        });
      }
    }
    expect(() => engine.run('Gather', [counted([3]), ints([3])], [0])).toThrow(
      'index 3 of "in1" must be below 3',
    );
  });

  it('Slice', async () => {
    const big = 2 ** 53;
    const cases: [number[], number[], number[], number[] | undefined, number[] | undefined][] = [
      [[5, 6], [1], [4], undefined, undefined],
      [
        [5, 6],
        [1, 2],
        [-1, big],
        [0, 1],
        [1, 2],
      ],
      [[5, 6], [-1], [-big], [1], [-1]],
      [
        [5, 6],
        [4, 5],
        [0, 1],
        [0, -1],
        [-2, -3],
      ],
      [[5, 6], [-100], [100], [0], [3]],
      [[5, 6], [3], [2], [0], undefined],
      [[2, 3, 4], [1], [3], [2], [1]],
      [[2, 3, 4], [10], [-10], [1], [-1]],
    ];
    for (const [dims, starts, ends, axes, steps] of cases) {
      const inputs = [
        counted(dims),
        ints(starts),
        ints(ends),
        axes && ints(axes),
        steps && ints(steps),
      ];
      while (inputs.at(-1) === undefined) inputs.pop();
      await check('Slice', [], { type: 'Slice', inputs });
    }
  });

  it('Slice with any bounds and steps', async () => {
    const bound = fc.integer({ min: -8, max: 8 });
    await fc.assert(
      fc.asyncProperty(
        bound,
        bound,
        fc.integer({ min: -3, max: 3 }),
        fc.integer({ min: 1, max: 6 }),
        async (start, end, step, size) => {
          fc.pre(step !== 0);
          await check('Slice', [], {
            type: 'Slice',
            inputs: [
              counted([2, size, 3], 'int64'),
              ints([start]),
              ints([end]),
              ints([1]),
              ints([step]),
            ],
          });
        },
      ),
      { numRuns: 150, seed: 4 },
    );
  });

  it('Concat', async () => {
    for (const dtype of ['float32', 'int64', 'bool'] as const) {
      await check('Concat', [-1], {
        type: 'Concat',
        inputs: [counted([2, 3], dtype), counted([2, 0], dtype), counted([2, 5], dtype)],
        attributes: { axis: -1 },
      });
      await check('Concat', [0], {
        type: 'Concat',
        inputs: [counted([1, 40], dtype), counted([2, 40], dtype)],
        attributes: { axis: 0 },
      });
    }
    expect(() => engine.run('Concat', [random([2, 3]), random([3, 3])], [1])).toThrow(
      'must be equal but for the axis',
    );
  });

  it('Expand, Where, ConstantOfShape, Range', async () => {
    for (const [dims, shape] of [
      [
        [3, 1],
        [2, 1, 6],
      ],
      [[1], [3, 4]],
      [[2, 3], [1]],
      [[], [5]],
      [
        [1, 3],
        [0, 3],
      ],
    ] as const) {
      await check('Expand', [], { type: 'Expand', inputs: [counted(dims), ints(shape)] });
    }
    const condition = counted([2, 1, 4], 'bool');
    const where: OnnxNode = {
      type: 'Where',
      inputs: [condition, random([3, 4], 1), random([], 2)],
      outputs: ['float32'],
    };
    await check('Where', [], where);
    await check('Where', [], {
      ...where,
      inputs: [condition, counted([3, 1], 'int64'), counted([4], 'int64')],
      outputs: ['int64'],
    });
    const some = counted([3, 37], 'bool');
    for (const [x, y] of [
      [random([3, 37], 1), random([3, 37], 2)],
      [random([37], 1), random([], 2)],
      [random([1], 1), random([3, 37], 2)],
    ] as const) {
      await check('Where', [], { ...where, inputs: [some, x, y] });
    }
    const filled = engine.run(
      'ConstantOfShape',
      [ints([2, 3])],
      [DType.float32, f32Bits(1.5), 0],
    )[0]!;
    expectClose(filled, floats([2, 3], new Float32Array(6).fill(1.5)));
    const minusTwo = engine.run(
      'ConstantOfShape',
      [ints([3])],
      [DType.int64, 0xfffffffe, 0xffffffff],
    )[0]!;
    expectClose(minusTwo, ints([-2, -2, -2]));
    const scalar = (v: number): TestTensor => ints([v], []);
    for (const [start, limit, delta] of [
      [0, 10, 3],
      [5, -2, -2],
      [3, 3, 1],
    ] as const) {
      await check('Range', [], {
        type: 'Range',
        inputs: [scalar(start), scalar(limit), scalar(delta)],
        outputs: ['int64'],
      });
    }
    await check('Range', [], {
      type: 'Range',
      inputs: [floats([], [0]), floats([], [1]), floats([], [0.25])],
    });
    expect(() => engine.run('Range', [scalar(0), scalar(1), scalar(0)])).toThrow(
      'the range never ends',
    );
  });

  it('Pad', async () => {
    const modes = ['constant', 'reflect', 'edge', 'wrap'];
    const x = random([2, 3, 4, 5], 1);
    for (const [mode, name] of modes.entries()) {
      for (const pads of [
        [0, 1, 2, 0, 0, 1, 1, 3],
        [0, 0, 2, 1, 0, 0, 1, 0],
        [0, 0, 0, 0, 0, 0, 0, 0],
        [0, 1, 1, 0, 0, 0, 2, 0],
      ]) {
        const inputs = [x, ints(pads), ...(mode === 0 ? [floats([], [7])] : [])];
        await check('Pad', [mode], { type: 'Pad', inputs, attributes: { mode: name }, opset: 19 });
      }
    }
    await check('Pad', [0], { type: 'Pad', inputs: [x, ints([0, 0, -1, 1, 0, 0, 0, -2])] });
    expect(() => engine.run('Pad', [random([2]), ints([2, 0])], [1])).toThrow(
      'large enough for the padding',
    );
  });

  it('refuses an operator it does not know', () => {
    expect(() => engine.run(999, [])).toThrow('no such operator');
  });
});
