import { describe, expect, it } from 'vitest';
import type { BundleTensor } from '@canopy/protocol';
import { constantBytes, floatConstant, numberConstant, type Constant } from '../graph/constant.js';
import { makeNode, type Attribute, type Graph, type NamedValue } from '../graph/graph.js';
import { sampleTensor } from '../onnx/runtime.js';
import { differenceOf, runGraphBoth } from '../testing/as-onnxruntime.js';
import { makeGraph, numbers } from '../testing/run-program.js';

const int = (value: number): Attribute => ({ kind: 'int', value });
const real = (value: number): Attribute => ({ kind: 'float', value });

/** Inputs of a node, by their places; numbers are sizes of f32 values that are made up. */
type Given = Record<number, readonly number[] | Constant>;

interface Form {
  op: string;
  given: Given;
  /** The first input: bytes instead of f32 numbers. */
  x?: Constant;
  attributes?: Record<string, Attribute>;
  outputs?: number;
  opset?: number;
}

function isSizes(part: Given[number]): part is readonly number[] {
  return Array.isArray(part);
}

function graphOf({ op, given, x, attributes = {}, outputs = 1, opset = 17 }: Form): Graph {
  const places = Object.keys(given).map(Number);
  const names = Array.from({ length: Math.max(...places) + 1 }, (_, at) =>
    given[at] === undefined ? '' : `in${at}`,
  );
  const results = Array.from({ length: outputs }, (_, at) => `out${at}`);
  const inputs: NamedValue[] = [];
  const constants: Record<string, Constant> = {};
  for (const at of places) {
    const part = given[at]!;
    const dtype = (at === 0 && x?.dtype) || 'float32';
    if (isSizes(part)) inputs.push({ name: `in${at}`, dtype, dims: [...part] });
    else constants[`in${at}`] = part;
  }
  return makeGraph({
    inputs,
    outputs: results.map((name) => ({ name, dtype: 'float32', dims: undefined })),
    nodes: [makeNode(op, 'node', names, results, attributes)],
    constants,
    opset,
  });
}

function feedsOf({ inputs }: Graph): BundleTensor[] {
  return inputs.map(({ name, dims }, at) =>
    sampleTensor(name, 'float32', dims as number[], at + 1),
  );
}

async function compare(form: Form): Promise<number> {
  const graph = graphOf(form);
  const feeds = feedsOf(graph);
  const { x } = form;
  if (x)
    feeds[0] = { name: 'in0', dtype: x.dtype, dims: x.dims, data: x.read(0, constantBytes(x)) };
  return differenceOf(await runGraphBoth(graph, {}, feeds));
}

const floats = (...dims: number[]): Constant =>
  floatConstant(dims, numbers(dims.reduce((a, b) => a * b)));
const int32 = (dims: number[], ...values: number[]): Constant =>
  numberConstant('int32', dims, values);
const int64 = (dims: number[], ...values: number[]): Constant =>
  numberConstant('int64', dims, values);

const zero = (dtype: 'int8' | 'uint8', value: number): Constant =>
  numberConstant(dtype, [], [value]);

/** Lengths of 2 x 5 places, and their tables of angles. */
const lengths = { 5: int32([2], 4, 4), 6: int32([1], 5) };
const angles = { 7: floats(9, 8), 8: floats(9, 8) };
const separate = { 0: [2, 5, 64], 1: [2, 5, 32], 2: [2, 5, 32], ...lengths };
const heads = { num_heads: int(4), kv_num_heads: int(2) };
const rotary = { ...heads, do_rotary: int(1) };

describe('GroupQueryAttention', () => {
  it.each<[string, Omit<Form, 'op'>]>([
    ['of its own', { given: separate, attributes: heads, outputs: 3 }],
    ['packed', { given: { 0: [2, 5, 128], ...lengths }, attributes: heads, outputs: 3 }],
    ['turned', { given: { ...separate, ...angles }, attributes: rotary, outputs: 3 }],
    [
      'turned, neighbours as pairs',
      {
        given: { ...separate, ...angles },
        attributes: { ...rotary, rotary_interleaved: int(1) },
        outputs: 3,
      },
    ],
    [
      'turned, packed',
      { given: { 0: [2, 5, 128], ...lengths, ...angles }, attributes: rotary, outputs: 3 },
    ],
    [
      'with an empty past',
      {
        given: { ...separate, 3: [2, 2, 0, 16], 4: [2, 2, 0, 16] },
        attributes: heads,
        outputs: 3,
      },
    ],
    [
      'added to, scaled and capped',
      {
        given: { ...separate, 10: [1, 4, 5, 5] },
        attributes: { ...heads, scale: real(0.7), softcap: real(1.5) },
        outputs: 3,
      },
    ],
    [
      'in a window',
      { given: separate, attributes: { ...heads, local_window_size: int(2) }, outputs: 3 },
    ],
  ])('%s: as onnxruntime', async (_, form) => {
    expect(await compare({ op: 'com.microsoft.GroupQueryAttention', ...form })).toBeLessThan(1e-5);
  });

  it.each<[string, Given, string]>([
    ['a past', { 3: [2, 2, 3, 16], 4: [2, 2, 3, 16] }, 'has a cache'],
    ['places', { 9: int64([2, 5], ...Array<number>(10).fill(0)) }, 'has places of its own'],
  ])('is refused with %s', async (_, more, text) => {
    const given = { ...separate, ...more };
    const form = { op: 'com.microsoft.GroupQueryAttention', given, attributes: heads, outputs: 3 };
    await expect(compare(form)).rejects.toThrow(text);
  });
});

