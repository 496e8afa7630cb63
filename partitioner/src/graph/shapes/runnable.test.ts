import { describe, expect, it } from 'vitest';
import { makeTemporary, removeTemporary } from '../../onnx/temporary.js';
import { makeGraph, numbers, reference } from '../../testing/run-program.js';
import { floatConstant, intConstant, type Constant } from '../constant.js';
import { makeNode, type Attribute, type Graph } from '../graph.js';
import { deriveShapes, requireRunnable } from './derive.js';

const int = (value: number): Attribute => ({ kind: 'int', value });
const ints = (...value: number[]): Attribute => ({ kind: 'ints', value });
const text = (value: string): Attribute => ({ kind: 'string', value });
const floats = (...dims: number[]): Constant =>
  floatConstant(dims, numbers(dims.reduce((product, dim) => product * dim, 1)));
const list = (...values: number[]): Constant => intConstant([values.length], values);

/** Operator, dims of `x`, further inputs, attributes. */
type Case = [string, (number | string)[], Record<string, Constant>, Record<string, Attribute>?];

function graphOf([op, dims, constants, attributes = {}]: Case): Graph {
  return makeGraph({
    inputs: [{ name: 'x', dtype: 'float32', dims }],
    outputs: [{ name: 'y', dtype: 'float32', dims: undefined }],
    nodes: [makeNode(op, 'node', ['x', ...Object.keys(constants)], ['y'], attributes)],
    constants,
  });
}

/** Throws where the graph cannot run at these sizes of its open dimensions. */
async function check(graph: Graph, sizes: Record<string, number>): Promise<void> {
  const folder = makeTemporary();
  try {
    const derived = await deriveShapes(graph, sizes, folder);
    requireRunnable(graph, derived, derived.planSizes(1), sizes);
  } finally {
    removeTemporary(folder);
  }
}

