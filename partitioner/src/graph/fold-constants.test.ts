import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { runOnce } from '../onnx/runtime.js';
import { saveOnnx } from '../onnx/save-model.js';
import { makeTemporary, removeTemporary } from '../onnx/temporary.js';
import { makeGraph, numbers } from '../testing/run-program.js';
import {
  allFloats,
  allInts,
  floatConstant,
  intConstant,
  memoryConstant,
  readFloats,
  type Constant,
} from './constant.js';
import { foldConstants } from './fold-constants.js';
import { makeNode, type Graph, type GraphNode } from './graph.js';

let folder = '';
beforeAll(() => {
  folder = makeTemporary();
});
afterAll(() => {
  removeTemporary(folder);
});

it('computes what depends on constants alone, and nothing else', async () => {
  const graph = makeGraph({
    inputs: [{ name: 'x', dtype: 'float32', dims: ['batch', 6] }],
    outputs: [{ name: 'y', dtype: 'float32', dims: undefined }],
    nodes: [
      makeNode('Shape', 'shape', ['w'], ['s']),
      makeNode('Gather', 'gather', ['s', 'one'], ['n']),
      makeNode('Concat', 'concat', ['minus', 'n'], ['target'], { axis: { kind: 'int', value: 0 } }),
      makeNode('Mul', 'scale', ['w', 'w'], ['v']),
      makeNode('Reshape', 'reshape', ['x', 'target'], ['r']),
      makeNode('MatMul', 'product', ['r', 'v'], ['y']),
    ],
    constants: {
      w: floatConstant([3, 3], numbers(9)),
      one: intConstant([1], [1]),
      minus: intConstant([1], [-1]),
    },
  });
  await foldConstants(graph, folder);
  expect(graph.nodes.map((node) => node.op)).toEqual(['Reshape', 'MatMul']);
  expect(allInts(graph.constants.get('target')!)).toEqual([-1, 3]);
  const squared = Float32Array.from(numbers(9), (value) => Math.fround(value) ** 2);
  expect(Array.from(allFloats(graph.constants.get('v')!))).toEqual(Array.from(squared));
});

it('does not store what is large', async () => {
  const graph = makeGraph({
    inputs: [{ name: 'x', dtype: 'float32', dims: ['batch'] }],
    outputs: [{ name: 'y', dtype: 'float32', dims: undefined }],
    nodes: [
      makeNode('ConstantOfShape', 'fill', ['size'], ['z']),
      makeNode('ReduceSum', 'sum', ['z'], ['s'], { keepdims: { kind: 'int', value: 0 } }),
      makeNode('Add', 'add', ['x', 's'], ['y']),
    ],
    constants: { size: intConstant([2], [2048, 1024]) },
  });
  await foldConstants(graph, folder);
  expect(graph.nodes.map((node) => node.op)).toEqual(['ConstantOfShape', 'Add']);
});

const ints = (...value: number[]) => ({ kind: 'ints', value }) as const;
const large = [2048, 1024] as const;
/** Large integers that differ from place to place. */
const stored = Uint8Array.from({ length: 2048 * 1024 }, (_, at) => (at * 7 + (at >> 10)) & 0xff);

/** A product with a weight that one node makes of constants. */
function productWith(node: GraphNode, constants: Record<string, Constant>): Graph {
  return makeGraph({
    inputs: [{ name: 'x', dtype: 'float32', dims: ['batch', 2048] }],
    outputs: [{ name: 'y', dtype: 'float32', dims: undefined }],
    nodes: [node, makeNode('MatMul', 'product', ['x', 'w'], ['y'])],
    constants,
  });
}

/** The weight as onnxruntime computes it. */
async function whole(node: GraphNode, constants: Record<string, Constant>): Promise<Uint8Array> {
  const nodes = [node];
  const graph = makeGraph({ inputs: [], outputs: [], nodes, constants });
  return (await runOnce(saveOnnx(graph, folder, 'whole', ['w']), [])).get('w')!.data;
}

