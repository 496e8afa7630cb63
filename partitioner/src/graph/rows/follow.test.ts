import { describe, expect, it } from 'vitest';
import type { BundleTensor } from '@canopy/protocol';
import { joinRows, splitRows } from '@canopy/protocol';
import { runOnce } from '../../onnx/runtime.js';
import { writeOnnx } from '../../onnx/write-model.js';
import { largestDifference } from '../../testing/run-plan.js';
import { lowered, makeGraph, numbers } from '../../testing/run-program.js';
import { floatConstant, intConstant, type Constant } from '../constant.js';
import { makeNode, type Attribute, type Graph, type GraphNode, type NamedValue } from '../graph.js';
import { sampleFeeds } from '../measure.js';
import { runPasses } from '../passes/index.js';
import { typicalDims } from '../shapes/open-dimensions.js';
import { followRows, type Independence } from './follow.js';

const int = (value: number): Attribute => ({ kind: 'int', value });
const ints = (...value: number[]): Attribute => ({ kind: 'ints', value });
const filter = (...dims: number[]): Constant =>
  floatConstant(dims, numbers(dims.reduce((product, dim) => product * dim, 1)));

interface Case {
  inputs?: NamedValue[];
  nodes: GraphNode[];
  constants?: Record<string, Constant>;
  /** Sizes to plan with. */
  dims?: Record<string, number>;
}

const sequence: NamedValue = { name: 'x', dtype: 'float32', dims: ['n', 's', 6] };
const flat: NamedValue = { name: 'x', dtype: 'float32', dims: ['n', 4] };
const node = (op: string, inputs: string[], output: string, attributes = {}): GraphNode =>
  makeNode(op, `${op}-${output}`, inputs, [output], attributes);
const shapeNumbers = {
  zero: intConstant([1], [0]),
  one: intConstant([1], [1]),
  two: intConstant([1], [2]),
  minus: intConstant([1], [-1]),
  three: intConstant([1], [3]),
};

function graphOf({ inputs = [sequence], nodes, constants }: Case): Graph {
  return makeGraph({
    inputs,
    outputs: [{ name: 'y', dtype: 'float32', dims: undefined }],
    nodes,
    constants: { ...shapeNumbers, ...constants },
  });
}

async function follow(test: Case): Promise<Independence> {
  const { program, derived } = await lowered(graphOf(test), test.dims);
  return followRows(runPasses(program), derived.rows);
}

/** Whether rows cut apart and joined again are what onnxruntime makes of all together. */
async function cutAndJoined(test: Case): Promise<boolean> {
  const graph = graphOf(test);
  const sizes = { ...typicalDims(graph, {}), ...test.dims };
  const feeds = sampleFeeds(graph, sizes, 5, 3);
  const run = async (given: BundleTensor[]): Promise<BundleTensor[]> => [
    (await runOnce(writeOnnx(graph), given)).get('y')!,
  ];
  const [together] = await run(feeds);
  const [joined] = joinRows(await Promise.all(splitRows(feeds, 2).map(run)));
  return largestDifference(together!, joined!) < 1e-5;
}