describe('MultiHeadAttention', () => {
  const apart = { 0: [2, 5, 32], 1: [2, 7, 32], 2: [2, 7, 48] };
  const four = { num_heads: int(4) };
  it.each<[string, Omit<Form, 'op'>]>([
    ['of query, key and value', { given: apart, attributes: four }],
    ['with a bias', { given: { ...apart, 3: floats(112) }, attributes: four }],
    ['with lengths of keys', { given: { ...apart, 4: int32([2], 3, 7) }, attributes: four }],
    [
      'with a mask of keys',
      {
        given: { ...apart, 4: int32([2, 7], 1, 1, 1, 0, 0, 0, 0, 0, 1, 0, 1, 1, 1, 1) },
        attributes: four,
      },
    ],
    [
      'added to and scaled',
      { given: { ...apart, 5: [2, 4, 5, 7] }, attributes: { ...four, scale: real(0.3) } },
    ],
    [
      'that looks back only, with a past',
      {
        given: {
          ...{ 0: [2, 5, 32], 1: [2, 5, 32], 2: [2, 5, 32] },
          ...{ 6: [2, 4, 3, 8], 7: [2, 4, 3, 8] },
        },
        attributes: { ...four, unidirectional: int(1) },
        outputs: 3,
      },
    ],
    [
      'that looks back only',
      {
        given: { 0: [2, 5, 32], 1: [2, 5, 32], 2: [2, 5, 32] },
        attributes: { ...four, unidirectional: int(1) },
      },
    ],
    [
      'of keys that are heads already',
      { given: { 0: [2, 5, 32], 1: [2, 4, 7, 8], 2: [2, 4, 7, 8] }, attributes: four },
    ],
  ])('%s: as onnxruntime', async (_, form) => {
    expect(await compare({ op: 'com.microsoft.MultiHeadAttention', ...form })).toBeLessThan(1e-5);
  });
});

describe('MultiHeadAttention that looks back only', () => {
  it('is refused where it has more keys than queries', async () => {
    const given = { 0: [2, 5, 32], 1: [2, 7, 32], 2: [2, 7, 32] };
    const attributes = { num_heads: int(4), unidirectional: int(1) };
    const form = { op: 'com.microsoft.MultiHeadAttention', given, attributes };
    await expect(compare(form)).rejects.toThrow('keys that are not as many');
  });
});

describe('Attention of com.microsoft', () => {
  const given = { 0: [2, 5, 24], 1: floats(24, 96), 2: floats(96) };
  const four = { num_heads: int(4) };
  it.each<[string, Omit<Form, 'op'>]>([
    ['plain', { given, attributes: four }],
    ['that looks back only', { given, attributes: { ...four, unidirectional: int(1) } }],
    ['with lengths', { given: { ...given, 3: int32([2], 2, 5) }, attributes: four }],
    [
      'with a mask of keys',
      { given: { ...given, 3: int32([2, 5], 1, 1, 1, 0, 0, 0, 1, 1, 1, 1) }, attributes: four },
    ],
    ['added to', { given: { ...given, 5: [2, 4, 5, 5] }, attributes: four }],
    [
      'of sizes of its own',
      {
        given: { 0: [2, 5, 24], 1: floats(24, 80), 2: floats(80) },
        attributes: { ...four, qkv_hidden_sizes: { kind: 'ints', value: [32, 32, 16] } },
      },
    ],
    ['of computed weights', { given: { 0: [2, 5, 24], 1: [24, 96], 2: [96] }, attributes: four }],
  ])('%s: as onnxruntime', async (_, form) => {
    expect(await compare({ op: 'com.microsoft.Attention', ...form })).toBeLessThan(1e-5);
  });
});

