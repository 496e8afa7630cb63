import type { Plan, TensorSpec } from './plan.js';

/** What a caller of a model needs to know of its plan. */
export interface ModelInterface {
  inputs: readonly TensorSpec[];
  outputs: readonly TensorSpec[];
  /** Whether rows are independent, so that requests may be cut and joined again. */
  rowsIndependent: boolean;
  /** Rows of a micro-batch. */
  microBatchRows: number;
  /** Names of the tensors of a fetched result, in their order. */
  results: readonly string[];
  stageCount: number;
  /** Predicted instructions of all stages for a row, at typical shapes; 0 where nothing was predicted. */
  instructionsPerRow: number;
}

export function interfaceOf(plan: Plan): ModelInterface {
  const { inputs, outputs, rowsIndependent, microBatchRows, stages } = plan;
  return {
    inputs,
    outputs,
    rowsIndependent,
    microBatchRows,
    results: stages[stages.length - 1]!.outputs,
    stageCount: stages.length,
    instructionsPerRow: instructionsPerRow(plan),
  };
}

/** The largest batch predicted is the one that a stage works on. */
function instructionsPerRow({ stages }: Plan): number {
  let sum = 0;
  for (const { predictions } of stages) {
    const prediction = predictions.at(-1);
    if (prediction) sum += prediction.instructions / prediction.rows;
  }
  return Number.isFinite(sum) && sum > 0 ? Math.ceil(sum) : 0;
}
