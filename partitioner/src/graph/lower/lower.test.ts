import { describe, expect, it } from 'vitest';
import type { DTypeName } from '@canopy/protocol';
import { largestDifference } from '../../testing/run-plan.js';
import { sampleFeeds } from '../measure.js';
import { lowered, makeGraph, numbers, reference, runProgram } from '../../testing/run-program.js';
import { floatConstant, intConstant, type Constant } from '../constant.js';
import { makeNode, type Attribute, type Graph, type GraphNode, type NamedValue } from '../graph.js';
import { runPasses } from '../passes/index.js';
import type { Program } from '../program.js';
import { PlanSizes } from '../shapes/plan-sizes.js';

const ints = (...value: number[]): Attribute => ({ kind: 'ints', value });
const int = (value: number): Attribute => ({ kind: 'int', value });
const real = (value: number): Attribute => ({ kind: 'float', value });
const text = (value: string): Attribute => ({ kind: 'string', value });

/** One node on inputs `a`, `b`, …, its result `y`. */
interface Case {
  op: string;
  attributes?: Record<string, Attribute>;
  /** Shapes of the computed inputs; dimension 0 is the batch. */
  inputs: (number[] | { dtype: DTypeName; dims: number[] })[];
  constants?: Constant[];
  opset?: number;
  /** Nodes before or after it. */
  nodes?: GraphNode[];
  /** Element type of the result. */
  gives?: DTypeName;
  /** That onnxruntime itself is wrong on no rows. */
  wrongWhenEmpty?: true;
}

/** The graph of a case, some of its sizes open: dimensions of one size share a name. */
function graphOf(test: Case, open: ReadonlySet<number>): Graph {
  const inputs: NamedValue[] = test.inputs.map((input, index) => {
    const { dtype, dims } = Array.isArray(input)
      ? { dtype: 'float32' as const, dims: input }
      : input;
    const named = dims.map((dim) => (open.has(dim) ? `d${dim}` : dim));
    return { name: 'abcdef'[index]!, dtype, dims: ['batch', ...named] };
  });
  const constants = Object.fromEntries(
    (test.constants ?? []).map((constant, index) => [`c${index}`, constant]),
  );
  const node = makeNode(
    test.op,
    'node',
    [...inputs.map(({ name }) => name), ...Object.keys(constants)],
    ['y'],
    test.attributes,
  );
  return makeGraph({
    inputs,
    outputs: [{ name: 'y', dtype: test.gives ?? 'float32', dims: undefined }],
    nodes: test.nodes ?? [node],
    constants,
    ...(test.opset !== undefined && { opset: test.opset }),
  });
}

const runs = (graph: Graph, sizes: Record<string, number>, rows = 2): Promise<boolean> =>
  reference(graph, sizes, rows).then(
    () => true,
    () => false,
  );

/** The sizes of a case that onnxruntime lets be others. */
async function openSizes(test: Case, grown: (size: number) => number): Promise<Set<number>> {
  const open = new Set<number>();
  const sizes = test.inputs.flatMap((input) => (Array.isArray(input) ? input : input.dims));
  for (const size of new Set(sizes)) {
    const more = new Set([...open, size]);
    const others = Object.fromEntries([...more].map((one) => [`d${one}`, grown(one)]));
    if (await runs(graphOf(test, more), others)) open.add(size);
  }
  return open;
}

async function compare(
  program: Program,
  graph: Graph,
  sizes: Record<string, number>,
  rows: number,
): Promise<void> {
  const { feeds, expected } = await reference(graph, sizes, rows);
  const results = await runProgram(program, feeds);
  const planned = new PlanSizes(sizes, 'batch');
  results.forEach((result, index) => {
    const wanted = expected[index]!;
    const { shapes } = program.values.get(program.outputs[index]!)!;
    expect([...result.dims]).toEqual([...wanted.dims]);
    expect(shapes.dims.map((dim) => planned.at(dim, rows))).toEqual([...wanted.dims]);
    expect(result.dtype).toBe(wanted.dtype);
    if (result.dtype === 'float32') expect(largestDifference(result, wanted)).toBeLessThan(1e-5);
    else expect(Buffer.from(result.data)).toEqual(Buffer.from(wanted.data));
  });
}

