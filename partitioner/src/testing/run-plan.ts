import { decodeShardHead, type BundleTensor } from '@canopy/protocol';
import { runOnce } from '../onnx/runtime.js';
import { writeOnnx } from '../onnx/write-model.js';
import type { PlannedModel } from '../plan-model.js';
import { shardToGraph } from './shard-to-graph.js';

/** Tests only: all bytes of a stage's shard. */
export async function shardBytes(planned: PlannedModel, stage: number): Promise<Uint8Array> {
  const chunks: Uint8Array[] = [];
  for await (const chunk of planned.writeShard(stage)) chunks.push(chunk);
  return new Uint8Array(Buffer.concat(chunks));
}

/** Tests only: runs every stage's shard in onnxruntime, one after the other, as workers would. */
export async function runPlanned(
  planned: PlannedModel,
  feeds: readonly BundleTensor[],
): Promise<BundleTensor[]> {
  let tensors = planned.plan.inputs.map((input) => feeds.find((feed) => feed.name === input.name)!);
  for (const stage of planned.plan.stages) {
    const bytes = await shardBytes(planned, stage.index);
    const shard = decodeShardHead(bytes);
    const graph = shardToGraph(shard, bytes);
    const named = graph.inputs.map((input, index) => ({ ...tensors[index]!, name: input.name }));
    const results = await runOnce(writeOnnx(graph), named);
    tensors = graph.outputs.map((output) => results.get(output.name)!);
  }
  return tensors.map((tensor, index) => ({ ...tensor, name: planned.plan.outputs[index]!.name }));
}

/** Largest absolute difference between two f32 tensors of the same shape. */
export function largestDifference(left: BundleTensor, right: BundleTensor): number {
  if (left.dims.join() !== right.dims.join()) return Infinity;
  const a = new Float32Array(left.data.slice().buffer);
  const b = new Float32Array(right.data.slice().buffer);
  return a.reduce((most, value, index) => Math.max(most, Math.abs(value - b[index]!)), 0);
}
