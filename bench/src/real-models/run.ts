import { CanopySession, deploy } from '@canopy/client';
import { coordinatorWasmGz } from '@canopy/coordinator';
import { planModel } from '@canopy/partitioner';
import { workerWasmGz } from '@canopy/worker';
import { EmbeddedIc } from '../ic/embedded.js';
import { owner } from '../measure/deployment.js';
import type { RealModel } from './catalogue.js';
import { largestDifference } from './compare.js';
import { askOnnxruntime } from './inputs.js';

/** Largest difference that counts as equal. */
export const tolerance = 1e-3;

/** How a model fared on so many workers. */
export type Outcome =
  | { kind: 'equal' | 'different'; workers: number; difference: number; instructions: number }
  | { kind: 'refused' | 'failed'; workers: number; reason: string };

function reasonOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}

/** What has none of these names. */
function without<T>(all: Readonly<Record<string, T>>, names: object): Record<string, T> {
  return Object.fromEntries(Object.entries(all).filter(([name]) => !(name in names)));
}

/** Plans, deploys and runs a model on the embedded IC, and compares with onnxruntime. */
export async function runRealModel(
  path: string,
  model: RealModel,
  workers: number,
): Promise<Outcome> {
  const { fixed = {} } = model;
  let asked;
  try {
    asked = await askOnnxruntime(path, model);
  } catch (error) {
    return { kind: 'failed', workers, reason: `onnxruntime: ${reasonOf(error)}` };
  }
  let planned;
  try {
    const dims = without(asked.dims, fixed);
    planned = await planModel(path, { name: model.name, workers, dims, fixed });
  } catch (error) {
    return { kind: 'refused', workers, reason: reasonOf(error) };
  }
  try {
    const ic = new EmbeddedIc('2026-07');
    const transport = ic.transport(owner);
    const modules = { coordinator: coordinatorWasmGz(), worker: workerWasmGz() };
    const deployment = await deploy(planned, { transport, modules, uploadConcurrency: 1 });
    const session = await CanopySession.create(deployment, { transport });
    const { outputs, detail } = await session.runDetailed(without(asked.feeds, fixed));
    let worst = 0;
    for (const [name, right] of Object.entries(asked.outputs)) {
      const given = outputs[name];
      if (given === undefined) throw new Error(`output "${name}" is missing`);
      worst = Math.max(worst, largestDifference(name, given, right));
    }
    const instructions = detail.stages.reduce((sum, stage) => sum + Number(stage.instructions), 0);
    const kind = worst <= tolerance ? 'equal' : 'different';
    return { kind, workers, difference: worst, instructions };
  } catch (error) {
    return { kind: 'failed', workers, reason: reasonOf(error) };
  } finally {
    planned.close();
  }
}
