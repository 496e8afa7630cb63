import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { compareShapes } from '../../testing/compare-shapes.js';
import { testModels } from '../../testing/models.js';
import { makeGraph, numbers } from '../../testing/run-program.js';
import { readOnnx } from '../../onnx/read-model.js';
import { loadModel } from '../../load.js';
import { floatConstant, intConstant, type Constant } from '../constant.js';
import { foldConstants } from '../fold-constants.js';
import { makeNode, type Attribute, type Graph, type GraphNode } from '../graph.js';
import { makeTemporary, removeTemporary } from '../../onnx/temporary.js';
import { deriveShapes, requireRunnable } from './derive.js';
import { inferShapes } from './infer.js';
import { inputSizes, sizesOfSamples, typicalDims } from './open-dimensions.js';

const int = (value: number): Attribute => ({ kind: 'int', value });
const ints = (...value: number[]): Attribute => ({ kind: 'ints', value });
const text = (value: string): Attribute => ({ kind: 'string', value });
const filter = (...dims: number[]): Constant =>
  floatConstant(dims, numbers(dims.reduce((product, dim) => product * dim, 1)));

describe('shapes of whole models are what onnxruntime makes them', () => {
  it.each(Object.entries(testModels))('%s', async (_, { path, options, other }) => {
    const model = await loadModel(path, options.dims ?? {});
    const dims = options.dims ?? {};
    const cases = [
      { dims, rows: 1 },
      { dims: { ...dims, ...other }, rows: 2 },
      { dims: { ...dims, ...other }, rows: 5 },
    ];
    // As onnxruntime cleans it up, and as the file has it.
    expect(await compareShapes(model.graph, cases)).toBeGreaterThan(3 * model.graph.nodes.length);
    model.close();
    const original = readOnnx(path);
    const folder = makeTemporary();
    await foldConstants(original, folder);
    removeTemporary(folder);
    expect(await compareShapes(original, cases.slice(1, 2))).toBeGreaterThan(original.nodes.length);
  });
});

const image = { name: 'x', dtype: 'float32', dims: ['n', 4, 'h', 'w'] } as const;
const sequence = { name: 'x', dtype: 'float32', dims: ['n', 's', 6] } as const;
const line = { name: 'x', dtype: 'float32', dims: ['n', 4, 's'] } as const;

/** Graphs by name: their input, nodes that give `y`, and constants. */
const graphs: Record<
  string,
  [
    (typeof image | typeof sequence | typeof line)[],
    GraphNode[],
    Record<string, Constant>?,
    number?,
  ]
