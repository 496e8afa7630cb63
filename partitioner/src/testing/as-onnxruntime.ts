import type { BundleTensor } from '@canopy/protocol';
import type { Graph } from '../graph/graph.js';
import { sampleFeeds } from '../graph/measure.js';
import { openModel } from '../onnx/open-model.js';
import { runOnce } from '../onnx/runtime.js';
import { saveOnnx } from '../onnx/save-model.js';
import { makeTemporary, removeTemporary } from '../onnx/temporary.js';
import { planModel, type PlanOptions } from '../plan-model.js';
import { shardBytes } from './run-plan.js';
import { WorkersOnIc } from './worker-on-ic.js';

/** What workers and onnxruntime make of the same inputs, in the order of the model's outputs. */
export interface Compared {
  results: BundleTensor[];
  expected: BundleTensor[];
}

/** Tests only: plans a model file, runs it on worker canisters, and runs it in onnxruntime. */
export async function runBoth(
  path: string,
  feeds: readonly BundleTensor[],
  options: PlanOptions = {},
): Promise<Compared> {
  const planned = await planModel(path, options);
  try {
    const { stages, inputs, outputs, instructionBudget, resultsStay } = planned.plan;
    const shards = await Promise.all(stages.map(({ index }) => shardBytes(planned, index)));
    const pipeline = new WorkersOnIc('2025-10').deploy(shards, instructionBudget, resultsStay);
    const given = inputs.map(({ name }) => feeds.find((feed) => feed.name === name)!);
    const run = pipeline.run(given.map((feed) => ({ ...feed, name: '' })));
    const results = run.outputs.map((tensor, index) => ({
      ...tensor,
      name: outputs[index]!.name,
    }));
    const all = await runOnce(path, feeds);
    return { results, expected: outputs.map(({ name }) => all.get(name)!) };
  } finally {
    planned.close();
  }
}

/** Tests only: {@link runBoth} of a graph, on made-up inputs of these sizes where none are given. */
export async function runGraphBoth(
  graph: Graph,
  dims: Record<string, number>,
  feeds?: readonly BundleTensor[],
  options: PlanOptions = {},
): Promise<Compared> {
  const folder = makeTemporary();
  try {
    const path = saveOnnx(graph, folder, 'model');
    const made = feeds ?? sampleFeeds(openModel(path).graph, dims, dims['batch'] ?? 1, 5);
    return await runBoth(path, made, { dims, ...options });
  } finally {
    removeTemporary(folder);
  }
}

/** A tensor as numbers: what is compared. */
export function asNumbers({ dtype, data }: BundleTensor): number[] {
  const buffer = data.slice().buffer;
  if (dtype === 'float32') return Array.from(new Float32Array(buffer));
  if (dtype === 'int64') return Array.from(new BigInt64Array(buffer), Number);
  if (dtype === 'int32') return Array.from(new Int32Array(buffer));
  if (dtype === 'float64') return Array.from(new Float64Array(buffer));
  return [...data];
}

/** Tests only: the largest difference of a result from what is expected; Infinity where type or shape differs. */
export function differenceOf({ results, expected }: Compared): number {
  if (results.length !== expected.length) return Infinity;
  return results.reduce((most, result, index) => {
    const other = expected[index]!;
    const isAlike = result.dtype === other.dtype && result.dims.join() === other.dims.join();
    if (!isAlike) return Infinity;
    const wanted = asNumbers(other);
    return asNumbers(result).reduce(
      (so, value, at) =>
        Math.max(so, Object.is(value, wanted[at]) ? 0 : Math.abs(value - wanted[at]!)),
      most,
    );
  }, 0);
}
