import { CanisterError, ByteReader, maxMessageBytes, type BundleTensor } from '@canopy/protocol';
import { bundleBytes } from '../bytes/bundle-writer.js';
import type { Coordinator } from '../coordinator.js';
import { CoordinatorError, errorRecord } from '../error.js';
import { keeperOf } from '../registry/tickets.js';
import { readResult } from './read-result.js';
import { enqueue, joinResult, stageFailure } from './request.js';
import { sumTraces, type StageTotals } from './stages.js';

export type InferOutcome =
  | { kind: 'done'; outputs: BundleTensor[]; microBatches: number; stages: StageTotals[] }
  | { kind: 'ticket'; ticket: bigint };

/** A request that waits for its result to be fetched. */
export interface SubmitOutcome {
  kind: 'ok';
  ticket: bigint;
}

/** Runs a model and waits for its outputs; a result too large for a reply becomes a ticket. */
export async function infer(
  coordinator: Coordinator,
  modelName: string,
  inputs: Uint8Array,
): Promise<InferOutcome> {
  const { model, caller, entry, reply } = await enqueue(coordinator, 'wait', modelName, inputs);
  const { ic, requests, tickets } = coordinator;
  try {
    const result = readResult(reply);
    switch (result.status) {
      case 'done': {
        const stages = sumTraces(result.tasks, model.workers);
        const outputs = joinResult(
          model,
          result.tasks.map((task) => task.bundle),
        );
        const bytes = bundleBytes(outputs);
        if (bytes > maxMessageBytes) {
          throw new CoordinatorError(
            CanisterError.tooLarge,
            `the outputs take ${bytes} bytes, a reply holds ${maxMessageBytes}: use submit ` +
              `and fetch`,
          );
        }
        requests.succeed(entry, ic.now(), stages, model.workers, bytes);
        return { kind: 'done', outputs, microBatches: entry.microBatches, stages };
      }
      case 'failed':
        throw stageFailure(model.workers, result);
      case 'moved':
      case 'pending':
        tickets.add({
          id: entry.ticket,
          model: modelName,
          head: model.workers[0]!,
          keeper: keeperOf(model),
          caller,
          requestId: result.requestId,
        });
        return { kind: 'ticket', ticket: entry.ticket };
    }
  } catch (error) {
    requests.fail(entry, ic.now(), errorRecord(error));
    throw error;
  }
}

/** Queues a request and gives the ticket its result can be fetched with. */
export async function submit(
  coordinator: Coordinator,
  modelName: string,
  inputs: Uint8Array,
): Promise<SubmitOutcome> {
  const { model, caller, entry, reply } = await enqueue(coordinator, 'ticket', modelName, inputs);
  coordinator.tickets.add({
    id: entry.ticket,
    model: modelName,
    head: model.workers[0]!,
    keeper: keeperOf(model),
    caller,
    requestId: new ByteReader(reply, 'reply of enqueue').u64(),
  });
  return { kind: 'ok', ticket: entry.ticket };
}