> = {
  'a Reshape to sizes computed from shapes': [
    [sequence],
    [
      makeNode('Shape', 'shape', ['x'], ['s']),
      makeNode('Gather', 'rows', ['s', 'zero'], ['n']),
      makeNode('Gather', 'steps', ['s', 'one'], ['l']),
      makeNode('Unsqueeze', 'n1', ['n', 'axes'], ['n1']),
      makeNode('Mul', 'double', ['l', 'two'], ['l2']),
      makeNode('Unsqueeze', 'l1', ['l2', 'axes'], ['l1']),
      makeNode('Concat', 'target', ['n1', 'l1', 'three'], ['t'], { axis: int(0) }),
      makeNode('Reshape', 'reshape', ['x', 't'], ['y']),
    ],
    {
      zero: intConstant([], [0]),
      one: intConstant([], [1]),
      two: intConstant([], [2]),
      three: intConstant([1], [3]),
      axes: intConstant([1], [0]),
    },
  ],
  'halves of an image, Expand, Where and Equal on sizes': [
    [image],
    [
      makeNode('Shape', 'shape', ['x'], ['s'], { start: int(2), end: int(4) }),
      makeNode('Div', 'half', ['s', 'two'], ['half']),
      makeNode('Concat', 'whole', ['ones', 'half'], ['t'], { axis: int(0) }),
      makeNode('Equal', 'equal', ['t', 'minus'], ['e']),
      makeNode('Where', 'where', ['e', 'ones4', 't'], ['safe']),
      makeNode('Expand', 'expand', ['value', 'safe'], ['y']),
    ],
    {
      two: intConstant([1], [2]),
      ones: intConstant([2], [1, -1]),
      minus: intConstant([1], [-1]),
      ones4: intConstant([4], [1, 1, 1, 1]),
      value: floatConstant([1], [2]),
    },
  ],
  'strided convolutions and pools in a row': [
    [image],
    [
      makeNode('Conv', 'first', ['x', 'w'], ['a'], { strides: ints(2, 2), pads: ints(1, 1, 1, 1) }),
      makeNode('MaxPool', 'pool', ['a'], ['b'], {
        kernel_shape: ints(3, 2),
        strides: ints(2, 2),
        pads: ints(1, 0, 1, 1),
        ceil_mode: int(1),
      }),
      makeNode('AveragePool', 'same', ['b'], ['c'], {
        kernel_shape: ints(3, 3),
        strides: ints(2, 1),
        auto_pad: text('SAME_UPPER'),
      }),
      makeNode('ConvTranspose', 'up', ['c', 'v'], ['d'], {
        strides: ints(2, 3),
        output_padding: ints(1, 0),
      }),
      makeNode('GlobalAveragePool', 'mean', ['d'], ['e']),
      makeNode('Flatten', 'flat', ['e'], ['y']),
    ],
    { w: filter(5, 4, 3, 3), v: filter(5, 2, 2, 3) },
  ],
  'convolution of one dimension, and DepthToSpace of an image made of it': [
    [line],
    [
      makeNode('Conv', 'conv', ['x', 'w'], ['a'], { dilations: ints(2), pads: ints(2, 1) }),
      makeNode('Unsqueeze', 'image', ['a', 'axes'], ['b']),
      makeNode('DepthToSpace', 'depth', ['b'], ['y'], { blocksize: int(2) }),
    ],
    { w: filter(8, 4, 3), axes: intConstant([1], [-1]) },
  ],
  'Resize by scales': [
    [image],
    [makeNode('Resize', 'resize', ['x', '', 'scales'], ['y'])],
    { scales: floatConstant([4], [1, 1, 1.7, 0.5]) },
  ],
  'Resize to sizes computed from those of the input': [
    [image],
    [
      makeNode('Shape', 'shape', ['x'], ['s']),
      makeNode('Cast', 'real', ['s'], ['f'], { to: int(1) }),
      makeNode('Mul', 'times', ['f', 'two'], ['g']),
      makeNode('Floor', 'floor', ['g'], ['h']),
      makeNode('Cast', 'whole', ['h'], ['i'], { to: int(7) }),
      makeNode('Slice', 'sides', ['i', 'from', 'to'], ['j']),
      makeNode('Slice', 'front', ['s', 'zero', 'from'], ['k']),
      makeNode('Concat', 'sizes', ['k', 'j'], ['l'], { axis: int(0) }),
      makeNode('Resize', 'resize', ['x', '', '', 'l'], ['y']),
    ],
    {
      two: floatConstant([], [2]),
      from: intConstant([1], [2]),
      to: intConstant([1], [4]),
      zero: intConstant([1], [0]),
    },
  ],
  'slices from both ends, and their sum': [
    [sequence],
    [
      makeNode('Slice', 'head', ['x', 'zero', 'two', 'one'], ['a']),
      makeNode('Slice', 'tail', ['x', 'two', 'most', 'one'], ['b']),
      makeNode('Slice', 'back', ['b', 'last', 'least', 'one', 'minus'], ['c']),
      makeNode('Concat', 'all', ['a', 'c', 'x'], ['y'], { axis: int(1) }),
    ],
    {
      zero: intConstant([1], [0]),
      one: intConstant([1], [1]),
      two: intConstant([1], [2]),
      last: intConstant([1], [-1]),
      least: intConstant([1], [-0x80000000]),
      minus: intConstant([1], [-2]),
      most: intConstant([1], [Number.MAX_SAFE_INTEGER]),
    },
  ],
  'LSTM, GRU and what is taken from them': [
    [sequence],
    [
      makeNode('Transpose', 'time', ['x'], ['t'], { perm: ints(1, 0, 2) }),
      makeNode('LSTM', 'lstm', ['t', 'w', 'r'], ['o', 'h', 'c'], {
        hidden_size: int(3),
        direction: text('bidirectional'),
      }),
      makeNode('GRU', 'gru', ['t', 'gw', 'gr'], ['go', 'hs'], { hidden_size: int(2) }),
      makeNode('Squeeze', 'states', ['hs', 'zero'], ['y']),
      makeNode('Transpose', 'sides', ['o'], ['z'], { perm: ints(2, 0, 1, 3) }),
    ],
    {
      w: filter(2, 12, 6),
      r: filter(2, 12, 3),
      gw: filter(1, 6, 6),
      gr: filter(1, 6, 2),
      zero: intConstant([1], [0]),
    },
  ],
  'ArgMax and OneHot': [
    [sequence],
    [
      makeNode('ArgMax', 'arg', ['x'], ['m'], { axis: int(2), keepdims: int(0) }),
      makeNode('OneHot', 'hot', ['m', 'depth', 'onoff'], ['y']),
    ],
    {
      depth: intConstant([], [6]),
      onoff: floatConstant([2], [0, 1]),
    },
  ],
  'Tile, CumSum, Trilu and Einsum': [
    [sequence],
    [
      makeNode('Tile', 'tile', ['x', 'repeats'], ['t']),
      makeNode('CumSum', 'sum', ['t', 'two'], ['u']),
      makeNode('Einsum', 'einsum', ['x', 'u'], ['e'], { equation: text('bij,bik->bjk') }),
      makeNode('Trilu', 'lower', ['e'], ['l'], { upper: int(0) }),
      makeNode('Einsum', 'dots', ['l', 'l'], ['d'], { equation: text('...ij,...kj->...ik') }),
      makeNode('ReduceProd', 'product', ['d'], ['y'], { axes: ints(1), keepdims: int(0) }),
    ],
    { two: intConstant([], [2]), repeats: intConstant([3], [1, 1, 3]) },
  ],
  'parts that do not come out even': [
    [sequence],
    [
      makeNode('Split', 'split', ['x'], ['a', 'b', 'c'], { axis: int(1), num_outputs: int(3) }),
      makeNode('Size', 'size', ['c'], ['z']),
      makeNode('Concat', 'joined', ['c', 'a'], ['y'], { axis: int(1) }),
    ],
    {},
    18,
  ],
  'pads, and a range over a size': [
    [sequence],
    [
      makeNode('Pad', 'pad', ['x', 'pads'], ['p']),
      makeNode('Shape', 'shape', ['p'], ['s']),
      makeNode('Gather', 'steps', ['s', 'one'], ['l']),
      makeNode('Range', 'range', ['zero', 'l', 'two'], ['r']),
      makeNode('ReduceProd', 'count', ['s'], ['k'], { keepdims: int(1) }),
      makeNode('ConstantOfShape', 'zeros', ['k'], ['f']),
      makeNode('Cast', 'real', ['r'], ['y'], { to: int(1) }),
    ],
    {
      pads: intConstant([6], [0, 2, 0, 0, 1, 3]),
      zero: intConstant([], [0]),
      one: intConstant([], [1]),
      two: intConstant([], [2]),
    },
  ],
};

