import { describe, expect, it } from 'vitest';
import type { DTypeName } from '@canopy/protocol';
import { floatConstant, intConstant, numberConstant } from '../graph/constant.js';
import { makeNode, type Attribute, type Graph } from '../graph/graph.js';
import { largestDifference } from '../testing/run-plan.js';
import { lowered, makeGraph, reference, runProgram } from '../testing/run-program.js';

const floats = (...value: number[]): Attribute => ({ kind: 'floats', value });
const ints = (...value: number[]): Attribute => ({ kind: 'ints', value });
const text = (value: string): Attribute => ({ kind: 'string', value });
const strings = (...value: string[]): Attribute => ({ kind: 'strings', value });

interface Case {
  op: 'LabelEncoder' | 'LinearClassifier';
  attributes: Record<string, Attribute>;
  dtype?: DTypeName;
  gives: DTypeName[];
  opset?: number;
}

/** One node on X ["batch", 3]. */
function graphOf({ op, attributes, dtype = 'float32', gives, opset = 2 }: Case): Graph {
  const names = gives.map((_, index) => `y${index}`);
  const graph = makeGraph({
    inputs: [{ name: 'x', dtype, dims: ['batch', 3] }],
    outputs: names.map((name, index) => ({ name, dtype: gives[index]!, dims: undefined })),
    nodes: [makeNode(`ai.onnx.ml.${op}`, 'node', ['x'], names, attributes)],
    constants: {},
  });
  graph.opsets.set('ai.onnx.ml', opset);
  return graph;
}

const two = { coefficients: floats(1, 2, 3, -1, 0.5, 0.25), intercepts: floats(0.5, -0.5) };
const three = {
  coefficients: floats(1, 2, 3, -1, 0.5, 0.25, 0.3, -2, 1),
  intercepts: floats(0.5, -0.5, 0),
};
const classifiers = [
  { ...three, classlabels_ints: ints(0, 1, 2) },
  { ...three, classlabels_ints: ints(7, -3, 5), post_transform: text('SOFTMAX') },
  { ...two, classlabels_ints: ints(0, 1), post_transform: text('LOGISTIC') },
  { ...two, classlabels_ints: ints(4, 2), post_transform: text('SOFTMAX') },
];
const cases: Case[] = [
  ...classifiers.flatMap((attributes): Case[] =>
    (['float32', 'int64'] as const).map((dtype) => ({
      op: 'LinearClassifier',
      attributes,
      dtype,
      gives: ['int64', 'float32'],
    })),
  ),
  {
    op: 'LabelEncoder',
    attributes: { keys_int64s: ints(0, 1, 2, -1), values_int64s: ints(30, 20, 10, -5) },
    dtype: 'int64',
    gives: ['int64'],
  },
  {
    op: 'LabelEncoder',
    attributes: {
      keys_int64s: ints(1, 0),
      values_floats: floats(0.5, 7),
      default_float: { kind: 'float', value: 2.5 },
    },
    dtype: 'int64',
    gives: ['float32'],
  },
  {
    op: 'LabelEncoder',
    attributes: {
      keys_floats: floats(-1e9, 0.25),
      values_int64s: ints(3, 4),
      default_int64: { kind: 'int', value: 9 },
    },
    gives: ['int64'],
  },
  {
    op: 'LabelEncoder',
    attributes: {
      keys_tensor: { kind: 'tensor', value: intConstant([2], [1, 2]) },
      values_tensor: { kind: 'tensor', value: floatConstant([2], [1.5, 2.5]) },
      default_tensor: { kind: 'tensor', value: numberConstant('float32', [1], [8]) },
    },
    dtype: 'int64',
    gives: ['float32'],
    opset: 4,
  },
];

describe('operators of ai.onnx.ml that give labels', () => {
  it.each(cases)('$op of $dtype: as onnxruntime, at any number of rows', async (test) => {
    const graph = graphOf(test);
    const { program, sizes } = await lowered(graph, { batch: 4 });
    for (const rows of [1, 4, 7]) {
      const { feeds, expected } = await reference(graph, { ...sizes, batch: rows }, rows);
      const results = await runProgram(program, feeds);
      expect(results).toHaveLength(expected.length);
      results.forEach((result, index) => {
        const wanted = expected[index]!;
        expect(result.dtype).toBe(wanted.dtype);
        expect([...result.dims]).toEqual([...wanted.dims]);
        if (wanted.dtype === 'float32') {
          expect(largestDifference(result, wanted)).toBeLessThan(1e-5);
        } else expect(Buffer.from(result.data)).toEqual(Buffer.from(wanted.data));
      });
    }
  });

  it.each([
    ['LinearClassifier', { ...two, classlabels_strings: strings('a', 'b') }, /are strings/],
    [
      'LinearClassifier',
      { coefficients: floats(1, 2, 3), intercepts: floats(1), classlabels_ints: ints(0, 1) },
      /1 intercepts and 2 labels/,
    ],
    [
      'LinearClassifier',
      { ...two, classlabels_ints: ints(0, 1), post_transform: text('PROBIT') },
      /post_transform/,
    ],
    ['LabelEncoder', { keys_floats: floats(1, 1), values_int64s: ints(1, 2) }, /2 keys/],
    ['LabelEncoder', { keys_floats: floats(1), values_strings: strings('a') }, /are strings/],
  ] as [Case['op'], Record<string, Attribute>, RegExp][])(
    '%s: refuses what it does not run',
    async (op, attributes, why) => {
      const gives: DTypeName[] = op === 'LabelEncoder' ? ['int64'] : ['int64', 'float32'];
      await expect(lowered(graphOf({ op, attributes, gives }))).rejects.toThrow(why);
    },
  );
});
