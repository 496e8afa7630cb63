import { statSync } from 'node:fs';
import { join } from 'node:path';
import { InferenceSession } from 'onnxruntime-node';
import type { Graph } from '../graph/graph.js';
import { readOnnx } from './read-model.js';
import { constantBytes } from '../graph/constant.js';

/** How far onnxruntime goes: `extended` also fuses activations, bias and normalisation. */
export type OptimizationLevel = 'basic' | 'extended';

/** From this size of model file on, onnxruntime writes the weights beside the model. */
const externalAboveBytes = 1_500_000_000;

/**
 * The model after onnxruntime's own clean-up: constants folded, shape arithmetic gone, batch
 * normalisation and activations fused. Its weights lie in files in `folder`.
 *
 * @param dims open dimensions to fix, by name
 */
export async function optimizeOnnx(
  path: string,
  level: OptimizationLevel,
  folder: string,
  dims: Readonly<Record<string, number>> = {},
): Promise<Graph> {
  const optimized = join(folder, `${level}.onnx`);
  const large = modelBytes(path) > externalAboveBytes;
  const session = await InferenceSession.create(path, {
    graphOptimizationLevel: level,
    optimizedModelFilePath: optimized,
    freeDimensionOverrides: dims,
    logSeverityLevel: 3,
    ...(large && {
      extra: {
        session: { optimized_model_external_initializers_file_name: `${level}.weights` },
      },
    }),
  });
  await session.release();
  return readOnnx(optimized);
}

/** Bytes of the model with its external data. */
function modelBytes(path: string): number {
  let bytes = statSync(path).size;
  for (const constant of readOnnx(path).constants.values()) {
    if (constant.file && constant.file.path !== path) bytes += constantBytes(constant);
  }
  return bytes;
}
