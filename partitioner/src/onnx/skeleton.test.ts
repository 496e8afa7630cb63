import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { constantBytes, fileConstant, floatConstant, intConstant } from '../graph/constant.js';
import { makeNode, type Graph } from '../graph/graph.js';
import { makeGraph, numbers } from '../testing/run-program.js';
import { optimizeOnnx } from './optimize.js';
import { readOnnx } from './read-model.js';
import { hiddenWeights, writeSkeleton } from './skeleton.js';
import { makeTemporary, removeTemporary } from './temporary.js';
import { writeOnnx } from './write-model.js';

let folder = '';
let intermediate = '';
beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), 'canopy-skeleton-'));
  intermediate = makeTemporary();
});
afterAll(() => {
  rmSync(folder, { recursive: true });
  removeTemporary(intermediate);
});

/** Reads a graph as a file has it. */
function saved(name: string, bytes: Uint8Array): { path: string; graph: Graph } {
  const path = join(folder, name);
  writeFileSync(path, bytes);
  return { path, graph: readOnnx(path) };
}

const weights = numbers(64 * 64);
/** A product with a weight that a Constant node gives, one beside the file and one in it. */
function products(): Graph {
  writeFileSync(join(folder, 'beside.bin'), Float32Array.from(weights));
  return makeGraph({
    inputs: [{ name: 'x', dtype: 'float32', dims: ['batch', 64] }],
    outputs: [{ name: 'y', dtype: 'float32', dims: undefined }],
    nodes: [
      makeNode('Constant', 'given', [], ['c'], {
        value: { kind: 'tensor', value: floatConstant([64, 64], weights) },
      }),
      makeNode('MatMul', 'one', ['x', 'c'], ['a']),
      makeNode('MatMul', 'two', ['a', 'beside'], ['b']),
      makeNode('MatMul', 'three', ['b', 'inside'], ['d']),
      makeNode('Reshape', 'shape', ['d', 'sizes'], ['y']),
    ],
    constants: {
      beside: fileConstant('float32', [64, 64], join(folder, 'beside.bin'), 0),
      inside: floatConstant([64, 64], weights),
      sizes: intConstant([2], [0, 64]),
    },
  });
}
const external = (name: string) =>
  name === 'beside' ? { location: 'beside.bin', offset: 0 } : undefined;

describe('the skeleton of a model', () => {
  it('hides the largest weights first', () => {
    const { graph } = saved('sizes.onnx', writeOnnx(products(), [], external));
    const bytes = 64 * 64 * 4;
    expect(hiddenWeights(graph, 3 * bytes + 16)).toEqual(new Set());
    expect(hiddenWeights(graph, 2 * bytes + 16).size).toBe(1);
    expect(hiddenWeights(graph, 16)).toEqual(new Set(['c', 'beside', 'inside']));
    expect(hiddenWeights(graph).size).toBe(0);
  });

  it('has hidden weights as inputs, and those beside the file in it', () => {
    const { path, graph } = saved('whole.onnx', writeOnnx(products(), [], external));
    const part = saved('part.onnx', writeSkeleton(path, graph, new Set(['c', 'inside'])));
    expect(part.graph.inputs).toEqual([
      ...graph.inputs,
      { name: 'c', dtype: 'float32', dims: [64, 64] },
      { name: 'inside', dtype: 'float32', dims: [64, 64] },
    ]);
    expect(part.graph.nodes.map(({ name }) => name)).toEqual(['one', 'two', 'three', 'shape']);
    const beside = part.graph.constants.get('beside')!;
    expect(beside.file?.path ?? part.path).toBe(part.path);
    expect(Buffer.from(beside.read(0, constantBytes(beside)))).toEqual(
      Buffer.from(Float32Array.from(weights).buffer),
    );
  });

  it('is the file itself where nothing is hidden or lies beside it', () => {
    const bytes = writeOnnx(products());
    const { path, graph } = saved('same.onnx', bytes);
    expect(Buffer.from(writeSkeleton(path, graph, new Set())).equals(bytes)).toBe(true);
  });

  it('is cleaned up, and large weights stay where they are', async () => {
    const size = 2048;
    const path = join(folder, 'large.bin');
    writeFileSync(path, new Uint8Array(6 * size * size * 4));
    const names = ['a', 'b', 'c', 'd', 'e', 'f'];
    const model = makeGraph({
      inputs: [{ name: 'x', dtype: 'float32', dims: ['batch', size] }],
      outputs: [{ name: 'f/y', dtype: 'float32', dims: undefined }],
      nodes: names.flatMap((name, index) => [
        makeNode(
          'Identity',
          `${name}/same`,
          [index === 0 ? 'x' : `${names[index - 1]!}/y`],
          [`${name}/x`],
        ),
        makeNode('MatMul', name, [`${name}/x`, `${name}/w`], [`${name}/y`]),
      ]),
      constants: Object.fromEntries(
        names.map((name, index) => [
          `${name}/w`,
          fileConstant('float32', [size, size], path, index * size * size * 4),
        ]),
      ),
    });
    const bytes = writeOnnx(model, [], (_, { file }) => ({
      location: 'large.bin',
      offset: file!.offset,
    }));
    const { path: modelPath, graph } = saved('large.onnx', bytes);
    const hidden = hiddenWeights(graph);
    expect(hidden.size).toBe(4);
    const cleaned = await optimizeOnnx(modelPath, graph, 'extended', intermediate);
    expect(cleaned.nodes.map(({ op }) => op)).toEqual(names.map(() => 'MatMul'));
    expect(cleaned.inputs.map(({ name }) => name)).toEqual(['x']);
    for (const name of hidden) {
      expect(cleaned.constants.get(name)!.file).toEqual(graph.constants.get(name)!.file);
    }
    expect(cleaned.constants.size).toBe(6);
  });
});
