import type { BenchModel } from '../models/catalogue.js';
import {
  isObserved,
  type MeasuredRun,
  type ModelResult,
  type RunResult,
  type StageSplit,
} from './schema.js';

function isSplitRun({ way, workers, pipelines, batch, concurrency }: RunResult): boolean {
  return way === 'd' && workers === 4 && pipelines === 1 && batch === 1 && concurrency > 1;
}

/**
 * What each stage spends on an input. Operators and interpreter are counted where touching pages is
 * not seen by the canister (2025-10), pages and the whole under the schedule in force.
 */
function splitOf(runs: readonly RunResult[]): StageSplit[] {
  const same = runs.filter(isSplitRun);
  const blind = same.filter((run) => run.costSchedule === '2025-10').at(-1);
  const now = same.filter((run) => run.costSchedule === '2026-07').at(-1);
  if (!blind || !now) return [];
  return now.stages.map((stage, index): StageSplit => {
    const { operators, program } = blind.stages[index]!;
    const interpreter = program - operators;
    const messages = stage.counted - stage.pages - program;
    return { kernels: operators, interpreter, pages: stage.pages, messages };
  });
}

/** Facts about a model, from its runs. */
export function modelResult(model: BenchModel, runs: readonly MeasuredRun[]): ModelResult {
  const own = runs.filter((run) => run.model === model.name);
  const stages = own[0]!.stages;
  const sum = (figure: (stage: (typeof stages)[number]) => number): number =>
    stages.reduce((total, stage) => total + figure(stage), 0);
  return {
    name: model.name,
    about: model.about,
    weightsBytes: sum((stage) => stage.weightsBytes),
    multiplyAdds: sum((stage) => stage.multiplyAdds),
    inputBytes: model.input(0).reduce((total, tensor) => total + tensor.data.length, 0),
    split: splitOf(own.filter(isObserved)),
  };
}
