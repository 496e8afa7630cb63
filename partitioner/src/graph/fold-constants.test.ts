import { afterAll, beforeAll, expect, it } from 'vitest';
import { makeTemporary, removeTemporary } from '../onnx/temporary.js';
import { makeGraph, numbers } from '../testing/run-program.js';
import {
  allFloats,
  allInts,
  floatConstant,
  intConstant,
  memoryConstant,
  readFloats,
} from './constant.js';
import { foldConstants } from './fold-constants.js';
import { makeNode } from './graph.js';

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

it('stores what is large where workers cannot compute it', async () => {
  const graph = makeGraph({
    inputs: [{ name: 'x', dtype: 'float32', dims: ['batch', 2048] }],
    outputs: [{ name: 'y', dtype: 'float32', dims: undefined }],
    nodes: [
      makeNode('DequantizeLinear', 'dequantize', ['q', 'scale'], ['w']),
      makeNode('MatMul', 'product', ['x', 'w'], ['y']),
    ],
    constants: {
      q: memoryConstant('int8', [2048, 1024], new Uint8Array(2048 * 1024).fill(3)),
      scale: floatConstant([], [0.5]),
    },
  });
  await foldConstants(graph, folder, (op) => op !== 'DequantizeLinear');
  expect(graph.nodes.map((node) => node.op)).toEqual(['MatMul']);
  const weight = graph.constants.get('w')!;
  expect(weight.file).toBeDefined();
  expect([weight.dims, readFloats(weight, 2048 * 1024 - 1, 1)[0]]).toEqual([[2048, 1024], 1.5]);
});
