import { createHash } from 'node:crypto';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { parsePlan, type Plan, type StagePrediction } from '@canopy/protocol';
import { floatConstant, memoryConstant } from './graph/constant.js';
import { makeNode, type Graph } from './graph/graph.js';
import { sampleFeeds } from './graph/measure.js';
import { readOnnx } from './onnx/read-model.js';
import { runOnce, sampleTensor } from './onnx/runtime.js';
import { writeOnnx } from './onnx/write-model.js';
import { formatPlan, planModel, type PlanOptions, type PlannedModel } from './index.js';
import { testModels } from './testing/models.js';
import { largestDifference, runPlanned, shardBytes } from './testing/run-plan.js';
import { makeGraph, numbers } from './testing/run-program.js';

const small = (name: string): string => testModels[name]!.path;

let folder = '';
beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), 'canopy-plan-test-'));
});
afterAll(() => {
  rmSync(folder, { recursive: true });
});
function save(graph: Graph): string {
  const path = join(folder, 'model.onnx');
  writeFileSync(path, writeOnnx(graph));
  return path;
}

describe.each(Object.entries(testModels))('%s', (_, { path, options, other }) => {
  it('computes in stages what onnxruntime computes, at any size and batch', async () => {
    const planned = await planModel(path, options);
    const graph = readOnnx(path);
    expect(planned.plan.stages.length).toBeGreaterThanOrEqual(3);
    expect(parsePlan(JSON.stringify(planned.plan))).toEqual(planned.plan);
    expect(planned.plan.rowsIndependent).toBe(true);
    const { typicalDims } = planned.plan;
    for (const [dims, rows] of [
      [typicalDims, 1],
      [{ ...typicalDims, ...other }, 2],
    ] as const) {
      const feeds = sampleFeeds(graph, dims, rows, 21);
      const results = await runPlanned(planned, feeds);
      const expected = await runOnce(path, feeds);
      for (const result of results) {
        expect(largestDifference(result, expected.get(result.name)!)).toBeLessThan(1e-4);
        expect(new Set(result.data).size).toBeGreaterThan(4);
      }
    }
    planned.close();
  });
});

