import { PartitionError } from '@canopy/partitioner';
import { modelFace } from '@canopy/partitioner/model-face';
import type { BundleTensor } from '@canopy/protocol';
import { readTensors, type Case, type CaseTensor } from './cases.js';
import { difference, type Tolerance } from './numbers.js';
import type { Outcome } from './outcome.js';
import { runReference } from './reference.js';
import { runOnWorkers, Unsupported } from './worker.js';

interface DataSet {
  inputs: CaseTensor[];
  outputs: CaseTensor[];
}

const textOf = (error: unknown): string => (error instanceof Error ? error.message : String(error));

/** What is wrong with the outputs of a run; undefined where nothing is. */
function wrongIn(
  actual: readonly BundleTensor[],
  { outputs }: DataSet,
  tolerance: Tolerance,
): string | undefined {
  for (const [index, expected] of outputs.entries()) {
    const wrong = difference(actual[index], expected, tolerance);
    if (wrong !== undefined) return `output ${index}: ${wrong}`;
  }
  return undefined;
}

async function referencePasses(
  model: string,
  sets: readonly DataSet[],
  tolerance: Tolerance,
): Promise<boolean> {
  // onnxruntime-node has no tensors of 4 bits: one as an output ends the process.
  if (sets.some(({ inputs, outputs }) => [...inputs, ...outputs].some((t) => t.fourBits)))
    return false;
  try {
    for (const set of sets) {
      if (wrongIn(await runReference(model, set.inputs), set, tolerance)) return false;
    }
    return true;
  } catch {
    return false;
  }
}

/** Runs a case on so many workers, and in onnxruntime. Never throws. */
export async function runCase(
  { name, model, dataSets }: Case,
  workers: number,
  tolerance: Tolerance,
): Promise<Outcome> {
  let operators: readonly string[] = [];
  let reference = false;
  try {
    const face = modelFace(model);
    operators = face.operators;
    const sets = dataSets.map((folder) => ({
      inputs: readTensors(folder, 'input'),
      outputs: readTensors(folder, 'output'),
    }));
    reference = await referencePasses(model, sets, tolerance);
    const inputs = sets.map((set) => set.inputs);
    const results = await runOnWorkers(model, face.inputs, inputs, workers);
    const wrong = sets.map((set, index) => wrongIn(results[index]!, set, tolerance)).find(Boolean);
    const status = wrong === undefined ? 'passed' : 'failed';
    return { name, operators, status, why: wrong ?? '', missing: [], reference };
  } catch (error) {
    const missing = error instanceof Unsupported ? error.operators : [];
    const refused = error instanceof PartitionError && error.code === 'unsupported';
    const status = refused || error instanceof Unsupported ? 'unsupported' : 'failed';
    return { name, operators, status, why: textOf(error), missing, reference };
  }
}
