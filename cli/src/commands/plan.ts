import type { PlanOptions, PlannedModel, WeightBlock, WeightType } from '@canopy/partitioner';
import { UsageError } from '../errors.js';
import { toJson, type Output } from '../output.js';
import { runSteps } from '../steps.js';
import { describeWeightError, type WeightError } from '../weight-error.js';

/** Options that `plan` and `deploy` share. */
export interface PlanFlags {
  maxWeights?: number;
  workers?: number | 'auto';
  pipelines?: number | 'auto';
  for?: 'throughput' | 'latency';
  dim?: Record<string, number>;
  /** Values of inputs and open dimensions for good. */
  fix?: Record<string, number[]>;
  name?: string;
  weights?: WeightType;
  /** As text: commander's choices are texts. */
  weightBlock?: '32' | '128';
  /** Each `name=file`: what the error of integer weights is measured on. */
  input?: string[];
  /** Largest difference from onnxruntime that is allowed. */
  maxError?: number;
}

export function planOptions(flags: PlanFlags): PlanOptions {
  return {
    ...(flags.maxWeights !== undefined && { maxWeightsBytes: flags.maxWeights }),
    ...(flags.workers !== undefined && { workers: flags.workers }),
    ...(flags.pipelines !== undefined && { pipelines: flags.pipelines }),
    ...(flags.for !== undefined && { goal: flags.for }),
    ...(flags.dim !== undefined && { dims: flags.dim }),
    ...(flags.fix !== undefined && { fixed: flags.fix }),
    ...(flags.name !== undefined && { name: flags.name }),
    ...(flags.weights !== undefined && { weights: flags.weights }),
    ...(flags.weightBlock !== undefined && {
      weightBlock: Number(flags.weightBlock) as WeightBlock,
    }),
  };
}

/**
 * Measures how far a plan is from onnxruntime, where inputs are given for it. Throws `CommandError` where
 * it is further than `--max-error`, {@link UsageError} where there is nothing to measure that on.
 */
export async function checkError(
  model: string,
  planned: PlannedModel,
  flags: PlanFlags,
  output: Output,
): Promise<WeightError | undefined> {
  const inputs = flags.input ?? [];
  if (inputs.length === 0) {
    if (flags.maxError === undefined) return undefined;
    throw new UsageError('--max-error needs inputs to measure on: --input NAME=FILE');
  }
  const { readFeeds } = await import('../tensors/feeds.js');
  const { measureWeightError, requireSmallError } = await import('../weight-error.js');
  const feeds = await readFeeds(planned.plan, inputs);
  let error: WeightError | undefined;
  await runSteps(output, [
    {
      title: 'Measuring the error on the embedded IC',
      run: async () => {
        error = await measureWeightError(model, planned, feeds);
      },
    },
  ]);
  requireSmallError(error!, flags.maxError);
  return error;
}

/** `canopy plan MODEL`: how a model would be cut, and what it would cost. */
export async function planCommand(model: string, flags: PlanFlags, output: Output): Promise<void> {
  const { formatPlan, planModel } = await import('@canopy/partitioner');
  const { hashFolder } = await import('../manifests.js');
  let planned: PlannedModel | undefined;
  try {
    await runSteps(output, [
      {
        title: `Planning ${model}`,
        run: async () => {
          planned = await planModel(model, { ...planOptions(flags), hashFolder });
        },
      },
    ]);
    const error = await checkError(model, planned!, flags, output);
    if (output.json) {
      output.print(toJson(error ? { ...planned!.plan, error } : planned!.plan));
      return;
    }
    output.print(formatPlan(planned!));
    if (error) output.print(`\n${describeWeightError(error)}`);
  } finally {
    planned?.close();
  }
}
