import type { PlanOptions } from '@canopy/partitioner';
import type { BundleTensor, Plan } from '@canopy/protocol';
import { EmbeddedIc } from '../ic/embedded.js';
import type { BenchIc } from '../ic/round-ic.js';
import type { BenchModel } from '../models/catalogue.js';
import type { CostSchedule, MeasuredRun, RunResult } from '../results/schema.js';
import { deployModel } from './deployment.js';
import { measureRun, observedRun, type RunSpec } from './run.js';

/** What is measured of a model on one number of workers, one after the other on the same canisters. */
export interface ModelJob {
  model: BenchModel;
  /** In all pipelines together. */
  workers: number;
  pipelines: number;
  /** Null where the IC's own schedule is not known. */
  costSchedule: CostSchedule | null;
  runs: readonly RunSpec[];
}

export interface ModelOutcome<Run extends MeasuredRun = RunResult> {
  plan: Plan;
  runs: Run[];
}

/** Deploys a model on an IC and measures its runs. */
export async function measureModelOn(
  ic: BenchIc,
  job: ModelJob,
  expected: (inputs: readonly BundleTensor[]) => Promise<BundleTensor[]>,
  onRun: (run: MeasuredRun) => void,
): Promise<ModelOutcome<MeasuredRun>> {
  const { model, workers, pipelines, costSchedule } = job;
  // Cut for the schedule in force, so that both schedules run the same stages.
  const options: PlanOptions = { workers, pipelines, dims: { ...model.dims } };
  const deployed = await deployModel(ic, model.path(), model.name, options);
  const runs: MeasuredRun[] = [];
  for (const spec of job.runs) {
    const run = await measureRun({ model, deployed, costSchedule, expected }, spec);
    runs.push(run);
    onRun(run);
  }
  return { plan: deployed.plan, runs };
}

/** Deploys a model on a fresh embedded IC and measures its runs. */
export async function measureModel(
  job: ModelJob & { costSchedule: CostSchedule },
  expected: (inputs: readonly BundleTensor[]) => Promise<BundleTensor[]>,
  onRun: (run: RunResult) => void,
): Promise<ModelOutcome> {
  const ic = new EmbeddedIc(job.costSchedule);
  const { plan, runs } = await measureModelOn(ic, job, expected, (run) => {
    onRun(observedRun(run));
  });
  return { plan, runs: runs.map(observedRun) };
}
