import { CanisterError, parseCanisterError, type StageTrace } from '@canopy/protocol';
import { CoordinatorError } from '../error.js';
import type { PrincipalLike } from '../ic/ic.js';
import type { Pipeline } from '../registry/models.js';

/** What one stage did for a request, over all its micro-batches. */
export interface StageTotals {
  worker: PrincipalLike;
  instructions: bigint;
  messages: number;
  bytesReceived: number;
  bytesSent: number;
  scratchBytes: number;
}

/** Adds up the traces of a request's micro-batches, stage by stage. */
export function sumTraces(
  tasks: readonly { traces: readonly StageTrace[] }[],
  workers: readonly PrincipalLike[],
): StageTotals[] {
  const totals: StageTotals[] = [];
  for (const task of tasks) {
    task.traces.forEach((trace, stage) => {
      const total = totals[stage];
      if (total === undefined) {
        totals[stage] = { worker: workers[stage]!, ...trace };
        return;
      }
      total.instructions += trace.instructions;
      total.messages += trace.messages;
      total.bytesReceived += trace.bytesReceived;
      total.bytesSent += trace.bytesSent;
      total.scratchBytes = Math.max(total.scratchBytes, trace.scratchBytes);
    });
  }
  return totals;
}

/** The error of a result that says a stage failed. */
export function stageFailure(
  pipeline: Pipeline,
  result: { stage: number; text: string },
): CoordinatorError {
  const worker = pipeline[result.stage]?.toText() ?? 'unknown';
  const known = parseCanisterError(result.text);
  return new CoordinatorError(
    known ?? CanisterError.internal,
    `stage ${result.stage} (worker ${worker}): ${known?.message ?? result.text}`,
  );
}
