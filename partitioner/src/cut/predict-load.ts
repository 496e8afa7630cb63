import type { Plan, StagePrediction } from '@canopy/protocol';
import { stageLoads } from './expectation.js';
import type { LoadOutcome } from './simulate/messages.js';
import { simulateLoad } from './simulate/pipeline.js';

/** Requests that callers keep under way. */
export interface RequestLoad {
  requests: number;
  /** Requests in flight at a time. */
  concurrency: number;
  /** Rows of a request. */
  rows: number;
  /** Bytes of a request's inputs. */
  bytes: number;
}

/**
 * Predicts what a planned model does under a load, on a subnet that does nothing else.
 *
 * @example
 * predictLoad(plan, { requests: 64, concurrency: 8, rows: 1, bytes: 602_112 }).rounds
 */
export function predictLoad(plan: Plan, load: RequestLoad): LoadOutcome {
  const microBatches = plan.rowsIndependent ? Math.ceil(load.rows / plan.microBatchRows) : 1;
  const rows = Math.ceil(load.rows / microBatches);
  const setting = {
    stages: stageLoads(plan.stages.map(({ predictions }) => forRows(predictions, rows))),
    pipelines: plan.pipelines,
    instructionBudget: plan.instructionBudget,
    resultsStay: plan.resultsStay,
  };
  const { requests, concurrency, bytes } = load;
  return simulateLoad(setting, { requests, concurrency, microBatches, bytes });
}

/** The prediction for so many rows: between two that the plan holds, in proportion. */
function forRows(predictions: readonly StagePrediction[], rows: number): StagePrediction {
  const sorted = [...predictions].sort((a, b) => a.rows - b.rows);
  const exact = sorted.find((one) => one.rows === rows);
  if (exact) return exact;
  const above = sorted.find((one) => one.rows > rows) ?? sorted.at(-1)!;
  const below = sorted.findLast((one) => one.rows < rows) ?? above;
  if (above === below) return above;
  const part = (rows - below.rows) / (above.rows - below.rows);
  const between = (field: 'instructions' | 'pageInstructions' | 'bytesSent'): number =>
    below[field] + part * (above[field] - below[field]);
  return {
    ...below,
    rows,
    instructions: between('instructions'),
    pageInstructions: between('pageInstructions'),
    bytesSent: between('bytesSent'),
  };
}
