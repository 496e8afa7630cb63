import type { PlanOptions, PlannedModel } from '@canopy/partitioner';
import { toJson, type Output } from '../output.js';
import { runSteps } from '../steps.js';

/** Options that `plan` and `deploy` share. */
export interface PlanFlags {
  maxWeights?: number;
  workers?: number | 'auto';
  pipelines?: number | 'auto';
  for?: 'throughput' | 'latency';
  dim?: Record<string, number>;
  name?: string;
}

export function planOptions(flags: PlanFlags): PlanOptions {
  return {
    ...(flags.maxWeights !== undefined && { maxWeightsBytes: flags.maxWeights }),
    ...(flags.workers !== undefined && { workers: flags.workers }),
    ...(flags.pipelines !== undefined && { pipelines: flags.pipelines }),
    ...(flags.for !== undefined && { goal: flags.for }),
    ...(flags.dim !== undefined && { dims: flags.dim }),
    ...(flags.name !== undefined && { name: flags.name }),
  };
}

/** `canopy plan MODEL`: how a model would be cut, and what it would cost. */
export async function planCommand(model: string, flags: PlanFlags, output: Output): Promise<void> {
  const { formatPlan, planModel } = await import('@canopy/partitioner');
  let planned: PlannedModel | undefined;
  try {
    await runSteps(output, [
      {
        title: `Planning ${model}`,
        run: async () => {
          planned = await planModel(model, planOptions(flags));
        },
      },
    ]);
    output.print(output.json ? toJson(planned!.plan) : formatPlan(planned!));
  } finally {
    planned?.close();
  }
}
