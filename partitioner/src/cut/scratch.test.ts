import { beforeAll, describe, expect, it } from 'vitest';
import { defaultInstructionBudget, type StagePrediction } from '@canopy/protocol';
import { costSchedule } from '../cost/model.js';
import { makeShard } from '../emit/shard.js';
import { floatConstant } from '../graph/constant.js';
import { makeNode, type Attribute, type GraphNode, type NamedValue } from '../graph/graph.js';
import { sampleFeeds } from '../graph/measure.js';
import { runPasses } from '../graph/passes/index.js';
import { planModel } from '../index.js';
import { readOnnx } from '../onnx/read-model.js';
import { testModels } from '../testing/models.js';
import { shardBytes } from '../testing/run-plan.js';
import { lowered, makeGraph, numbers } from '../testing/run-program.js';
import { WorkersOnIc } from '../testing/worker-on-ic.js';
import { ProgramChain } from './program-chain.js';

let ic: WorkersOnIc;
beforeAll(() => {
  ic = new WorkersOnIc('2026-07');
});

/** Planned bytes are those that a worker counts, but for blocks being rounded up to 64. */
function expectAlike(planned: number, counted: number): void {
  expect(planned).toBeGreaterThanOrEqual(counted);
  expect(planned).toBeLessThanOrEqual(counted * 1.05 + 256);
}

const pageBytes = 65536;

/** The heap that a worker reports is the one planned, within a twentieth or, where it is small, a page. */
function expectSameHeap(planned: number, reported: number): void {
  expect(Math.abs(planned - reported)).toBeLessThanOrEqual(Math.max(pageBytes, reported / 20));
}

const limits = {
  maxWeightsBytes: 2 ** 31,
  maxHeapBytes: 3 * 2 ** 30,
  maxMessageBytes: 10 * 2 ** 20,
  instructionBudget: defaultInstructionBudget,
};

const ints = (...value: number[]): Attribute => ({ kind: 'ints', value });
const int = (value: number): Attribute => ({ kind: 'int', value });
const input = (name: string, ...dims: number[]): NamedValue => ({ name, dtype: 'float32', dims });
const node = (op: string, inputs: string[], attributes: Record<string, Attribute> = {}) =>
  makeNode(op, op, inputs, ['y'], attributes);
const weights = (...dims: number[]) =>
  floatConstant(dims, numbers(dims.reduce((product, dim) => product * dim, 1)));

describe('memory of activations and kernels', () => {
  it.each<[string, NamedValue[], GraphNode[], Record<string, ReturnType<typeof weights>>?]>([
    [
      'many rows of a ragged product',
      [input('a', 1500, 64), input('b', 64, 30)],
      [node('MatMul', ['a', 'b'])],
    ],
    [
      'few rows of a ragged product',
      [input('a', 2, 64), input('b', 64, 30)],
      [node('MatMul', ['a', 'b'])],
    ],
    [
      'a deep ragged product',
      [input('a', 90, 5000), input('b', 5000, 3)],
      [node('MatMul', ['a', 'b'])],
    ],
    [
      'ragged products of a batch',
      [input('a', 6, 40, 33), input('b', 6, 33, 41)],
      [node('MatMul', ['a', 'b'])],
    ],
    [
      'one matrix for a batch',
      [input('a', 6, 40, 33), input('b', 33, 41)],
      [node('MatMul', ['a', 'b'])],
    ],
    [
      'a product transposed',
      [input('a', 33, 40), input('b', 33, 41)],
      [node('Gemm', ['a', 'b'], { transA: int(1) })],
    ],
    [
      'a ragged Linear',
      [input('a', 700, 50)],
      [node('MatMul', ['a', 'w'])],
      { w: weights(50, 30) },
    ],
    [
      'a ragged convolution',
      [input('a', 1, 3, 30, 31)],
      [node('Conv', ['a', 'w'])],
      { w: weights(6, 3, 3, 3) },
    ],
    [
      'a ragged convolution of one pixel',
      [input('a', 2, 40, 30, 31)],
      [node('Conv', ['a', 'w'])],
      { w: weights(6, 40, 1, 1) },
    ],
    [
      'a ragged depthwise convolution',
      [input('a', 1, 5, 30, 31)],
      [node('Conv', ['a', 'w'], { group: int(5) })],
      { w: weights(5, 1, 3, 3) },
    ],
    [
      'a mean over axes apart',
      [input('a', 6, 20, 30, 7)],
      [node('ReduceMean', ['a'], { axes: ints(1, 3) })],
    ],
    [
      'a sum of a value with itself',
      [input('a', 50, 30)],
      [makeNode('Relu', 'r', ['a'], ['x']), node('Add', ['x', 'x'])],
    ],
    [
      'a comparison',
      [input('a', 50, 30)],
      [
        makeNode('Relu', 'r', ['a'], ['x']),
        makeNode('Neg', 'n', ['a'], ['z']),
        makeNode('Less', 'l', ['x', 'z'], ['b']),
        makeNode('Not', 'c', ['b'], ['d']),
        node('Cast', ['d'], { to: int(1) }),
      ],
    ],
    [
      'a cast to a type as wide',
      [input('a', 50, 30)],
      [
        makeNode('Relu', 'r', ['a'], ['x']),
        makeNode('Cast', 'c', ['x'], ['b'], { to: int(6) }),
        node('Cast', ['b'], { to: int(1) }),
      ],
    ],
    [
      'rows normalised and weighed',
      [input('a', 50, 30)],
      [makeNode('Relu', 'r', ['a'], ['x']), node('Softmax', ['x'], { axis: int(1) })],
    ],
  ])('%s takes what is planned', async (_, inputs, nodes, constants = {}) => {
    const graph = makeGraph({
      inputs,
      outputs: [{ name: 'y', dtype: 'float32', dims: undefined }],
      nodes,
      constants,
    });
    const { program, sizes } = await lowered(graph);
    runPasses(program);
    const chain = new ProgramChain(program, 1, costSchedule('2026-07'), limits);
    const shard = makeShard(program, program);
    const pipeline = ic.deploy([shard.read(0, shard.byteLength)], defaultInstructionBudget);
    const { traces } = pipeline.run(sampleFeeds(graph, sizes, 1));
    expectAlike(chain.stage(0, program.nodes.length).scratchBytes, traces[0]!.scratchBytes);
  });
});

