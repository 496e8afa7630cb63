import { CanisterError, ByteReader, maxMessageBytes, type BundleTensor } from '@canopy/protocol';
import { bundleBytes } from '../bytes/bundle-writer.js';
import type { Coordinator } from '../coordinator.js';
import { CoordinatorError, errorRecord } from '../error.js';
import { keeperOf, type Ticket } from '../registry/tickets.js';
import { readResult } from './read-result.js';
import { enqueue, joinResult, stageFailure, type Enqueued } from './request.js';
import { sumTraces, type StageTotals } from './stages.js';

export type InferOutcome =
  | { kind: 'done'; outputs: BundleTensor[]; microBatches: number; stages: StageTotals[] }
  | { kind: 'ticket'; ticket: bigint };

/** A request that waits for its result to be fetched. */
export interface SubmitOutcome {
  kind: 'ok';
  ticket: bigint;
}

/** @param requestId the head's number of the request */
function makeTicket({ model, pipeline, caller, entry }: Enqueued, requestId: bigint): Ticket {
  return {
    id: entry.ticket,
    model: model.name,
    head: pipeline[0]!,
    keeper: keeperOf(model.plan, pipeline),
    caller,
    requestId,
    epoch: model.epoch,
  };
}

/** Runs a model and waits for its outputs; a result too large for a reply becomes a ticket. */
export async function infer(
  coordinator: Coordinator,
  modelName: string,
  inputs: Uint8Array,
): Promise<InferOutcome> {
  const enqueued = await enqueue(coordinator, 'wait', modelName, inputs);
  const { model, pipeline, entry, reply } = enqueued;
  const { ic, requests, tickets } = coordinator;
  try {
    const result = readResult(reply);
    switch (result.status) {
      case 'done': {
        const stages = sumTraces(result.tasks, pipeline);
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
        requests.succeed(entry, ic.now(), stages, pipeline, bytes);
        return { kind: 'done', outputs, microBatches: entry.microBatches, stages };
      }
      case 'failed':
        throw stageFailure(pipeline, result);
      case 'moved':
      case 'pending':
        tickets.add(makeTicket(enqueued, result.requestId));
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
  const enqueued = await enqueue(coordinator, 'ticket', modelName, inputs);
  const requestId = new ByteReader(enqueued.reply, 'reply of enqueue').u64();
  coordinator.tickets.add(makeTicket(enqueued, requestId));
  return { kind: 'ok', ticket: enqueued.entry.ticket };
}
