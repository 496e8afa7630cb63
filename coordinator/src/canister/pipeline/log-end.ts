/** How requests end, for the log: workers tell it of each that is released, and of those that end unasked. */
import {
  CanisterError,
  RunEnd,
  type EndedRun,
  type Result,
  type StageTrace,
} from '@canopy/protocol';
import { CoordinatorError, errorRecord } from '../error.js';
import { samePrincipal, type Ic, type PrincipalLike } from '../ic/ic.js';
import type { LoggedRequest } from '../metrics/logged-request.js';
import type { RequestLog } from '../metrics/requests.js';
import type { ModelRegistry, Pipeline } from '../registry/models.js';
import type { Ticket, TicketStore } from '../registry/tickets.js';
import { stageFailure, sumTraces } from './stages.js';

/** What it takes of the coordinator to log how a request ended. */
export interface Logging {
  ic: Ic;
  requests: RequestLog;
  models: ModelRegistry;
  tickets: TicketStore;
}

/** The request, where the log knows it and not yet how it ended. */
export function openEntry({ requests }: Logging, ticket: bigint): LoggedRequest | undefined {
  const entry = requests.find(ticket);
  return entry?.finishedAtNs === undefined ? entry : undefined;
}

/** The workers of a model's pipeline; none where it is not registered any more, or cannot be read. */
function pipelineOf({ models }: Logging, model: string, head: PrincipalLike): Pipeline {
  return models.find(model)?.pipelineOf(head) ?? [];
}

/** Logs how a ticket's request ended, unless that is known. */
export function logEnd(
  logging: Logging,
  { id, placed }: Ticket,
  result: Result,
  byteLength: number,
): void {
  const entry = openEntry(logging, id);
  if (entry === undefined || placed === undefined) return;
  const pipeline = pipelineOf(logging, entry.model, placed.head);
  if (result.status === 'failed') logFailure(logging, entry, stageFailure(pipeline, result));
  else if (result.status === 'done') {
    logSuccess(logging, entry, pipeline, result.tasks, byteLength);
  }
}

function logSuccess(
  { requests, ic }: Logging,
  entry: LoggedRequest,
  pipeline: Pipeline,
  tasks: readonly { traces: readonly StageTrace[] }[],
  byteLength: number,
): void {
  const stages = sumTraces(tasks, pipeline).filter((_, stage) => stage < pipeline.length);
  requests.succeed(entry, ic.now(), stages, pipeline, byteLength);
}

export function logFailure({ requests, ic }: Logging, entry: LoggedRequest, error: unknown): void {
  requests.fail(entry, ic.now(), errorRecord(error));
}

/**
 * Logs how a request ended by what its worker says when it is released; undefined where that can no longer
 * say.
 */
export function logReleased(
  logging: Logging,
  ticket: bigint,
  head: PrincipalLike,
  ended: EndedRun | undefined,
): void {
  const entry = openEntry(logging, ticket);
  if (entry === undefined) return;
  const pipeline = pipelineOf(logging, entry.model, head);
  if (ended?.end === RunEnd.done) {
    logSuccess(logging, entry, pipeline, [ended], ended.byteLength);
    return;
  }
  if (ended !== undefined) entry.stages = sumTraces([ended], pipeline);
  logFailure(logging, entry, reasonOf(ended, pipeline));
}

function reasonOf(ended: EndedRun | undefined, pipeline: Pipeline): CoordinatorError {
  if (ended?.end === RunEnd.failed) return stageFailure(pipeline, ended);
  return ended?.end === RunEnd.cancelled ? cancelled() : forgotten();
}

/** {@link logReleased} of a request that ended at a worker unasked: only the workers' number of it is known. */
export function logUnasked(logging: Logging, head: PrincipalLike, ended: EndedRun): void {
  const ticket = logging.tickets
    .all()
    .find(
      ({ placed }) => placed?.requestId === ended.requestId && samePrincipal(placed.head, head),
    );
  if (ticket) logReleased(logging, ticket.id, head, ended);
}

/** Why a request ended that was released before it was done. */
export function cancelled(): CoordinatorError {
  return new CoordinatorError(
    CanisterError.cancelled,
    'the caller released the request before it was done',
  );
}

function forgotten(): CoordinatorError {
  return new CoordinatorError(
    CanisterError.unknownRequest,
    'the workers do not know the request any more: newer results pushed it out, or they were installed anew',
  );
}
