import { describe, expect, it } from 'vitest';
import type { DTypeName } from '@canopy/protocol';
import { intConstant, type Constant } from '../graph/constant.js';
import { makeNode, type Attribute, type Graph } from '../graph/graph.js';
import { largestDifference } from '../testing/run-plan.js';
import { lowered, makeGraph, reference, runProgram } from '../testing/run-program.js';

const floats = (...value: number[]): Attribute => ({ kind: 'floats', value });
const ints = (...value: number[]): Attribute => ({ kind: 'ints', value });
const real = (value: number): Attribute => ({ kind: 'float', value });
const text = (value: string): Attribute => ({ kind: 'string', value });

interface Case {
  op: string;
  attributes?: Record<string, Attribute>;
  dtype?: DTypeName;
  constants?: Record<string, Constant>;
  gives?: DTypeName;
}

/** One node on X ["batch", 3]. */
function graphOf({ op, attributes, dtype = 'float32', constants, gives }: Case): Graph {
  const graph = makeGraph({
    inputs: [{ name: 'x', dtype, dims: ['batch', 3] }],
    outputs: [{ name: 'y', dtype: gives ?? 'float32', dims: undefined }],
    nodes: [
      makeNode(
        `ai.onnx.ml.${op}`,
        'node',
        ['x', ...Object.keys(constants ?? {})],
        ['y'],
        attributes,
      ),
    ],
    constants: constants ?? {},
  });
  graph.opsets.set('ai.onnx.ml', 3);
  return graph;
}

const three = { offset: floats(0.5, -1, 2), scale: floats(2, 0.25, 3) };
const cases: Case[] = [
  { op: 'Scaler', attributes: three },
  { op: 'Scaler', attributes: three, dtype: 'float64' },
  { op: 'Scaler', attributes: three, dtype: 'int64' },
  { op: 'Scaler', attributes: { offset: floats(0.5), scale: floats(2) } },
  ...['MAX', 'L1', 'L2'].flatMap((norm): Case[] => [
    { op: 'Normalizer', attributes: { norm: text(norm) } },
    { op: 'Normalizer', attributes: { norm: text(norm) }, dtype: 'int64' },
  ]),
  { op: 'Binarizer', attributes: { threshold: real(0.25) } },
  {
    op: 'Imputer',
    attributes: { imputed_value_floats: floats(1, 2, 3), replaced_value_float: real(0) },
  },
  {
    op: 'Imputer',
    attributes: {
      imputed_value_int64s: ints(70, 80, 90),
      replaced_value_int64: { kind: 'int', value: 1 },
    },
    dtype: 'int64',
    gives: 'int64',
  },
  { op: 'ArrayFeatureExtractor', constants: { i: intConstant([1, 2], [2, 0]) } },
  { op: 'FeatureVectorizer', attributes: { inputdimensions: ints(3) } },
  { op: 'OneHotEncoder', attributes: { cats_int64s: ints(1, 0, 5) }, dtype: 'int64' },
  {
    op: 'LinearRegressor',
    attributes: {
      coefficients: floats(1, 2, 3, -1, 0.5, 0.25),
      intercepts: floats(1, -1),
      targets: { kind: 'int', value: 2 },
    },
  },
];

describe('operators of ai.onnx.ml that become others', () => {
  it.each(cases)('$op of $dtype: as onnxruntime, at any number of rows', async (test) => {
    const graph = graphOf(test);
    const { program, sizes } = await lowered(graph, { batch: 4 });
    for (const rows of [1, 4, 7]) {
      const { feeds, expected } = await reference(graph, { ...sizes, batch: rows }, rows);
      const [result] = await runProgram(program, feeds);
      const [wanted] = expected;
      expect(result!.dtype).toBe(wanted!.dtype);
      expect([...result!.dims]).toEqual([...wanted!.dims]);
      if (wanted!.dtype === 'float32') {
        expect(largestDifference(result!, wanted!)).toBeLessThan(1e-5);
      } else expect(Buffer.from(result!.data)).toEqual(Buffer.from(wanted!.data));
    }
  });

  it.each([
    [
      { op: 'OneHotEncoder', attributes: { cats_strings: { kind: 'strings', value: ['a'] } } },
      /encodes strings/,
    ],
    [{ op: 'Scaler', attributes: { offset: floats(1, 2), scale: floats(1) } }, /2 numbers/],
    [
      {
        op: 'LinearRegressor',
        attributes: { coefficients: floats(1, 2, 3), post_transform: text('SOFTMAX') },
      },
      /post_transform/,
    ],
  ] as [Case, RegExp][])('$0.op: refuses what it does not run', async (test, why) => {
    await expect(lowered(graphOf(test))).rejects.toThrow(why);
  });
});
