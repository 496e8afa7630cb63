import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { BundleTensor } from '@canopy/protocol';
import { joinRows, splitRows } from '@canopy/protocol';
import { floatConstant, intConstant } from './graph/constant.js';
import { makeNode, type Attribute, type Graph, type NamedValue } from './graph/graph.js';
import { sampleFeeds } from './graph/measure.js';
import { planModel, type PlanOptions, type PlannedModel } from './index.js';
import { runOnce } from './onnx/runtime.js';
import { writeOnnx } from './onnx/write-model.js';
import { largestDifference, runPlanned } from './testing/run-plan.js';
import { makeGraph, numbers } from './testing/run-program.js';

const int = (value: number): Attribute => ({ kind: 'int', value });
const ints = (...value: number[]): Attribute => ({ kind: 'ints', value });
const float = (name: string, ...dims: NonNullable<NamedValue['dims']>): NamedValue => ({
  name,
  dtype: 'float32',
  dims,
});
const y: NamedValue = { name: 'y', dtype: 'float32', dims: undefined };

let folder = '';
beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), 'canopy-open-sizes-'));
});
afterAll(() => {
  rmSync(folder, { recursive: true });
});

async function plan(graph: Graph, options: PlanOptions = {}): Promise<PlannedModel> {
  const path = join(folder, 'model.onnx');
  writeFileSync(path, writeOnnx(graph));
  return planModel(path, options);
}

/** Runs a plan's stages on inputs and compares each output with onnxruntime's. */
async function compare(
  planned: PlannedModel,
  graph: Graph,
  feeds: readonly BundleTensor[],
): Promise<void> {
  const expected = await runOnce(writeOnnx(graph), feeds);
  const results = await runPlanned(planned, feeds);
  expect(results.map(({ name }) => name)).toEqual(graph.outputs.map(({ name }) => name));
  for (const result of results) {
    expect(largestDifference(result, expected.get(result.name)!)).toBeLessThan(1e-5);
  }
}

/** Work enough that a plan has something to weigh: `from` times a matrix, twice. */
const product = (from: string, to: string) => [
  makeNode('MatMul', 'first', [from, 'w'], ['h']),
  makeNode('Relu', 'relu', ['h'], ['r']),
  makeNode('MatMul', 'second', ['r', 'w'], [to]),
];
const w = floatConstant([256, 256], numbers(256 * 256));

