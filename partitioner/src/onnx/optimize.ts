import { join } from 'node:path';
import { InferenceSession } from 'onnxruntime-node';
import type { Graph } from '../graph/graph.js';
import { readOnnx } from './read-model.js';

/** How far onnxruntime goes: `extended` also fuses activations, bias and normalisation. */
export type OptimizationLevel = 'basic' | 'extended';

/**
 * The model after onnxruntime's own clean-up: constants folded, shape arithmetic gone, batch
 * normalisation and activations fused. Its weights lie in files in `folder`.
 *
 * Throws what onnxruntime throws where it refuses the model or cannot write the result.
 */
export async function optimizeOnnx(
  path: string,
  level: OptimizationLevel,
  folder: string,
): Promise<Graph> {
  const optimized = join(folder, `${level}.onnx`);
  const session = await InferenceSession.create(path, {
    graphOptimizationLevel: level,
    optimizedModelFilePath: optimized,
    logSeverityLevel: 3,
    // The session is never run: no threads, no arena, no weights in the form of a kernel.
    intraOpNumThreads: 1,
    enableCpuMemArena: false,
    // A file beside the graph: one message ends at 2 GiB, and references to the model's own external
    // data would lead nowhere from another folder.
    extra: {
      session: {
        disable_prepacking: '1',
        optimized_model_external_initializers_file_name: `${level}.weights`,
      },
    },
  });
  await session.release();
  return readOnnx(optimized);
}