/** Models that are run at their other sizes, which are odd and make less work. */
const atOtherSizes = new Set(['resnet-tiny', 'bert-tiny', 'PP-OCRv4 recognition']);

describe.each(Object.entries(testModels))('%s', (name, { path, options, other }) => {
  it('takes the memory that is planned in each stage', async () => {
    const dims = { ...options.dims, ...(atOtherSizes.has(name) ? other : {}) };
    const planned = await planModel(path, { ...options, dims });
    const { stages, typicalDims, instructionBudget, resultsStay } = planned.plan;
    const shards = await Promise.all(stages.map(({ index }) => shardBytes(planned, index)));
    const pipeline = ic.deploy(shards, instructionBudget, resultsStay);
    const { traces } = pipeline.run(sampleFeeds(readOnnx(path), typicalDims, 1));
    traces.forEach(({ scratchBytes }, index) => {
      expectAlike(stages[index]!.predictions[0]!.scratchBytes, scratchBytes);
    });
    planned.close();
    const ofOne = await planModel(path, { ...options, dims, microBatchRows: 1 });
    pipeline.statuses().forEach(({ heapBytes }, index) => {
      expectSameHeap(ofOne.heapBytes[index]!, heapBytes);
    });
    ofOne.close();
  });

  it('takes the heap that is planned where one worker holds it all', async () => {
    const planned = await planModel(path, { dims: options.dims ?? {}, microBatchRows: 1 });
    const pipeline = ic.deploy([await shardBytes(planned, 0)], planned.plan.instructionBudget);
    const feeds = sampleFeeds(readOnnx(path), planned.plan.typicalDims, 1);
    pipeline.run(feeds);
    const [alone] = pipeline.statuses();
    expectSameHeap(planned.heapBytes[0]!, alone!.heapBytes);
    // Requests that wait and results that are kept come on top, each with its bytes.
    const many = Array.from({ length: 6 }, () => feeds);
    pipeline.runTogether(many);
    const [{ bytesReceived }] = planned.plan.stages[0]!.predictions as [StagePrediction];
    const results = planned.plan.outputs.length > 0 ? pipeline.run(feeds).outputs : [];
    const resultBytes = results.reduce((sum, { data }) => sum + data.length, 0);
    const most = alone!.heapBytes + many.length * (bytesReceived + resultBytes) + pageBytes;
    expect(pipeline.statuses()[0]!.heapBytes).toBeLessThanOrEqual(most);
    planned.close();
  });
});