/**
 * Plans a case with all sizes open that can be, and runs it at the sizes planned with, at larger ones,
 * and at none where onnxruntime does. Returns how many sizes are open.
 */
async function check(test: Case): Promise<number> {
  const open = await openSizes(test, (size) => size + 2);
  const graph = graphOf(test, open);
  const at = (grown: (size: number) => number): Record<string, number> =>
    Object.fromEntries([...open].map((size) => [`d${size}`, grown(size)]));
  const planned = at((size) => size);
  const { program, derived } = await lowered(graph, planned);
  expect(derived.seen.size, 'sizes that only a run tells').toBe(0);
  runPasses(program);
  await compare(program, graph, planned, 2);
  await compare(
    program,
    graph,
    at((size) => size + 2),
    3,
  );
  if (!test.wrongWhenEmpty && (await runs(graph, planned, 0)))
    await compare(program, graph, planned, 0);
  return open.size;
}

const filter = (...dims: number[]): Constant =>
  floatConstant(dims, numbers(dims.reduce((product, dim) => product * dim, 1)));
const bool = { dtype: 'bool' as const };
const whole = { dtype: 'int64' as const };

const cases: Record<string, Case> = {
  'Pow with whole exponents': {
    op: 'Pow',
    inputs: [[2, 3]],
    constants: [intConstant([], [3])],
  },
  'Pow of whole numbers with whole exponents of another type': {
    op: 'Pow',
    inputs: [
      { ...whole, dims: [4] },
      { dtype: 'int32', dims: [4] },
    ],
    gives: 'int64',
  },
  'Conv with uneven pads, strides, dilations': {
    op: 'Conv',
    inputs: [[5, 9, 11]],
    constants: [filter(6, 5, 3, 2), filter(6)],
    attributes: { pads: ints(1, 0, 2, 1), strides: ints(2, 1), dilations: ints(1, 2) },
  },
  'Conv in groups': {
    op: 'Conv',
    inputs: [[6, 7, 7]],
    constants: [filter(9, 2, 3, 3)],
    attributes: { group: int(3) },
  },
  'Conv with one filter a channel': {
    op: 'Conv',
    inputs: [[6, 7, 7]],
    constants: [filter(6, 1, 3, 3), filter(6)],
    attributes: { group: int(6), pads: ints(1, 1, 1, 1) },
  },
  'Conv padded to the same size': {
    op: 'Conv',
    inputs: [[3, 7, 8]],
    constants: [filter(4, 3, 4, 3)],
    attributes: { auto_pad: text('SAME_LOWER') },
  },
  'FusedConv with a sum': {
    op: 'com.microsoft.FusedConv',
    inputs: [[3, 6, 6]],
    constants: [filter(4, 3, 3, 3), filter(4)],
    nodes: [
      makeNode('Conv', 'other', ['a', 'c0', 'c1'], ['z'], { pads: ints(1, 1, 1, 1) }),
      makeNode('com.microsoft.FusedConv', 'node', ['a', 'c0', 'c1', 'z'], ['y'], {
        pads: ints(1, 1, 1, 1),
        activation: text('Relu'),
      }),
    ],
  },
  'MaxPool with pads, rounded up': {
    op: 'MaxPool',
    inputs: [[4, 8, 9]],
    attributes: {
      kernel_shape: ints(3, 2),
      strides: ints(2, 2),
      pads: ints(1, 0, 1, 1),
      ceil_mode: int(1),
    },
  },
  'AveragePool with its padding counted': {
    op: 'AveragePool',
    inputs: [[4, 8, 9]],
    attributes: { kernel_shape: ints(3, 3), pads: ints(1, 1, 1, 1), count_include_pad: int(1) },
  },
  GlobalAveragePool: { op: 'GlobalAveragePool', inputs: [[4, 8, 9]] },
  GlobalMaxPool: { op: 'GlobalMaxPool', inputs: [[4, 8, 9]] },
  BatchNormalization: {
    op: 'BatchNormalization',
    inputs: [[3, 5, 5]],
    constants: [filter(3), filter(3), filter(3), floatConstant([3], [0.5, 1, 2])],
  },
  'Gemm of two computed matrices and a bias': {
    op: 'Gemm',
    inputs: [[5]],
    constants: [filter(2, 5), filter(2)],
    attributes: { transB: int(1), alpha: real(0.5), beta: real(2) },
  },
  'Gemm with a bias of one number': {
    op: 'Gemm',
    inputs: [[5]],
    constants: [filter(5, 3), floatConstant([], [2])],
  },
  FusedGemm: {
    op: 'com.microsoft.FusedGemm',
    inputs: [[5]],
    constants: [filter(5, 3), filter(3)],
    attributes: {
      activation: text('LeakyRelu'),
      activation_alpha: real(0.1),
    },
  },
  'MatMul with a wide constant': { op: 'MatMul', inputs: [[4, 6]], constants: [filter(6, 37)] },
  'MatMul of computed matrices': {
    op: 'MatMul',
    inputs: [
      [4, 6],
      [6, 3],
    ],
  },
  'FusedMatMul, both transposed and scaled': {
    op: 'com.microsoft.FusedMatMul',
    inputs: [
      [6, 4],
      [3, 6],
    ],
    attributes: { transA: int(1), transB: int(1), alpha: real(0.25) },
  },
  'FusedMatMul with a transposed left side and a constant': {
    op: 'com.microsoft.FusedMatMul',
    inputs: [[6, 4]],
    constants: [filter(6, 5)],
    attributes: { transA: int(1) },
  },
  'Softmax over the last dimension': { op: 'Softmax', inputs: [[4, 6]] },
  'Softmax over a middle dimension': {
    op: 'Softmax',
    inputs: [[4, 6]],
    attributes: { axis: int(1) },
  },
  'Softmax over all from an axis on, as before operator set 13': {
    op: 'Softmax',
    inputs: [[4, 6]],
    opset: 11,
  },
  LayerNormalization: {
    op: 'LayerNormalization',
    inputs: [[4, 6]],
    constants: [filter(6), filter(6)],
    attributes: { epsilon: real(0.001) },
  },
  SkipLayerNormalization: {
    op: 'com.microsoft.SkipLayerNormalization',
    inputs: [
      [4, 6],
      [4, 6],
    ],
    constants: [filter(6), filter(6), filter(6)],
  },
  'ReduceMean over two axes': {
    op: 'ReduceMean',
    inputs: [[4, 6]],
    attributes: { axes: ints(-1, 1) },
    // It gives [0, 1, 6]: axes counted from behind are not counted there.
    wrongWhenEmpty: true,
  },
  'ReduceSum with axes as an input': {
    op: 'ReduceSum',
    inputs: [[4, 6]],
    constants: [intConstant([1], [1])],
    attributes: { keepdims: int(0) },
  },
  ReduceL2: { op: 'ReduceL2', inputs: [[4, 6]], attributes: { axes: ints(2) } },
  'Clip with bounds as attributes': {
    op: 'Clip',
    inputs: [[4]],
    opset: 9,
    attributes: { min: real(-0.25), max: real(0.5) },
  },
  'Clip with one bound': { op: 'Clip', inputs: [[4]], constants: [floatConstant([], [0.1])] },
  HardSwish: { op: 'HardSwish', inputs: [[4]] },
  Erf: { op: 'Erf', inputs: [[4]] },
  BiasGelu: { op: 'com.microsoft.BiasGelu', inputs: [[4]], constants: [filter(4)] },
  'FastGelu with a bias': {
    op: 'com.microsoft.FastGelu',
    inputs: [[4]],
    constants: [filter(4)],
  },
  SimplifiedLayerNormalization: {
    op: 'SimplifiedLayerNormalization',
    inputs: [[4, 6]],
    constants: [filter(6)],
    attributes: { epsilon: real(0.001) },
  },
  SkipSimplifiedLayerNormalization: {
    op: 'com.microsoft.SkipSimplifiedLayerNormalization',
    inputs: [
      [4, 6],
      [4, 6],
    ],
    constants: [filter(6), filter(6)],
  },
  'Attention of one input': {
    op: 'com.microsoft.Attention',
    inputs: [[5, 6]],
    constants: [filter(6, 18), filter(18)],
    attributes: { num_heads: int(2), unidirectional: int(1) },
  },
  MultiHeadAttention: {
    op: 'com.microsoft.MultiHeadAttention',
    inputs: [
      [5, 6],
      [7, 6],
      [7, 6],
    ],
    constants: [filter(18)],
    attributes: { num_heads: int(3) },
  },
  'RotaryEmbedding of neighbours': {
    op: 'com.microsoft.RotaryEmbedding',
    inputs: [[5, 8]],
    constants: [intConstant([1], [2]), filter(16, 2), filter(16, 2)],
    attributes: { interleaved: int(1) },
  },
  'RotaryEmbedding of halves': {
    op: 'com.microsoft.RotaryEmbedding',
    inputs: [[5, 8]],
    constants: [intConstant([1], [2]), filter(16, 2), filter(16, 2)],
  },
  'Attention of the standard, heads in groups': {
    op: 'Attention',
    opset: 23,
    inputs: [
      [5, 8],
      [7, 4],
      [7, 4],
    ],
    attributes: { q_num_heads: int(4), kv_num_heads: int(2), softcap: real(2) },
  },
  'Max of three': { op: 'Max', inputs: [[4], [4], [4]] },
  PRelu: { op: 'PRelu', inputs: [[4, 3]], constants: [filter(4, 1)] },
  'Less, a bool': { op: 'Less', inputs: [[4], [4]], gives: 'bool' },
  'And of bools': {
    op: 'And',
    inputs: [
      { ...bool, dims: [4] },
      { ...bool, dims: [4] },
    ],
    gives: 'bool',
  },
  'Add of whole numbers': {
    op: 'Add',
    inputs: [{ ...whole, dims: [4] }],
    constants: [intConstant([4], [1, 2, 3, -4])],
    gives: 'int64',
  },
  'Cast to whole numbers': {
    op: 'Cast',
    inputs: [[4]],
    attributes: { to: int(7) },
    gives: 'int64',
  },
  Where: { op: 'Where', inputs: [{ ...bool, dims: [4] }, [4], [4]] },
  'Gather along the last dimension': {
    op: 'Gather',
    inputs: [[4, 6]],
    constants: [intConstant([2, 2], [0, 5, -1, 2])],
    attributes: { axis: int(-1) },
  },
  'Slice with attributes': {
    op: 'Slice',
    inputs: [[4, 6]],
    opset: 9,
    attributes: { starts: ints(1, -3), ends: ints(3, 100), axes: ints(1, 2) },
  },
  'Slice backwards': {
    op: 'Slice',
    inputs: [[4, 6]],
    constants: [[5], [-7], [2], [-2]].map((values) => intConstant([1], values)),
  },
  'Squeeze with attributes': {
    op: 'Squeeze',
    inputs: [[1, 6]],
    opset: 11,
    attributes: { axes: ints(1) },
  },
  'Unsqueeze with attributes': {
    op: 'Unsqueeze',
    inputs: [[6]],
    opset: 11,
    attributes: { axes: ints(1, 3) },
  },
  'Reshape that copies and infers': {
    op: 'Reshape',
    inputs: [[4, 6]],
    constants: [intConstant([3], [0, -1, 3])],
  },
  Expand: { op: 'Expand', inputs: [[1, 3]], constants: [intConstant([3], [1, 4, 3])] },
  'Concat along the last dimension': {
    op: 'Concat',
    inputs: [
      [4, 2],
      [4, 3],
    ],
    attributes: { axis: int(-1) },
  },
  'Transpose without a permutation': { op: 'Transpose', inputs: [[4, 6]] },
  'Pad with attributes': {
    op: 'Pad',
    inputs: [[4]],
    opset: 10,
    attributes: { pads: ints(0, 1, 0, 2), value: real(0.5) },
  },
  'Pad by reflection': {
    op: 'Pad',
    inputs: [[4]],
    constants: [intConstant([4], [0, 2, 0, 1])],
    attributes: { mode: text('reflect') },
  },
};

