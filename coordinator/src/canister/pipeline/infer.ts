import {
  ByteReader,
  CanisterError,
  decodeEndedRuns,
  maxMessageBytes,
  type BundleTensor,
  type RequestNumber,
} from '@canopy/protocol';
import { bundleBytes } from '../bytes/bundle-writer.js';
import type { Coordinator } from '../coordinator.js';
import { CoordinatorError, errorRecord } from '../error.js';
import { failedResult } from '../registry/answers.js';
import { goesTogether, place } from './hand-over.js';
import { logUnasked } from './log-end.js';
import { readResult } from './read-result.js';
import { admit, enqueue, joinResult, type Enqueued } from './request.js';
import { stageFailure, sumTraces, type StageTotals } from './stages.js';

export type InferOutcome =
  | { kind: 'done'; outputs: BundleTensor[]; microBatches: number; stages: StageTotals[] }
  | { kind: 'ticket'; ticket: bigint };

/** A request that waits for its result to be fetched. */
export interface SubmitOutcome {
  kind: 'ok';
  ticket: bigint;
}

/** Keeps the answer of a numbered request that its head has forgotten, for a caller who loses it. */
function keepAnswer(
  { tickets, answers }: Coordinator,
  enqueued: Enqueued,
  bytes: Uint8Array,
): void {
  const { ticket, isKnown } = enqueued;
  if (!isKnown || tickets.find(ticket.id) !== ticket) return;
  tickets.remove(ticket.id);
  answers.add(ticket.id, ticket.caller, bytes);
}

/** Logs why a request came to nothing that a head has taken. */
function fails(coordinator: Coordinator, enqueued: Enqueued, error: unknown): void {
  const { entry } = enqueued;
  const record = errorRecord(error);
  coordinator.requests.fail(entry, coordinator.ic.now(), record);
  keepAnswer(coordinator, enqueued, failedResult(record));
}

/**
 * Runs a model and waits for its outputs. A result too large for a reply becomes a ticket, and so does a
 * request that came with the same number before, that goes to its head together with others, or that waits
 * for a head.
 */
export async function infer(
  coordinator: Coordinator,
  modelName: string,
  inputs: Uint8Array,
  number?: RequestNumber,
): Promise<InferOutcome> {
  const admitted = await admit(coordinator, modelName, inputs, number);
  if ('earlier' in admitted) return { kind: 'ticket', ticket: admitted.earlier };
  if (goesTogether(coordinator, admitted)) return { kind: 'ticket', ticket: admitted.ticket.id };
  const enqueued = await enqueue(coordinator, 'wait', admitted);
  if (enqueued === 'waits') return { kind: 'ticket', ticket: admitted.ticket.id };
  const { model, pipeline, entry, ticket, reply } = enqueued;
  const { ic, requests } = coordinator;
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
        keepAnswer(coordinator, enqueued, reply);
        return { kind: 'done', outputs, microBatches: entry.microBatches, stages };
      }
      case 'failed':
        throw stageFailure(pipeline, result);
      case 'moved':
      case 'pending':
        place(coordinator, enqueued, pipeline, result.requestId);
        return { kind: 'ticket', ticket: ticket.id };
    }
  } catch (error) {
    fails(coordinator, enqueued, error);
    throw error;
  }
}

/** Queues a request and gives the ticket its result can be fetched with. */
export async function submit(
  coordinator: Coordinator,
  modelName: string,
  inputs: Uint8Array,
  number?: RequestNumber,
): Promise<SubmitOutcome> {
  const admitted = await admit(coordinator, modelName, inputs, number);
  if ('earlier' in admitted) return { kind: 'ok', ticket: admitted.earlier };
  const { ticket } = admitted;
  if (goesTogether(coordinator, admitted)) return { kind: 'ok', ticket: ticket.id };
  const enqueued = await enqueue(coordinator, 'ticket', admitted);
  if (enqueued === 'waits') return { kind: 'ok', ticket: ticket.id };
  const { pipeline, reply } = enqueued;
  try {
    const input = new ByteReader(reply, 'reply of enqueue');
    place(coordinator, enqueued, pipeline, input.u64());
    for (const ended of decodeEndedRuns(input)) logUnasked(coordinator, pipeline[0]!, ended);
  } catch (error) {
    fails(coordinator, enqueued, error);
    throw error;
  }
  return { kind: 'ok', ticket: ticket.id };
}
