import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { costSchedule } from '../../cost/model.js';
import { ProgramChain } from '../../cut/program-chain.js';
import { makeShard } from '../../emit/shard.js';
import { makeTemporary, removeTemporary } from '../../onnx/temporary.js';
import { lowered, makeGraph, numbers, reference, runProgram } from '../../testing/run-program.js';
import { fileConstant, floatConstant, type Constant } from '../constant.js';
import { makeNode, type Graph, type GraphNode } from '../graph.js';
import type { Program } from '../program.js';
import { runPasses } from './index.js';

const width = 160;
const matrixBytes = width * width * 4;

let folder = '';
beforeAll(() => {
  folder = makeTemporary();
});
afterAll(() => {
  removeTemporary(folder);
});

/** Layers that multiply by weights of these names, each with what comes after it. */
function layers(
  weights: readonly string[],
  constants: Record<string, Constant>,
  after: (index: number, input: string, output: string) => GraphNode[] = (_, input, output) => [
    makeNode('Relu', `relu ${output}`, [input], [output]),
  ],
): Graph {
  const nodes = weights.flatMap((weight, index) => [
    makeNode('MatMul', `product ${index}`, [`x${index}`, weight], [`p${index}`]),
    ...after(index, `p${index}`, `x${index + 1}`),
  ]);
  return makeGraph({
    inputs: [{ name: 'x0', dtype: 'float32', dims: ['batch', width] }],
    outputs: [{ name: `x${weights.length}`, dtype: 'float32', dims: undefined }],
    nodes,
    constants,
  });
}

const matrix = (seed = 1) =>
  floatConstant(
    [width, width],
    numbers(width * width, seed).map((value) => value / width),
  );

const limits = {
  maxWeightsBytes: 2 ** 31,
  maxHeapBytes: 3 * 2 ** 30,
  maxMessageBytes: 10 * 2 ** 20,
  instructionBudget: 1_900_000_000,
};

/** Weights of nodes `[start, end)` as planned, which must be what their shard holds. */
function weightsOf(program: Program, start = 0, end = program.nodes.length): number {
  const chain = new ProgramChain(program, 1, costSchedule('2026-07'), limits);
  const planned = chain.memory(start, end).weightsBytes;
  const shard = makeShard(program, {
    nodes: program.nodes.slice(start, end),
    inputs: chain.valuesAt(start),
    outputs: chain.valuesAt(end),
  });
  expect(planned).toBe(shard.weightsBytes);
  expect(shard.byteLength % 64).toBe(0);
  return planned;
}

async function passed(graph: Graph): Promise<Program> {
  const { program, sizes } = await lowered(graph);
  runPasses(program);
  const { feeds, expected } = await reference(graph, sizes);
  const results = await runProgram(program, feeds);
  results.forEach((result, index) => {
    const [got, want] = [result, expected[index]!].map(
      ({ data }) => new Float32Array(data.slice().buffer),
    );
    got!.forEach((value, at) => {
      expect(value).toBeCloseTo(want![at]!, 4);
    });
  });
  return program;
}

describe('a weight used several times', () => {
  it('is held once, in one stage and in each of several', async () => {
    const program = await passed(layers(Array<string>(8).fill('w'), { w: matrix() }));
    const bias = width * 4;
    expect(program.nodes).toHaveLength(8);
    expect(weightsOf(program)).toBe(matrixBytes + bias);
    for (let cut = 1; cut < 8; cut++) {
      expect(weightsOf(program, 0, cut)).toBe(matrixBytes + bias);
      expect(weightsOf(program, cut)).toBe(matrixBytes + bias);
    }
  });

  it('is held once where the file holds its bytes twice, and beside what differs late', async () => {
    const place = (name: string, constant: Constant): Constant => {
      const path = join(folder, name);
      writeFileSync(path, constant.read(0, matrixBytes));
      return fileConstant('float32', [width, width], path, 0);
    };
    const values = Float32Array.from(numbers(width * width), (value) => value / width);
    const other = values.slice();
    other[width * 80] = 0.25;
    const graph = layers(['a', 'b', 'c', 'a'], {
      a: place('a', floatConstant([width, width], values)),
      b: place('b', floatConstant([width, width], values)),
      c: place('c', floatConstant([width, width], other)),
    });
    const program = await passed(graph);
    expect(new Set(program.nodes.map(({ inputs }) => inputs[1])).size).toBe(2);
    expect(weightsOf(program)).toBe(2 * matrixBytes + width * 4);
  });

  it('is not copied for a factor after one of its uses', async () => {
    const scaled = (index: number, input: string, output: string): GraphNode[] =>
      index === 1
        ? [
            makeNode('Mul', 'scale', [input, 'factor'], ['scaled']),
            makeNode('Add', 'shift', ['scaled', 'offset'], [output]),
          ]
        : [makeNode('Add', `shift ${index}`, [input, 'offset'], [output])];
    const constants = {
      factor: floatConstant([width], numbers(width, 2)),
      offset: floatConstant([width], numbers(width, 3)),
    };
    const shared = await passed(layers(['w', 'w', 'w'], { w: matrix(), ...constants }, scaled));
    expect(
      new Set(shared.nodes.flatMap(({ op, inputs }) => (op === 'Linear' ? [inputs[1]] : []))).size,
    ).toBe(1);
    expect(weightsOf(shared)).toBeLessThan(matrixBytes + 5 * width * 4);
    const own = await passed(
      layers(['w', 'v', 'u'], { w: matrix(), v: matrix(2), u: matrix(3), ...constants }, scaled),
    );
    expect(own.nodes.map(({ op }) => op)).toEqual(['Linear', 'Linear', 'Linear']);
  });

  it('is copied for each packing that its uses need', async () => {
    const graph = layers(['w'], { w: matrix() }, (_, input, output) => [
      makeNode('Gather', 'rows', ['w', 'index'], ['r']),
      makeNode('Add', 'sum', [input, 'r'], [output]),
    ]);
    graph.constants.set('index', {
      ...floatConstant([], [0]),
      dtype: 'int64',
      read: () => new Uint8Array(8),
    });
    const program = await passed(graph);
    expect(weightsOf(program)).toBeGreaterThan(2 * matrixBytes);
  });
});