const independent: Record<string, Case> = {
  'attention over the steps of each row': {
    nodes: [
      node('MatMul', ['x', 'w'], 'q'),
      node('Shape', ['x'], 'shape'),
      node('Slice', ['shape', 'zero', 'one'], 'n'),
      node('Slice', ['shape', 'one', 'two'], 's'),
      node('Concat', ['n', 's', 'two', 'three'], 'heads', { axis: int(0) }),
      node('Reshape', ['q', 'heads'], 'r'),
      node('Transpose', ['r'], 't', { perm: ints(0, 2, 1, 3) }),
      node('Transpose', ['r'], 'k', { perm: ints(0, 2, 3, 1) }),
      node('MatMul', ['t', 'k'], 'scores'),
      node('Softmax', ['scores'], 'p'),
      node('MatMul', ['p', 't'], 'o'),
      node('Transpose', ['o'], 'b', { perm: ints(0, 2, 1, 3) }),
      node('Concat', ['n', 's', 'minus'], 'back', { axis: int(0) }),
      node('Reshape', ['b', 'back'], 'z'),
      node('ReduceMean', ['z'], 'y', { axes: ints(1), keepdims: int(0) }),
    ],
    constants: { w: filter(6, 6) },
    dims: { s: 5 },
  },
  'steps first, heads folded into the batch': {
    nodes: [
      node('Transpose', ['x'], 't', { perm: ints(1, 0, 2) }),
      node('Shape', ['t'], 'shape'),
      node('Slice', ['shape', 'zero', 'one'], 's'),
      node('Slice', ['shape', 'one', 'two'], 'n'),
      node('Mul', ['n', 'two'], 'n2'),
      node('Concat', ['s', 'n2', 'three'], 'folded', { axis: int(0) }),
      node('Reshape', ['t', 'folded'], 'f'),
      node('Transpose', ['f'], 'q', { perm: ints(1, 0, 2) }),
      node('Transpose', ['f'], 'k', { perm: ints(1, 2, 0) }),
      node('MatMul', ['q', 'k'], 'scores'),
      node('Softmax', ['scores'], 'p'),
      node('MatMul', ['p', 'q'], 'o'),
      node('Transpose', ['o'], 'b', { perm: ints(1, 0, 2) }),
      node('Concat', ['s', 'n', 'minus'], 'whole', { axis: int(0) }),
      node('Reshape', ['b', 'whole'], 'u'),
      node('Transpose', ['u'], 'y', { perm: ints(1, 0, 2) }),
    ],
    dims: { s: 4 },
  },
  'all steps of all rows as one matrix, and back': {
    nodes: [
      node('Reshape', ['x', 'rows'], 'm'),
      node('MatMul', ['m', 'w'], 'h'),
      node('Shape', ['x'], 'shape'),
      node('Reshape', ['h', 'shape'], 'y'),
    ],
    constants: { rows: intConstant([2], [-1, 6]), w: filter(6, 6) },
    dims: { s: 3 },
  },
  'tables made for as many rows as there are': {
    inputs: [{ name: 'x', dtype: 'int64', dims: ['n', 's'] }],
    nodes: [
      node('Shape', ['x'], 'shape'),
      node('Expand', ['positions', 'shape'], 'p'),
      node('ConstantOfShape', ['shape'], 'zeros'),
      node('Cast', ['zeros'], 'z', { to: int(7) }),
      node('Add', ['p', 'z'], 'q'),
      node('Gather', ['table', 'q'], 'g'),
      node('Gather', ['table', 'x'], 'h'),
      node('Concat', ['g', 'h'], 'y', { axis: int(-1) }),
    ],
    constants: { positions: intConstant([1, 3], [2, 0, 1]), table: filter(4, 5) },
    dims: { s: 3 },
  },
  'halves of the steps': {
    nodes: [
      makeNode('Split', 'halves', ['x'], ['front', 'back'], { axis: int(1) }),
      node('Sub', ['front', 'back'], 'y'),
    ],
    dims: { s: 4 },
  },
  'pads, slices and softmax along other axes': {
    nodes: [
      node('Pad', ['x', 'pads'], 'p'),
      node('Slice', ['p', 'one', 'three', 'two'], 's'),
      node('Softmax', ['s'], 'm', { axis: int(1) }),
      node('LayerNormalization', ['m', 'scale'], 'l'),
      node('Where', ['mask', 'l', 'm'], 'y'),
    ],
    constants: {
      pads: intConstant([6], [0, 1, 0, 0, 0, 2]),
      scale: filter(2),
      mask: { ...intConstant([1], [0]), dtype: 'bool', read: () => Uint8Array.of(1) },
    },
    dims: { s: 4 },
  },
};

