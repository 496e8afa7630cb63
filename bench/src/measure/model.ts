import type { PlanOptions } from '@canopy/partitioner';
import type { BundleTensor, Plan } from '@canopy/protocol';
import { EmbeddedIc } from '../ic/embedded.js';
import type { BenchModel } from '../models/catalogue.js';
import type { CostSchedule, RunResult } from '../results/schema.js';
import { deployModel } from './deployment.js';
import { measureRun, type RunSpec } from './run.js';

/** What is measured of a model on one number of workers, one after the other on the same canisters. */
export interface ModelJob {
  model: BenchModel;
  workers: number;
  costSchedule: CostSchedule;
  runs: readonly RunSpec[];
}

export interface ModelOutcome {
  plan: Plan;
  runs: RunResult[];
}

/** Deploys a model on a fresh embedded IC and measures its runs. */
export async function measureModel(
  job: ModelJob,
  expected: (inputs: readonly BundleTensor[]) => Promise<BundleTensor[]>,
  onRun: (run: RunResult) => void,
): Promise<ModelOutcome> {
  const { model, workers, costSchedule } = job;
  const ic = new EmbeddedIc(costSchedule);
  // Cut for the schedule in force, so that both schedules run the same stages.
  const options: PlanOptions = { workers, dims: { ...model.dims } };
  const deployed = await deployModel(ic, model.path(), model.name, options);
  const runs: RunResult[] = [];
  for (const spec of job.runs) {
    const run = await measureRun({ model, deployed, costSchedule, expected }, spec);
    runs.push(run);
    onRun(run);
  }
  return { plan: deployed.plan, runs };
}