/** Graphs at which onnxruntime ends the process where a size is 0. */
const neverEmpty = new Set([
  'Tile, CumSum, Trilu and Einsum',
  'LSTM, GRU and what is taken from them',
]);

describe('shapes of graphs are what onnxruntime makes them, at any size', () => {
  it.each(Object.entries(graphs))('%s', async (name, [inputs, nodes, constants = {}, opset]) => {
    const graph = makeGraph({
      inputs: [...inputs],
      outputs: [{ name: 'y', dtype: 'float32', dims: undefined }],
      nodes,
      constants,
      ...(opset !== undefined && { opset }),
    });
    const min = neverEmpty.has(name) ? 1 : 0;
    const size = fc.integer({ min, max: 40 });
    const dims = fc.record({ s: size, h: size, w: size });
    const cases = fc.sample(fc.record({ dims, rows: fc.integer({ min, max: 5 }) }), {
      numRuns: 30,
      seed: 5,
    });
    const open = new Set(inputs.flatMap((input) => input.dims));
    const fitting = cases.map(({ dims, rows }) => ({
      rows,
      dims: Object.fromEntries(Object.entries(dims).filter(([name]) => open.has(name as 's'))),
    }));
    const compared = await compareShapes(graph, fitting, true);
    expect(compared).toBeGreaterThan(5 * (nodes.length + 1));
  });
});

it('TopK gives as many as it is asked for', () => {
  const graph = makeGraph({
    inputs: [sequence, { name: 'k', dtype: 'int64', dims: [1] }],
    outputs: [],
    nodes: [
      makeNode('TopK', 'three', ['x', 'count'], ['v', 'i'], { axis: int(1) }),
      makeNode('TopK', 'open', ['x', 'k'], ['w', '']),
    ],
    constants: { count: intConstant([1], [3]) },
  });
  const { facts, open } = inferShapes(graph, inputSizes(graph));
  const texts = ['v', 'i', 'w'].map((name) => facts.get(name)!.dims.map(String).join());
  expect(texts).toEqual(['n,3,6', 'n,3,6', 'n,s,w_2']);
  expect(facts.get('i')!.dtype).toBe('int64');
  expect([...open.values()]).toEqual([{ value: 'w', axis: 2 }]);
});