describe('a plan', () => {
  it('is the same for the same input, byte for byte, and its hashes are of its chunks', async () => {
    const options = { workers: 2, chunkBytes: 50_000 };
    const [first, second] = [
      await planModel(small('digits-cnn'), options),
      await planModel(small('digits-cnn'), options),
    ];
    expect(first.plan).toEqual(second.plan);
    for (const stage of first.plan.stages) {
      const bytes = await shardBytes(first, stage.index);
      expect(Buffer.from(bytes)).toEqual(Buffer.from(await shardBytes(second, stage.index)));
      expect(bytes.length).toBe(stage.shardBytes);
      const all = createHash('sha256');
      for (let start = 0; start < bytes.length; start += 50_000) {
        const chunk = bytes.subarray(start, start + 50_000);
        expect(Buffer.from(await first.readShardChunk(stage.index, start / 50_000))).toEqual(
          Buffer.from(chunk),
        );
        all.update(createHash('sha256').update(chunk).digest());
      }
      expect(all.digest('hex')).toBe(stage.shardHash);
    }
    first.close();
    second.close();
  });

  it('keeps to the weights allowed, with as few workers as that needs', async () => {
    const path = small('mobilenetv2');
    const maxWeightsBytes = 700 * 1024;
    const planned = await planModel(path, { maxWeightsBytes });
    const { stages } = planned.plan;
    for (const { weightsBytes } of stages)
      expect(weightsBytes).toBeLessThanOrEqual(maxWeightsBytes);
    expect(stages.length).toBeGreaterThanOrEqual(3);
    const workers = stages.length - 1;
    await expect(planModel(path, { maxWeightsBytes, workers })).rejects.toThrow(
      `needs at least ${stages.length}`,
    );
    await expect(planModel(path, { maxWeightsBytes: 1024 })).rejects.toThrow(
      /alone has .* MiB of weights/,
    );
    planned.close();
  });

  it('is shown as a table', async () => {
    const planned = await planModel(small('digits-cnn'), { workers: 2 });
    const text = formatPlan(planned);
    expect(text).toContain('digits-cnn: 9 nodes');
    expect(text).toMatch(/^weights: 0\.\d\d MiB in the file, 0\.\d\d MiB on the workers$/m);
    expect(text).toMatch(/^heap: at least 307\d\.\d\d MiB of each worker are left/m);
    expect(text).toMatch(/scratch MiB +heap MiB$/m);
    expect(text.split('\n').at(-1)).toMatch(/^ +1 /);
    planned.close();
  });

  it('says why weights take other room on the workers than in the file', async () => {
    const tied = makeGraph({
      inputs: [{ name: 'x', dtype: 'float32', dims: ['batch', 512] }],
      outputs: [{ name: 'y', dtype: 'float32', dims: ['batch', 513] }],
      nodes: [
        makeNode('MatMul', 'first', ['x', 'w'], ['a']),
        makeNode('Relu', 'relu', ['a'], ['b']),
        makeNode('MatMul', 'second', ['b', 'w'], ['c']),
        makeNode('Relu', 'again', ['c'], ['d']),
        makeNode('MatMul', 'wide', ['d', 'v'], ['e']),
        makeNode('Gather', 'row', ['v', 'index'], ['r']),
        makeNode('Add', 'sum', ['e', 'r'], ['y']),
      ],
      constants: {
        w: floatConstant([512, 512], numbers(512 * 512)),
        v: floatConstant([512, 513], numbers(512 * 513, 2)),
        index: memoryConstant('int64', [], new Uint8Array(8)),
        unused: floatConstant([256, 1024], numbers(256 * 1024, 3)),
      },
    });
    const one = await planModel(save(tied), { workers: 1 });
    const { fileBytes, workerBytes, differences } = one.weights;
    expect(fileBytes).toBe(4 * (512 * 512 + 512 * 513 + 256 * 1024) + 8);
    expect(workerBytes).toBe(one.plan.stages[0]!.weightsBytes);
    const total = Object.values(differences).reduce((sum, bytes) => sum + bytes, 0);
    expect(total).toBe(workerBytes - fileBytes);
    expect(differences.cleanUp).toBeLessThan(-256 * 1024 * 3);
    expect(differences.severalWorkers).toBe(0);
    expect(formatPlan(one)).toMatch(/MiB on the workers \(-\d\.\d\d shared, folded or unused/);
    one.close();
    const two = await planModel(save(tied), { workers: 3 });
    expect(two.weights.differences.severalWorkers).toBeGreaterThanOrEqual(512 * 512 * 4);
    expect(formatPlan(two)).toMatch(/\+1\.\d\d needed by several workers/);
    two.close();
  });

  it('keeps results at the last stage where a row of outputs is large', async () => {
    const expanding = async (columns: number, workers: number): Promise<Plan> => {
      const graph = makeGraph({
        inputs: [{ name: 'x', dtype: 'float32', dims: ['batch', 8] }],
        outputs: [{ name: 'y', dtype: 'float32', dims: ['batch', columns] }],
        nodes: [
          makeNode('Relu', 'relu', ['x'], ['r']),
          makeNode('MatMul', 'mul', ['r', 'w'], ['y']),
        ],
        constants: { w: floatConstant([8, columns], numbers(8 * columns)) },
      });
      const planned = await planModel(save(graph), { workers });
      planned.close();
      return planned.plan;
    };
    const large = await expanding(32768, 2);
    const small = await expanding(1024, 2);
    expect([large.resultsStay, small.resultsStay]).toEqual([true, false]);
    const last = ({ stages }: Plan): StagePrediction => stages.at(-1)!.predictions[0]!;
    expect(last(small).bytesSent).toBeGreaterThan(4 * 1024);
    expect(last(large).bytesSent).toBeLessThan(64);
    // Sending it alone would cost 50 a byte.
    expect(last(large).instructions).toBeLessThan(50 * 4 * 32768);
    expect((await expanding(32768, 1)).resultsStay).toBe(false);
  });

  it('chooses the number of workers by its goal', async () => {
    const path = small('mobilenetv2');
    const fast = await planModel(path, { workers: 'auto', goal: 'throughput' });
    const soon = await planModel(path, { workers: 'auto', goal: 'latency' });
    const most = Math.max(...fast.considered.map((one) => one.inferencesPerRound));
    expect(fast.expectation.inferencesPerRound).toBeGreaterThan(most * 0.98);
    expect(fast.expectation.workers).toBeGreaterThan(1);
    expect(soon.plan.stages).toHaveLength(1);
    // Every number of workers up to 16, in every number of pipelines that divides it.
    expect(fast.considered).toHaveLength(50);
    expect(fast.considered.every(({ workers, pipelines }) => workers % pipelines === 0)).toBe(true);
    expect(fast.expectation.inferencesPerRound).toBeGreaterThan(
      soon.expectation.inferencesPerRound,
    );
    expect(formatPlan(fast)).toMatch(
      /-> +\d+ workers, \d+ pipelines? of \d+ stages? *: .* inferences a round/,
    );
    fast.close();
    soon.close();
  });

  it('forms pipelines of the workers it may take', async () => {
    const path = small('mobilenetv2');
    const planOf = async (options: PlanOptions): Promise<PlannedModel> => {
      const planned = await planModel(path, options);
      planned.close();
      return planned;
    };
    const two = await planOf({ workers: 4, pipelines: 2 });
    expect(two.plan).toMatchObject({ pipelines: 2, stages: [{ index: 0 }, { index: 1 }] });
    expect(two.expectation).toMatchObject({ workers: 4, pipelines: 2 });
    expect(two.considered).toEqual([]);
    expect(formatPlan(two)).toContain('2 pipelines of 2 stages');
    const alone = await planOf({ workers: 2 });
    expect(alone.plan.pipelines).toBe(1);
    expect(two.plan.stages).toEqual(alone.plan.stages);

    // As few stages as the limit needs, in each of three pipelines.
    const maxWeightsBytes = 700 * 1024;
    const { length: fewest } = (await planOf({ maxWeightsBytes })).plan.stages;
    expect(fewest).toBeGreaterThan(1);
    const three = await planOf({ maxWeightsBytes, pipelines: 3 });
    expect(three.plan.stages).toHaveLength(fewest);
    expect(three.expectation.workers).toBe(3 * fewest);
    const open = await planOf({ workers: 4, pipelines: 'auto' });
    expect(open.considered.map(({ pipelines }) => pipelines)).toEqual([1, 2, 4]);

    await expect(planOf({ workers: 2000, pipelines: 2 })).rejects.toThrow(
      'workers: 2000 in 2 pipelines, 1000 each, is more than',
    );
    await expect(planOf({ workers: 4, pipelines: 3 })).rejects.toThrow('evenly to 3 pipelines');
    await expect(planOf({ workers: fewest, pipelines: fewest, maxWeightsBytes })).rejects.toThrow(
      `at least ${fewest} workers in each pipeline`,
    );
    await expect(planOf({ pipelines: 0 })).rejects.toThrow('pipelines: 0');
    await expect(planOf({ pipelines: 300 })).rejects.toThrow('more than 256');
  });

  it('lists every node that cannot be run', async () => {
    const graph = makeGraph({
      inputs: [{ name: 'x', dtype: 'float32', dims: ['batch', 4, 6, 6] }],
      outputs: [{ name: 'y', dtype: 'float32', dims: undefined }],
      nodes: [
        makeNode('Bernoulli', 'first', ['x'], ['a']),
        makeNode('Bernoulli', 'second', ['a'], ['y']),
      ],
    });
    await expect(planModel(save(graph))).rejects.toMatchObject({
      code: 'unsupported',
      message: expect.stringMatching(/2 parts[^]*Bernoulli ×2[^]*"first"[^]*"second"/) as string,
    });
  });

  it('names options that cannot be', async () => {
    const path = small('digits-cnn');
    await expect(planModel(path, { workers: 0 })).rejects.toThrow(/workers: 0 is not/);
    await expect(planModel(path, { workers: 99 })).rejects.toThrow(/more than the 8 operations/);
    await expect(planModel(path, { dims: { depth: 3 } })).rejects.toThrow(
      /no open dimension "depth"; it has "batch"/,
    );
  });

  it('plans with given inputs where their values matter', async () => {
    const graph = makeGraph({
      inputs: [
        { name: 'x', dtype: 'float32', dims: [2, 6] },
        { name: 'shape', dtype: 'int64', dims: [2] },
      ],
      outputs: [{ name: 'y', dtype: 'float32', dims: undefined }],
      nodes: [makeNode('Reshape', 'reshape', ['x', 'shape'], ['y'])],
    });
    const path = save(graph);
    await expect(planModel(path)).rejects.toThrow(/Give samples where the values of inputs matter/);
    const data = new Uint8Array(BigInt64Array.of(3n, 4n).buffer);
    const samples = [{ name: 'shape', dtype: 'int64' as const, dims: [2], data }];
    const planned = await planModel(path, { samples });
    const x = sampleTensor('x', 'float32', [2, 6]);
    const [result] = await runPlanned(planned, [x, ...samples]);
    expect(result!.dims).toEqual([3, 4]);
    planned.close();
  });

  it('says which sizes a model does not run with', async () => {
    const graph = makeGraph({
      inputs: [{ name: 'x', dtype: 'float32', dims: ['batch', 'features'] }],
      outputs: [{ name: 'y', dtype: 'float32', dims: undefined }],
      nodes: [makeNode('MatMul', 'product', ['x', 'w'], ['y'])],
      constants: { w: floatConstant([5, 3], numbers(15)) },
    });
    const path = save(graph);
    await expect(planModel(path)).rejects.toMatchObject({ code: 'cannot-run' });
    const planned = await planModel(path, { dims: { features: 5 } });
    expect(planned.plan.stages).toHaveLength(1);
    planned.close();
  });
});