/** Cases of which constants fix all sizes but the batch. */
const fixedByConstants = new Set([
  'Add of whole numbers',
  'BiasGelu',
  'Expand',
  'FastGelu with a bias',
  'FusedGemm',
  'Gemm of two computed matrices and a bias',
  'Gemm with a bias of one number',
]);

describe('operators compute what onnxruntime computes', () => {
  it.each(Object.entries(cases))('%s', async (name, test) => {
    const open = await check(test);
    expect(open > 0, 'sizes are open').toBe(!fixedByConstants.has(name));
  });

  it.each([
    ['SAME_UPPER', 5],
    ['SAME_LOWER', 6],
  ])('windows padded to the same size with strides, of a fixed size (%s)', async (mode, size) => {
    const window = { kernel_shape: ints(3, 2), strides: ints(2, 3), auto_pad: text(mode) };
    for (const [op, constants] of [
      ['Conv', { w: filter(4, 3, 3, 2) }],
      ['MaxPool', {}],
      ['AveragePool', {}],
    ] as const) {
      const graph = makeGraph({
        inputs: [{ name: 'a', dtype: 'float32', dims: ['batch', 3, size, 7] }],
        outputs: [{ name: 'y', dtype: 'float32', dims: undefined }],
        nodes: [makeNode(op, 'node', ['a', ...Object.keys(constants)], ['y'], window)],
        constants,
      });
      const { program } = await lowered(graph);
      await compare(program, graph, {}, 3);
    }
  });

  it.each([
    [13, 3, 6, [3, 9, 0]],
    [17, 2, 8, [4, 2]],
    [18, 3, 9, [7, 8, 3]],
  ])(
    'Split of an open size into equal parts (operator set %i, %i parts)',
    async (opset, parts, size, others) => {
      const names = ['p', 'q', 'r'].slice(0, parts);
      const graph = makeGraph({
        inputs: [{ name: 'x', dtype: 'float32', dims: ['batch', 'length', 2] }],
        outputs: names.map((name) => ({ name, dtype: 'float32', dims: undefined })),
        nodes: [
          makeNode('Split', 'split', ['x'], names, {
            axis: int(1),
            ...(opset >= 18 && { num_outputs: int(parts) }),
          }),
        ],
        opset,
      });
      const { program } = await lowered(graph, { length: size });
      runPasses(program);
      for (const length of others) await compare(program, graph, { length }, 2);
    },
  );

  it('Split refuses a size that its parts do not make up, as onnxruntime does', async () => {
    for (const sizes of [intConstant([2], [1, 3]), undefined]) {
      const graph = makeGraph({
        inputs: [{ name: 'x', dtype: 'float32', dims: ['batch', 'length'] }],
        outputs: ['p', 'q'].map((name) => ({ name, dtype: 'float32', dims: undefined })),
        nodes: [
          makeNode('Split', 'split', sizes ? ['x', 'sizes'] : ['x'], ['p', 'q'], { axis: int(1) }),
        ],
        ...(sizes && { constants: { sizes } }),
      });
      const { program } = await lowered(graph, { length: 4 });
      for (const length of [5, 3, 1]) {
        expect(await runs(graph, { length })).toBe(false);
        const feeds = sampleFeeds(graph, { length }, 2);
        await expect(runProgram(program, feeds)).rejects.toThrow(/[Rr]eshape/);
      }
    }
  });

  it('a constant factor over an open dimension that was planned with as 1', async () => {
    const graph = makeGraph({
      inputs: [{ name: 'x', dtype: 'float32', dims: ['batch', 'length', 4] }],
      outputs: [{ name: 'y', dtype: 'float32', dims: undefined }],
      nodes: [
        makeNode('MatMul', 'product', ['x', 'w'], ['h']),
        makeNode('Mul', 'scale', ['h', 's'], ['y']),
      ],
      constants: { w: filter(4, 3), s: floatConstant([1, 1, 3], [1, 2, 3]) },
    });
    const { program } = await lowered(graph, { length: 1 });
    runPasses(program);
    await compare(program, graph, { length: 5 }, 2);
  });

  it('a product and a bias over an open dimension that was planned with as 1', async () => {
    const graph = makeGraph({
      inputs: [{ name: 'x', dtype: 'float32', dims: ['batch', 'n'] }],
      outputs: ['y', 't'].map((name) => ({ name, dtype: 'float32', dims: undefined })),
      nodes: [
        makeNode('Transpose', 'turn', ['x'], ['t'], { perm: ints(1, 0) }),
        makeNode('MatMul', 'product', ['t', 'w'], ['h']),
        makeNode('Add', 'bias', ['h', 'b'], ['y']),
      ],
      constants: { w: filter(1, 3), b: filter(3) },
    });
    const { program } = await lowered(graph, { n: 1 });
    runPasses(program);
    await compare(program, graph, { n: 5 }, 1);
  });

  it('a constant that widens a product of one column is not folded into it', async () => {
    const graph = makeGraph({
      inputs: [{ name: 'x', dtype: 'float32', dims: ['batch', 4] }],
      outputs: [{ name: 'y', dtype: 'float32', dims: undefined }],
      nodes: [
        makeNode('MatMul', 'product', ['x', 'w'], ['h']),
        makeNode('Add', 'offset', ['h', 'b'], ['y']),
      ],
      constants: { w: filter(4, 1), b: filter(5) },
    });
    const { program } = await lowered(graph);
    runPasses(program);
    await compare(program, graph, {}, 2);
  });

  it('Split, in parts of given and of equal size', async () => {
    for (const sizes of [intConstant([2], [1, 3]), undefined]) {
      const inputs = sizes ? ['a', 'c0'] : ['a'];
      await check({
        op: 'Split',
        inputs: [[4]],
        ...(sizes && { constants: [sizes] }),
        nodes: [
          makeNode('Split', 'node', inputs, ['l', 'r'], { axis: int(-1) }),
          makeNode('Concat', 'turned', ['r', 'l'], ['y'], { axis: int(1) }),
        ],
      });
    }
  });

  it('Shape, ConstantOfShape and Range', async () => {
    await check({
      op: 'ConstantOfShape',
      inputs: [[4]],
      constants: [intConstant([], [0]), intConstant([], [1])],
      gives: 'int64',
      nodes: [
        makeNode('Shape', 'shape', ['a'], ['s']),
        makeNode('ConstantOfShape', 'fill', ['s'], ['f'], {
          value: { kind: 'tensor', value: intConstant([1], [-3]) },
        }),
        makeNode('Gather', 'columns', ['s', 'c1'], ['n']),
        makeNode('Range', 'range', ['c0', 'n', 'c1'], ['r']),
        makeNode('Add', 'add', ['f', 'r'], ['y']),
      ],
    });
  });
});

describe('what cannot be run', () => {
  it.each<[string, Case, RegExp]>([
    [
      'double precision',
      {
        op: 'Conv',
        inputs: [{ dtype: 'float64', dims: [3, 5, 5] }],
        constants: [filter(4, 3, 2, 2)],
        gives: 'float64',
      },
      /float64/,
    ],
  ])('%s', async (_, test, message) => {
    const error: unknown = await check(test).catch((thrown: unknown) => thrown);
    expect(error).toBeInstanceOf(Error);
    // onnxruntime refuses some of them first.
    expect((error as Error).message).toMatch(message);
  });
});
