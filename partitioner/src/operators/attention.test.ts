import { describe, expect, it } from 'vitest';
import type { BundleTensor } from '@canopy/protocol';
import { floatConstant, numberConstant, type Constant } from '../graph/constant.js';
import { makeNode, type Attribute, type Graph, type NamedValue } from '../graph/graph.js';
import { sampleTensor } from '../onnx/runtime.js';
import { differenceOf, runGraphBoth } from '../testing/as-onnxruntime.js';
import { makeGraph, numbers } from '../testing/run-program.js';

const int = (value: number): Attribute => ({ kind: 'int', value });
const real = (value: number): Attribute => ({ kind: 'float', value });

/** Inputs of a node, by their places; numbers are sizes of f32 values that are given. */
type Given = Record<number, readonly number[] | Constant>;

interface Form {
  op: string;
  given: Given;
  attributes?: Record<string, Attribute>;
  outputs?: number;
  opset?: number;
}

function isSizes(part: Given[number]): part is readonly number[] {
  return Array.isArray(part);
}

function graphOf({ op, given, attributes = {}, outputs = 1, opset = 17 }: Form): Graph {
  const places = Object.keys(given).map(Number);
  const names = Array.from({ length: Math.max(...places) + 1 }, (_, at) =>
    given[at] === undefined ? '' : `in${at}`,
  );
  const results = Array.from({ length: outputs }, (_, at) => `out${at}`);
  const inputs: NamedValue[] = [];
  const constants: Record<string, Constant> = {};
  for (const at of places) {
    const part = given[at]!;
    if (isSizes(part)) inputs.push({ name: `in${at}`, dtype: 'float32', dims: [...part] });
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
  return differenceOf(await runGraphBoth(graph, {}, feedsOf(graph)));
}

const floats = (...dims: number[]): Constant =>
  floatConstant(dims, numbers(dims.reduce((a, b) => a * b)));
const int32 = (dims: number[], ...values: number[]): Constant =>
  numberConstant('int32', dims, values);
const int64 = (dims: number[], ...values: number[]): Constant =>
  numberConstant('int64', dims, values);

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