describe('a plan', () => {
  it('ties dimensions without a name to nothing', async () => {
    const graph = makeGraph({
      inputs: [float('x', '?', 3, '?', '?')],
      outputs: [y],
      nodes: [
        makeNode('Relu', 'relu', ['x'], ['r']),
        makeNode('AveragePool', 'pool', ['r'], ['y'], { kernel_shape: ints(1, 2) }),
      ],
    });
    const planned = await plan(graph);
    expect(planned.plan.inputs[0]!.dims).toEqual(['x_0', 3, 'x_2', 'x_3']);
    expect(planned.plan.outputs[0]!.dims).toEqual(['x_0', 3, 'x_2', 'x_3 - 1']);
    expect(planned.plan.rowsIndependent).toBe(true);
    await compare(planned, graph, sampleFeeds(graph, { x_2: 2, x_3: 4 }, 2));
    planned.close();
  });

  it('gives outputs that are inputs or constants under their own names, through all stages', async () => {
    const graph = makeGraph({
      inputs: [float('x', 'n', 40, 256), float('z', 'n', 2)],
      outputs: [y, float('x', 'n', 40, 256), float('k', 2), float('i', 'n', 2)],
      nodes: [
        ...product('x', 'p'),
        makeNode('Add', 'offset', ['p', 'one'], ['y']),
        makeNode('Mul', 'double', ['k', 'k'], ['kk']),
        makeNode('Identity', 'same', ['z'], ['i']),
      ],
      constants: { w, one: floatConstant([], [1]), k: floatConstant([2], [1, 2]) },
    });
    const planned = await plan(graph, { workers: 3 });
    const { stages, outputs, inputs } = planned.plan;
    expect(stages[0]!.inputs).toEqual(inputs.map(({ name }) => name));
    expect(stages.at(-1)!.outputs).toEqual(outputs.map(({ name }) => name));
    expect(planned.whyNotCut).toMatch(/output "k" is not one row for each row/);
    await compare(planned, graph, sampleFeeds(graph, {}, 2));
    planned.close();
  });

  it('works on requests as a whole where first dimensions have different names', async () => {
    const graph = makeGraph({
      inputs: [float('x', 'nodes', 256), float('z', 'edges', 256)],
      outputs: [y],
      nodes: [
        ...product('x', 'p'),
        makeNode('Transpose', 'turn', ['z'], ['t'], { perm: ints(1, 0) }),
        makeNode('MatMul', 'pairs', ['p', 't'], ['y']),
      ],
      constants: { w },
    });
    const planned = await plan(graph, { dims: { nodes: 60, edges: 40 } });
    expect(planned.plan).toMatchObject({ rowsIndependent: false, microBatchRows: 1 });
    // Costs are those of the sizes given.
    expect(planned.plan.stages[0]!.multiplyAdds).toBe(2 * 60 * 256 * 256 + 60 * 40 * 256);
    for (const [nodes, edges] of [
      [60, 40],
      [3, 5],
    ] as const) {
      await compare(planned, graph, sampleFeeds(graph, { nodes, edges }, 1));
    }
    await expect(plan(graph, { rowsIndependent: true })).rejects.toThrow(
      /rowsIndependent: the inputs of the model share no open first dimension/,
    );
    planned.close();
  });

  it('has no rows where no input has a batch', async () => {
    const graph = makeGraph({
      inputs: [float('x', 40, 256), float('s')],
      outputs: [y],
      nodes: [...product('x', 'p'), makeNode('Mul', 'scale', ['p', 's'], ['y'])],
      constants: { w },
    });
    const planned = await plan(graph);
    expect(planned.plan).toMatchObject({ rowsIndependent: false, microBatchRows: 1 });
    await compare(planned, graph, sampleFeeds(graph, {}, 1));
    planned.close();
  });

  it('takes the size of the batch from the options', async () => {
    const merged = makeGraph({
      inputs: [float('x', 'n', 4, 64)],
      outputs: [y],
      nodes: [makeNode('Reshape', 'merge', ['x', 'shape'], ['m']), ...product('m', 'y')],
      constants: { w, shape: intConstant([2], [-1, 512 / 2]) },
    });
    const uneven = makeGraph({
      inputs: [float('x', 'n', 2, 64)],
      outputs: [y],
      nodes: [makeNode('Reshape', 'merge', ['x', 'shape'], ['m']), ...product('m', 'y')],
      constants: { w, shape: intConstant([2], [-1, 256]) },
    });
    await expect(plan(uneven)).rejects.toThrow(
      /does not run with inputs "x" \[1,2,64\]: Reshape "merge" needs 128 .* Give dims that fit for "n"/,
    );
    const planned = await plan(uneven, { dims: { n: 64 } });
    expect(planned.plan).toMatchObject({ rowsIndependent: false, typicalDims: { n: 64 } });
    expect(planned.plan.stages[0]!.multiplyAdds).toBe(2 * 32 * 256 * 256);
    await compare(planned, uneven, sampleFeeds(uneven, {}, 6));
    planned.close();

    const rows = await plan(merged, { dims: { n: 24 } });
    expect(rows.plan).toMatchObject({ rowsIndependent: true, microBatchRows: 24 });
    await compare(rows, merged, sampleFeeds(merged, {}, 3));
    rows.close();
  });

  it('runs on no rows, and on an empty cache', async () => {
    const graph = makeGraph({
      inputs: [float('x', 'b', 's', 256), float('past', 'b', 'p', 256)],
      outputs: [y, { ...y, name: 'present' }],
      nodes: [
        makeNode('Concat', 'present', ['past', 'x'], ['present'], { axis: int(1) }),
        ...product('present', 'y'),
      ],
      constants: { w },
    });
    const planned = await plan(graph);
    expect(planned.plan.rowsIndependent).toBe(true);
    expect(planned.plan.outputs[1]!.dims).toEqual(['b', 'p + s', 256]);
    await compare(planned, graph, sampleFeeds(graph, { s: 2, p: 0 }, 1));
    const none = sampleFeeds(graph, { s: 2, p: 1 }, 0);
    await compare(planned, graph, none);
    // Cut and joined, no rows stay no rows.
    const tasks = splitRows(none, 4);
    const joined = joinRows(await Promise.all(tasks.map((task) => runPlanned(planned, task))));
    expect(joined.map(({ dims }) => dims)).toEqual([
      [0, 3, 256],
      [0, 3, 256],
    ]);
    planned.close();
  });

  it('of rows that depend on each other is cut only where the owner says so', async () => {
    const graph = makeGraph({
      inputs: [float('x', 'n', 40, 256)],
      outputs: [y],
      nodes: [
        ...product('x', 'p'),
        // Subtracts what is 0 whatever the rows are, which no shape tells.
        makeNode('Sub', 'nothing', ['p', 'p'], ['o']),
        makeNode('ReduceMax', 'most', ['o'], ['m'], { axes: ints(0) }),
        makeNode('Add', 'sum', ['p', 'm'], ['y']),
      ],
      constants: { w },
    });
    const derived = await plan(graph);
    expect(derived.plan).toMatchObject({ rowsIndependent: false, microBatchRows: 1 });
    expect(derived.whyNotCut).toMatch(/"most" works across rows/);
    const said = await plan(graph, { rowsIndependent: true });
    expect(said.plan.rowsIndependent).toBe(true);
    expect(said.plan.microBatchRows).toBeGreaterThan(1);
    for (const planned of [derived, said]) {
      await compare(planned, graph, sampleFeeds(graph, {}, 3));
      planned.close();
    }
  });
});