describe('what is large', () => {
  const bytes = memoryConstant('uint8', large, stored);
  const signed = memoryConstant('int8', large, stored);
  const scales = floatConstant(
    [1024],
    Float32Array.from(stored.subarray(0, 1024), (n) => n / 99),
  );
  const rows = floatConstant(
    [2048],
    Float32Array.from(stored.subarray(0, 2048), (n) => n / 77),
  );
  const one = floatConstant([], [0.37]);
  const inputs = ['q', 'scale', 'zero'];
  const dequantize = (axis: number): GraphNode =>
    makeNode('DequantizeLinear', 'dequantize', inputs, ['w'], {
      axis: { kind: 'int', value: axis },
    });

  it.each<[string, GraphNode, Record<string, Constant>]>([
    [
      'halves',
      makeNode('Cast', 'cast', ['h'], ['w'], { to: { kind: 'int', value: 1 } }),
      {
        h: memoryConstant(
          'float16',
          [1024, 1024],
          stored.map((byte, at) => (at & 1 ? byte & 0x3f : byte)),
        ),
      },
    ],
    [
      'bytes with a scale',
      dequantize(1),
      {
        q: bytes,
        scale: one,
        zero: memoryConstant('uint8', [], Uint8Array.of(3)),
      },
    ],
    [
      'bytes with a scale a column',
      dequantize(-1),
      {
        q: signed,
        scale: scales,
        zero: memoryConstant('int8', [1024], stored.slice(0, 1024)),
      },
    ],
    [
      'bytes with a scale a row',
      dequantize(0),
      {
        q: signed,
        scale: rows,
        zero: memoryConstant('int8', [2048], stored.slice(0, 2048)),
      },
    ],
  ])('is computed while it is read: %s', async (_, node, constants) => {
    const graph = productWith(node, constants);
    await foldConstants(graph, folder, () => false);
    expect(graph.nodes.map(({ op }) => op)).toEqual(['MatMul']);
    const weight = graph.constants.get('w')!;
    expect(weight.file).toBeUndefined();
    const expected = Buffer.from(await whole(node, constants));
    expect(expected.equals(weight.read(0, expected.length))).toBe(true);
    const part = expected.subarray(4097, 70_001);
    expect(part.equals(weight.read(4097, part.length))).toBe(true);
  });

  it('is stored where it cannot be, or is made of many numbers', async () => {
    const node = makeNode('Transpose', 'turn', ['v'], ['w'], { perm: ints(1, 0) });
    const v = floatConstant([1024, 2048], Float32Array.from(stored));
    const graph = productWith(node, { v });
    await foldConstants(graph, folder);
    expect(graph.nodes.map(({ op }) => op)).toEqual(['MatMul']);
    const weight = graph.constants.get('w')!;
    expect(weight.file).toBeDefined();
    expect([weight.dims, readFloats(weight, 5 * 1024 + 3, 1)[0]]).toEqual([
      large,
      stored[3 * 2048 + 5],
    ]);
  });

  it('is computed part by part, and what parts share is there for each', async () => {
    const graph = makeGraph({
      inputs: [{ name: 'x', dtype: 'float32', dims: ['batch', 2048] }],
      outputs: [{ name: 'y', dtype: 'float32', dims: undefined }],
      nodes: [
        makeNode('Neg', 'negate', ['one'], ['minus']),
        makeNode('Mul', 'first', ['v', 'minus'], ['a']),
        makeNode('Mul', 'second', ['u', 'minus'], ['b']),
        makeNode('Add', 'both', ['a', 'b'], ['w']),
        makeNode('MatMul', 'product', ['x', 'w'], ['y']),
      ],
      constants: {
        one,
        v: floatConstant(large, Float32Array.from(stored)),
        u: floatConstant(
          large,
          Float32Array.from(stored, (n) => 2 * n),
        ),
      },
    });
    await foldConstants(graph, folder);
    expect(graph.nodes.map(({ op }) => op)).toEqual(['MatMul']);
    const w = readFloats(graph.constants.get('w')!, 1000, 1)[0]!;
    expect(w).toBeCloseTo(-3 * 0.37 * stored[1000]!, 3);
  });
});