describe('sizes that depend on data', () => {
  const graph = (): Graph =>
    makeGraph({
      inputs: [{ name: 'x', dtype: 'float32', dims: ['n', 4] }],
      outputs: [{ name: 'y', dtype: 'float32', dims: undefined }],
      nodes: [
        makeNode('NonZero', 'places', ['x'], ['p']),
        makeNode('Transpose', 'turned', ['p'], ['t']),
        makeNode('GatherND', 'picked', ['x', 't'], ['y']),
      ],
    });

  it('have a name of their own, and a number that was seen to plan with', async () => {
    const folder = makeTemporary();
    const { inference, seen, planSizes } = await deriveShapes(graph(), { n: 1 }, folder);
    removeTemporary(folder);
    const [size] = inference.facts.get('y')!.dims;
    expect(String(size)).toBe('p_1');
    expect(seen.size).toBe(1);
    expect([1, 2, 5].map((rows) => planSizes(1).at(size!, rows))).toEqual([4, 8, 20]);
  });
});

describe('open dimensions', () => {
  it('without a name tie nothing together', () => {
    const graph = makeGraph({
      inputs: [
        { name: 'x', dtype: 'float32', dims: ['?', 3, '?', ''] },
        { name: 'z', dtype: 'float32', dims: ['?', undefined, -1, 'x_0'] },
      ],
      outputs: [],
      nodes: [],
    });
    expect(Object.keys(typicalDims(graph, {}))).toEqual([
      'x_0_',
      'x_2',
      'x_3',
      'z_0',
      'z_1',
      'z_2',
      'x_0',
    ]);
  });

  it('whose names are expressions of others have the sizes that they spell', async () => {
    const graph = makeGraph({
      inputs: [
        { name: 'x', dtype: 'float32', dims: ['n', 'steps', 6] },
        { name: 'past', dtype: 'float32', dims: ['n', 'past', 6] },
        { name: 'mask', dtype: 'float32', dims: ['n', 'past + 2*steps', 'a - b', 'left-right'] },
      ],
      outputs: [{ name: 'y', dtype: 'float32', dims: undefined }],
      nodes: [
        makeNode('Concat', 'all', ['past', 'x', 'x'], ['a'], { axis: int(1) }),
        makeNode('ReduceMean', 'mean', ['mask'], ['m'], { axes: ints(3, 2), keepdims: int(0) }),
        makeNode('Unsqueeze', 'column', ['m', 'last'], ['c']),
        makeNode('Mul', 'masked', ['a', 'c'], ['y']),
      ],
      constants: { last: intConstant([1], [-1]) },
    });
    expect(typicalDims(graph, { steps: 3 })).toEqual({
      n: 1,
      steps: 3,
      past: 128,
      'a - b': 224,
      'left-right': 224,
      'past + 2*steps': 134,
    });
    expect(() => typicalDims(graph, { 'past + 2*steps': 3 })).toThrow(/no open dimension/);
    const sizes = { steps: 2, past: 5, 'a - b': 3, 'left-right': 1 };
    expect(await compareShapes(graph, [{ dims: sizes, rows: 2 }])).toBe(7);
    const { facts } = inferShapes(graph, inputSizes(graph));
    expect(facts.get('y')!.dims.map(String)).toEqual(['n', 'past + 2*steps', '6']);
  });

  it('are planned with as samples have them, rows aside', () => {
    const graph = makeGraph({
      inputs: [
        { name: 'x', dtype: 'float32', dims: ['n', 'steps', 6] },
        { name: 'mask', dtype: 'float32', dims: ['n', 'steps + 1'] },
      ],
      outputs: [],
      nodes: [],
    });
    const samples = [
      { name: 'x', dims: [3, 17, 6] },
      { name: 'mask', dims: [3, 18] },
    ];
    expect(sizesOfSamples(graph, samples)).toEqual({ steps: 17 });
  });

  it('must have sizes at which the model runs', async () => {
    const graph = makeGraph({
      inputs: [{ name: 'x', dtype: 'float32', dims: ['n', 4, 'h', 'w'] }],
      outputs: [{ name: 'y', dtype: 'float32', dims: undefined }],
      nodes: [makeNode('Conv', 'conv', ['x', 'w'], ['y'])],
      constants: { w: filter(5, 4, 7, 3) },
    });
    const folder = makeTemporary();
    const sizes = { n: 1, h: 4, w: 9 };
    const derived = await deriveShapes(graph, sizes, folder);
    removeTemporary(folder);
    expect(() => {
      requireRunnable(graph, derived, derived.planSizes(1), sizes);
    }).toThrow(
      /inputs "x" \[1,4,4,9\]: Conv "conv" needs dimension 2 of its input to be at least 7, .*; it is 4 \(h\)/,
    );
  });
});
