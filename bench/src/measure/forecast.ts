import {
  planModel,
  predictLoad,
  type ExpectedLoad,
  type PlanOptions,
  type PlannedModel,
} from '@canopy/partitioner';
import { encodeBundle, joinRows } from '@canopy/protocol';
import { EmbeddedIc } from '../ic/embedded.js';
import type { BenchModel } from '../models/catalogue.js';
import { openReference } from '../reference.js';
import type { MeasuredRun } from '../results/schema.js';
import { deployModel } from './deployment.js';
import { measureRun } from './run.js';

/** What the planner says, or what was counted. */
export interface ForecastFigures {
  /** Steady inferences a round where the run has a steady window. */
  inferencesPerRound: number;
  roundsForOne: number;
  /** Instructions of each stage for one row alone. */
  stages: number[];
}

export interface Forecast {
  workers: number;
  pipelines: number;
  load: ExpectedLoad;
  predicted: ForecastFigures;
  counted: ForecastFigures;
}

function rateOf({ steady, inferencesPerRound }: MeasuredRun): number {
  return steady?.inferencesPerRound ?? inferencesPerRound!;
}

/** What the planner expects of a load that is not the one of its plan. */
function predictedRate({ plan }: PlannedModel, model: BenchModel, load: ExpectedLoad): number {
  const { requests, concurrency, rowsPerRequest: rows } = load;
  const inputs = joinRows(Array.from({ length: rows }, (_, row) => model.input(row)));
  const bytes = encodeBundle(inputs).length;
  const { steadyPerRound, rounds } = predictLoad(plan, { requests, concurrency, rows, bytes });
  return (steadyPerRound ?? requests / rounds) * rows;
}

/**
 * Plans a model, runs it on the embedded IC, one row alone and then under a load, and gives what the
 * plan promised beside what was counted.
 *
 * @param load default: the one the plan states
 */
export async function measureForecast(
  model: BenchModel,
  options: Pick<PlanOptions, 'workers' | 'pipelines'> = {},
  load?: ExpectedLoad,
): Promise<Forecast> {
  const dims = { ...model.dims };
  const planned = await planModel(model.path(), { ...options, dims });
  planned.close();
  const { plan, expectation } = planned;
  const { workers, pipelines } = expectation;
  const ic = new EmbeddedIc('2026-07');
  const deployed = await deployModel(ic, model.path(), model.name, { workers, pipelines, dims });
  const reference = await openReference(model.path());
  const context = {
    model,
    deployed,
    costSchedule: '2026-07' as const,
    expected: reference.run.bind(reference),
  };
  try {
    const alone = { way: 'd', batch: 1, concurrency: 1, requests: 2 } as const;
    const one = await measureRun(context, alone);
    const { rowsPerRequest: batch, concurrency, requests } = load ?? expectation.load;
    const many = await measureRun(context, { way: 'd', batch, concurrency, requests });
    return {
      workers,
      pipelines,
      load: load ?? expectation.load,
      predicted: {
        inferencesPerRound: load
          ? predictedRate(planned, model, load)
          : expectation.inferencesPerRound,
        roundsForOne: expectation.roundsForOne,
        stages: plan.stages.map(
          ({ predictions }) => predictions.find(({ rows }) => rows === 1)!.instructions,
        ),
      },
      counted: {
        inferencesPerRound: rateOf(many),
        roundsForOne: one.rounds!.median,
        stages: one.stages.map(({ reported }) => reported!),
      },
    };
  } finally {
    await reference.close();
  }
}