describe('QAttention', () => {
  const bytes = (dtype: 'int8' | 'uint8', ...dims: number[]): Constant => {
    const count = dims.reduce((a, b) => a * b);
    const least = dtype === 'int8' ? -128 : 0;
    return numberConstant(
      dtype,
      dims,
      Array.from({ length: count }, (_, i) => least + ((i * 89 + (i >> 4)) % 256)),
    );
  };
  const x = bytes('uint8', 2, 5, 24);
  const given = { 0: [2, 5, 24], 1: bytes('int8', 24, 96), 2: floats(96), 6: zero('uint8', 120) };
  const scales = {
    3: floatConstant([], [0.01]),
    4: floatConstant([], [0.004]),
  };
  const four = { num_heads: int(4) };
  it.each<[string, Omit<Form, 'op'>]>([
    ['of one scale', { given: { ...given, ...scales }, attributes: four }],
    [
      'of a scale for each column',
      {
        given: {
          ...given,
          ...scales,
          4: floatConstant(
            [96],
            numbers(96).map((value) => 0.003 + value * 0.001),
          ),
        },
        attributes: four,
      },
    ],
    [
      'of bytes without a sign, with lengths, looking back only',
      {
        given: {
          ...given,
          ...scales,
          1: bytes('uint8', 24, 96),
          5: int32([2], 2, 5),
          7: zero('uint8', 130),
        },
        attributes: { ...four, unidirectional: int(1) },
      },
    ],
  ])('%s: as onnxruntime', async (_, form) => {
    expect(await compare({ op: 'com.microsoft.QAttention', x, ...form })).toBeLessThan(1e-5);
  });
});

describe('Attention of the standard', () => {
  const flat = { 0: [2, 5, 32], 1: [2, 7, 16], 2: [2, 7, 24] };
  const grouped = { q_num_heads: int(4), kv_num_heads: int(2) };
  const four = { 0: [2, 4, 5, 8], 1: [2, 4, 7, 8], 2: [2, 4, 7, 6] };
  const bool = numberConstant(
    'bool',
    [5, 7],
    Array.from({ length: 35 }, (_, i) => Number(i % 3 !== 1)),
  );
  const blind = numberConstant(
    'bool',
    [5, 7],
    Array.from({ length: 35 }, (_, i) => Number(i < 7 ? i > 0 : i >= 14)),
  );
  it.each<[string, Omit<Form, 'op'>]>([
    ['of three dimensions, heads that share', { given: flat, attributes: grouped }],
    ['with a query that sees no key', { given: { ...four, 3: blind } }],
    [
      'with queries that see no key of those before them, heads that share',
      { given: { ...flat, 3: blind }, attributes: { ...grouped, is_causal: int(1) } },
    ],
    ['of four dimensions', { given: four }],
    ['with a mask', { given: { ...four, 3: [2, 1, 5, 7] } }],
    ['with a mask of truths', { given: { ...four, 3: bool } }],
    ['that looks back only', { given: four, attributes: { is_causal: int(1) } }],
    ['scaled and capped', { given: four, attributes: { scale: real(0.4), softcap: real(2) } }],
    ['with a past', { given: { ...four, 4: [2, 4, 3, 8], 5: [2, 4, 3, 6] }, outputs: 3 }],
    [
      'with a past, looking back only',
      {
        given: { ...four, 4: [2, 4, 3, 8], 5: [2, 4, 3, 6] },
        attributes: { is_causal: int(1) },
        outputs: 3,
      },
    ],
  ])('%s: as onnxruntime', async (_, form) => {
    expect(await compare({ op: 'Attention', opset: 23, ...form })).toBeLessThan(1e-5);
  });
});

describe('RotaryEmbedding', () => {
  const places = int64([2, 5], 0, 1, 2, 3, 4, 5, 3, 1, 7, 8);
  const tables = { 2: floats(9, 4), 3: floats(9, 4) };
  const microsoft = 'com.microsoft.RotaryEmbedding';
  it.each<[string, Form]>([
    ['four dimensions', { op: microsoft, given: { 0: [2, 3, 5, 8], 1: places, ...tables } }],
    ['three dimensions', { op: microsoft, given: { 0: [2, 5, 24], 1: places, ...tables } }],
    ['one place', { op: microsoft, given: { 0: [2, 5, 24], 1: int64([1], 3), ...tables } }],
    [
      'neighbours as pairs',
      {
        op: microsoft,
        given: { 0: [2, 3, 5, 8], 1: places, ...tables },
        attributes: { interleaved: int(1) },
      },
    ],
    [
      'a part of the heads',
      {
        op: microsoft,
        given: { 0: [2, 5, 24], 1: places, 2: floats(9, 2), 3: floats(9, 2) },
        attributes: { num_heads: int(3), rotary_embedding_dim: int(4) },
      },
    ],
    [
      'of the standard, with places',
      {
        op: 'RotaryEmbedding',
        opset: 23,
        given: { 0: [2, 3, 5, 8], 1: floats(9, 4), 2: floats(9, 4), 3: places },
      },
    ],
    [
      'of the standard, angles that are given',
      {
        op: 'RotaryEmbedding',
        opset: 23,
        given: { 0: [2, 5, 24], 1: floats(2, 5, 4), 2: floats(2, 5, 4) },
        attributes: { num_heads: int(3), interleaved: int(1) },
      },
    ],
    [
      'of the standard, a part of the heads',
      {
        op: 'RotaryEmbedding',
        opset: 23,
        given: { 0: [2, 3, 5, 8], 1: floats(9, 2), 2: floats(9, 2), 3: places },
        attributes: { rotary_embedding_dim: int(4) },
      },
    ],
  ])('%s: as onnxruntime', async (_, form) => {
    expect(await compare(form)).toBeLessThan(1e-5);
  });
});