const refused: Record<string, [Case, RegExp]> = {
  'a filter larger than a fixed image by less than a stride': [
    ['Conv', ['n', 2, 1, 5], { w: floats(3, 2, 2, 2) }, { strides: ints(2, 2) }],
    /"x" \[1,2,1,5\]: Conv "node" needs dimension 2 of its input to be at least 2, since its filter spans 2; it is 1\. These sizes are fixed in the model/,
  ],
  'a filter larger than its image, padding included': [
    ['Conv', ['n', 2, 1, 5], { w: floats(3, 2, 5, 2) }, { pads: ints(1, 1, 1, 1) }],
    /dimension 2 of its input, padding included, to be at least 5, since its filter spans 5; it is 3/,
  ],
  'a filter that dilation makes larger than its image': [
    ['Conv', ['n', 2, 4, 5], { w: floats(3, 2, 3, 2) }, { dilations: ints(2, 1) }],
    /dimension 2 of its input to be at least 5/,
  ],
  'a depthwise filter larger than an open image': [
    ['Conv', ['n', 2, 'h', 5], { w: floats(2, 1, 2, 2) }, { group: int(2) }],
    /it is 1 \(h\)\. Give dims that fit for "n", "h"/,
  ],
  'a filter on an empty image, padded to the same size': [
    ['Conv', ['n', 2, 0, 5], { w: floats(3, 2, 2, 2) }, { auto_pad: text('SAME_UPPER') }],
    /dimension 2 of its input to be at least 1, since an image has no empty side; it is 0/,
  ],
  'a filter of another size than kernel_shape': [
    ['Conv', ['n', 2, 4, 5], { w: floats(3, 2, 3, 2) }, { kernel_shape: ints(2, 2) }],
    /Conv "node" needs 2 and 3 to be the same/,
  ],
  'a bias of another size than the filters': [
    ['Conv', ['n', 2, 4, 5], { w: floats(3, 2, 3, 2), b: floats(4) }],
    /needs 4 and 3 to be the same/,
  ],
  'filters that groups cannot share': [
    ['Conv', ['n', 4, 4, 5], { w: floats(3, 2, 3, 2) }, { group: int(2) }],
    /Conv "node" has 3 filters, which 2 groups cannot share/,
  ],
  'a pooling window larger than its image by a stride': [
    ['MaxPool', ['n', 2, 1, 5], {}, { kernel_shape: ints(3, 2) }],
    /MaxPool "node" needs dimension 2 of its input to be at least 3, since its pooling window spans 3; it is 1/,
  ],
  'a pooling window on an empty image': [
    ['AveragePool', ['n', 2, 0, 5], {}, { kernel_shape: ints(1, 1) }],
    /no empty side/,
  ],
  'padding as wide as the pooling window': [
    ['AveragePool', ['n', 2, 4, 5], {}, { kernel_shape: ints(2, 2), pads: ints(0, 0, 2, 0) }],
    /AveragePool "node" pads by 2 where its window spans 2; the padding must be smaller/,
  ],
  'an average of an empty image': [['GlobalAveragePool', ['n', 2, 0, 5], {}], /no empty side/],
  'statistics of other channels': [
    [
      'BatchNormalization',
      ['n', 2, 1, 5],
      { s: floats(3), b: floats(3), m: floats(3), v: floats(3) },
    ],
    /needs 3 and 2 to be the same/,
  ],
  'a scale of another size than what is normalised': [
    ['LayerNormalization', ['n', 2, 4], { s: floats(3), b: floats(4) }],
    /needs 3 and 4 to be the same/,
  ],
  'an addend of a product that does not broadcast to it': [
    ['Gemm', [2, 3], { w: floats(3, 5), c: floats(3, 5) }],
    /needs 3 and 2 to be the same/,
  ],
  'slopes of other channels': [
    ['PRelu', ['n', 2, 4, 5], { s: floats(3, 1, 1) }],
    /needs 2 and 3 to be the same/,
  ],
  'an index beyond the end': [
    ['Gather', ['n', 5], { i: list(1, 7) }, { axis: int(1) }],
    /dimension 1 of its input to be at least 8, so that its indices lie inside; it is 5/,
  ],
  'an index before the beginning': [
    ['Gather', ['n', 5], { i: list(-6) }, { axis: int(1) }],
    /to be at least 6, so that its indices lie inside; it is 5/,
  ],
  'more reflected than there is': [
    ['Pad', ['n', 5], { p: list(0, 5, 0, 0) }, { mode: text('reflect') }],
    /dimension 1 of its input to be at least 6, so that there is enough to reflect; it is 5/,
  ],
  'an order of other dimensions': [
    ['Transpose', [3, 5], {}, { perm: ints(0) }],
    /Transpose "node" puts 2 dimensions in the order 0/,
  ],
  'an axis that is not there': [
    ['Softmax', [3, 5], {}, { axis: int(2) }],
    /Softmax "node" names axis 2, and there are 2 dimensions/,
  ],
  'an axis to reduce that is not there': [
    ['ReduceMean', [3, 5], {}, { axes: ints(-3) }],
    /names axis -3, and there are 2 dimensions/,
  ],
  'an axis to add that is not there': [
    ['Unsqueeze', [3, 5], { a: list(4) }],
    /names axis 4, and there are 3 dimensions/,
  ],
};

const taken: Record<string, Case> = {
  'a pooling window larger than its image by less than a stride': [
    'MaxPool',
    ['n', 2, 1, 5],
    {},
    { kernel_shape: ints(2, 2), strides: ints(2, 2) },
  ],
  'a filter on nothing but padding': [
    'Conv',
    ['n', 2, 0, 5],
    { w: floats(3, 2, 2, 2) },
    { pads: ints(1, 1, 1, 1) },
  ],
  'a flattening from behind the last axis': ['Flatten', ['n', 2, 3], {}, { axis: int(3) }],
};

const sizes = { n: 1, h: 1 };
const openOf = ([, dims]: Case): Record<string, number> =>
  Object.fromEntries(Object.entries(sizes).filter(([name]) => dims.includes(name)));

describe('what onnxruntime does not run is refused when it is planned', () => {
  it.each(Object.entries(refused))('%s', async (_, [parts, expected]) => {
    const graph = graphOf(parts);
    await expect(check(graph, openOf(parts))).rejects.toThrow(expected);
    await expect(reference(graph, openOf(parts), 1)).rejects.toThrow();
  });
});

describe('what onnxruntime runs is planned', () => {
  it.each(Object.entries(taken))('%s', async (_, parts) => {
    const graph = graphOf(parts);
    await check(graph, openOf(parts));
    await reference(graph, openOf(parts), 1);
  });
});