const dependent: Record<string, [Case, RegExp]> = {
  'the largest of all rows, which counts only where it is large': [
    {
      inputs: [flat],
      nodes: [
        node('ReduceMax', ['x'], 'most', { keepdims: int(0) }),
        node('Sub', ['most', 'twice'], 'over'),
        node('Relu', ['over'], 'extra'),
        node('Add', ['x', 'extra'], 'y'),
      ],
      constants: { twice: floatConstant([], [2]) },
    },
    /Reduce "ReduceMax-most" works across rows/,
  ],
  'the mean over the batch': [
    {
      inputs: [flat],
      nodes: [node('ReduceMean', ['x'], 'm', { axes: ints(0) }), node('Sub', ['x', 'm'], 'y')],
    },
    /Reduce "ReduceMean-m" works across rows/,
  ],
  'products of rows with rows': [
    {
      inputs: [flat],
      nodes: [node('Transpose', ['x'], 't', { perm: ints(1, 0) }), node('MatMul', ['x', 't'], 'y')],
    },
    /MatMul "MatMul-y" works across rows/,
  ],
  'the first row for all': [
    { inputs: [flat], nodes: [node('Gather', ['x', 'zero'], 'f'), node('Add', ['x', 'f'], 'y')] },
    /Gather "Gather-f" works across rows/,
  ],
  'a softmax along the batch': [
    { inputs: [flat], nodes: [node('Softmax', ['x'], 'y', { axis: int(0) })] },
    /Softmax "Softmax-y" works across rows/,
  ],
  'a softmax down columns that are rows': [
    {
      inputs: [flat],
      nodes: [
        node('Transpose', ['x'], 't', { perm: ints(1, 0) }),
        node('MatMul', ['square', 't'], 'p'),
        node('Softmax', ['p'], 's', { axis: int(0) }),
        node('Transpose', ['s'], 'y', { perm: ints(1, 0) }),
      ],
      constants: { square: filter(4, 4) },
    },
    /Softmax "Softmax-s" works across rows/,
  ],
  'halves of the batch': [
    {
      inputs: [flat],
      nodes: [
        makeNode('Split', 'halves', ['x'], ['front', 'back'], { axis: int(0) }),
        node('Add', ['front', 'back'], 'y'),
      ],
      dims: { n: 2 },
    },
    /"halves" works across rows/,
  ],
  'rows in reverse': [
    {
      inputs: [flat],
      nodes: [node('Slice', ['x', 'minus', 'least', 'zero', 'minus'], 'y')],
      constants: { least: intConstant([1], [-0x7fffffff]) },
    },
    /Slice "Slice-y" works across rows/,
  ],
  'a batch beside a batch': [
    { inputs: [flat], nodes: [node('Concat', ['x', 'x'], 'y', { axis: int(0) })] },
    /Concat "Concat-y" works across rows/,
  ],
  'rows pressed into others': [
    {
      inputs: [flat],
      nodes: [node('Reshape', ['x', 'shape'], 'y')],
      constants: { shape: intConstant([2], [-1, 8]) },
      dims: { n: 4 },
    },
    /Reshape "Reshape-y" works across rows/,
  ],
  'a number made of how many rows there are': [
    {
      inputs: [flat],
      nodes: [
        node('Shape', ['x'], 'shape'),
        node('Slice', ['shape', 'zero', 'one'], 'n'),
        node('Cast', ['n'], 'f', { to: int(1) }),
        node('Div', ['x', 'f'], 'y'),
      ],
    },
    /"Div-y" works across rows/,
  ],
  'rows that are counted': [
    {
      inputs: [flat],
      nodes: [
        node('Shape', ['x'], 'shape'),
        node('Gather', ['shape', 'scalar'], 'n'),
        node('Range', ['scalar', 'n', 'step'], 'r'),
        node('Cast', ['r'], 'f', { to: int(1) }),
        node('Unsqueeze', ['f', 'one'], 'u'),
        node('Add', ['x', 'u'], 'y'),
      ],
      constants: { scalar: intConstant([], [0]), step: intConstant([], [1]) },
    },
    /Range "Range-r" works across rows/,
  ],
  'a result without rows': [
    {
      inputs: [flat],
      nodes: [
        node('Shape', ['x'], 's'),
        node('Slice', ['s', 'one', 'two'], 'l'),
        node('Cast', ['l'], 'y', { to: int(1) }),
      ],
    },
    /output "y" is not one row for each row/,
  ],
  'rows along another axis of the result': [
    { inputs: [flat], nodes: [node('Transpose', ['x'], 'y', { perm: ints(1, 0) })] },
    /output "y" is not one row for each row/,
  ],
  'inputs whose first dimensions have different names': [
    {
      inputs: [flat, { name: 'z', dtype: 'float32', dims: ['m', 4] }],
      nodes: [node('Add', ['x', 'z'], 'y')],
    },
    /inputs share no open first dimension/,
  ],
  'inputs without names for their first dimensions': [
    {
      inputs: [
        { name: 'x', dtype: 'float32', dims: ['?', 4] },
        { name: 'z', dtype: 'float32', dims: ['?', 4] },
      ],
      nodes: [node('Add', ['x', 'z'], 'y')],
    },
    /inputs share no open first dimension/,
  ],
  'a square of rows': [
    {
      inputs: [{ name: 'x', dtype: 'float32', dims: ['n', 'n'] }],
      nodes: [node('Relu', ['x'], 'y')],
    },
    /input "x" has n in more than one place/,
  ],
};

describe('rows are found to be independent', () => {
  it.each(Object.entries(independent))('%s', async (_, test) => {
    expect(await follow(test)).toEqual({ independent: true });
    expect(await cutAndJoined(test)).toBe(true);
  });
});

describe('rows are not found to be independent', () => {
  it.each(Object.entries(dependent))('%s', async (_, [test, why]) => {
    const found = await follow(test);
    expect(found).toMatchObject({ independent: false, why: expect.stringMatching(why) as string });
  });
});
