import { join } from 'node:path';
import { InferenceSession } from 'onnxruntime-node';
import type { Graph } from '../graph/graph.js';
import { readOnnx } from './read-model.js';
import { hiddenWeights, writeSkeleton } from './skeleton.js';

/** How far onnxruntime goes: `extended` also fuses activations, bias and normalisation. */
export type OptimizationLevel = 'basic' | 'extended';

/**
 * The model after onnxruntime's own clean-up: constants folded, shape arithmetic gone, batch
 * normalisation and activations fused. onnxruntime sees small weights only, which lie in files in
 * `folder` afterwards; the large ones stay where they are.
 *
 * @param original the model as it was read from `path`
 *
 * Throws what onnxruntime throws where it refuses the model or cannot write the result.
 */
export async function optimizeOnnx(
  path: string,
  original: Graph,
  level: OptimizationLevel,
  folder: string,
): Promise<Graph> {
  const hidden = hiddenWeights(original);
  const optimized = join(folder, `${level}.onnx`);
  const session = await InferenceSession.create(writeSkeleton(path, original, hidden), {
    graphOptimizationLevel: level,
    optimizedModelFilePath: optimized,
    logSeverityLevel: 3,
    // The session is never run: no threads, no arena, no weights in the form of a kernel.
    intraOpNumThreads: 1,
    enableCpuMemArena: false,
    extra: {
      session: {
        disable_prepacking: '1',
        // Products with weights in blocks work on the activations as they are, not rounded to 8 bits.
        qdq_matmulnbits_accuracy_level: '0',
        optimized_model_external_initializers_file_name: `${level}.weights`,
      },
    },
  });
  await session.release();
  const graph = readOnnx(optimized);
  graph.inputs = graph.inputs.filter(({ name }) => !hidden.has(name));
  for (const name of hidden) graph.constants.set(name, original.constants.get(name)!);
  return graph;
}
