/** How requests end that are released or cancelled: reading a result by queries leaves no trace. */
import {
  ByteReader,
  CanisterError,
  ResultStatus,
  decodeResult,
  decodeTrace,
  stageTraceBytes,
  type Result,
  type StageTrace,
} from '@canopy/protocol';
import type { Coordinator } from '../coordinator.js';
import { CoordinatorError, errorRecord } from '../error.js';
import { CleanupOnly } from '../ic/ic.js';
import type { Pipeline } from '../registry/models.js';
import type { Placed, Ticket } from '../registry/tickets.js';
import { fetchFromWorkers } from './fetch-from-workers.js';
import { stageFailure } from './request.js';
import { sumTraces } from './stages.js';

/** Results up to this size are read whole for their traces. */
const smallResultBytes = 16 * 1024;

interface Ended {
  tasks: { traces: readonly StageTrace[] }[];
  byteLength: number;
}

/** The workers of a ticket's pipeline; none where its model is not registered any more, or cannot be read. */
function pipelineOf({ models }: Coordinator, { model, placed }: Ticket): Pipeline {
  if (placed === undefined) return [];
  return models.find(model)?.pipelineOf(placed.head) ?? [];
}

/** Logs how a ticket's request ended, unless that is known. */
export function logEnd(
  coordinator: Coordinator,
  ticket: Ticket,
  result: Result,
  byteLength: number,
): void {
  const pipeline = pipelineOf(coordinator, ticket);
  if (result.status === 'failed') logFailure(coordinator, ticket, stageFailure(pipeline, result));
  else if (result.status === 'done') {
    logSuccess(coordinator, ticket, { tasks: result.tasks, byteLength });
  }
}

function logSuccess(coordinator: Coordinator, ticket: Ticket, { tasks, byteLength }: Ended): void {
  const entry = coordinator.requests.find(ticket.id);
  if (entry === undefined) return;
  const pipeline = pipelineOf(coordinator, ticket);
  const stages = sumTraces(tasks, pipeline).filter((_, stage) => stage < pipeline.length);
  coordinator.requests.succeed(entry, coordinator.ic.now(), stages, pipeline, byteLength);
}

function logFailure(coordinator: Coordinator, ticket: Ticket, error: unknown): void {
  const entry = coordinator.requests.find(ticket.id);
  if (entry === undefined) return;
  coordinator.requests.fail(entry, coordinator.ic.now(), errorRecord(error));
}

/**
 * Has the workers forget a request whose caller has the result. Where it was read by queries alone it is
 * logged without what its stages did: asking the workers for each would take rounds from the stages.
 */
export function forget(coordinator: Coordinator, ticket: Ticket): void {
  const { placed } = ticket;
  if (placed === undefined) {
    void settle(coordinator, ticket);
    return;
  }
  coordinator.releases.add(placed);
  const entry = coordinator.requests.find(ticket.id);
  if (entry === undefined || entry.finishedAtNs !== undefined) return;
  coordinator.requests.succeed(entry, coordinator.ic.now(), [], [], 0);
}

/**
 * Has the workers forget a cancelled request; before, asks them how it ended and what it cost, where the
 * log does not say. One that is not done is cancelled, and logged so.
 */
export async function settle(coordinator: Coordinator, ticket: Ticket): Promise<void> {
  const { placed } = ticket;
  const entry = coordinator.requests.find(ticket.id);
  const isOpen = entry !== undefined && entry.finishedAtNs === undefined;
  const cancelled = new CoordinatorError(
    CanisterError.cancelled,
    'the caller released the request before it was done',
  );
  if (placed === undefined || !isOpen) {
    // One on its way to the head is released when the head answers.
    if (placed === undefined) logFailure(coordinator, ticket, cancelled);
    else coordinator.releases.add(placed);
    return;
  }
  coordinator.settling.add(placed);
  try {
    const ended = await readEnd(coordinator, placed);
    if (ended === undefined) logFailure(coordinator, ticket, cancelled);
    else if ('status' in ended) logEnd(coordinator, ticket, ended, 0);
    else logSuccess(coordinator, ticket, ended);
  } catch (error) {
    if (error instanceof CleanupOnly) return;
    logFailure(coordinator, ticket, error);
  }
  coordinator.settling.delete(placed);
  coordinator.releases.add(placed);
}

/**
 * What a finished request cost, or why it failed; undefined where it is not finished. Of large results
 * only the traces are read, not the tensors between them.
 */
async function readEnd(
  coordinator: Coordinator,
  placed: Placed,
): Promise<Ended | Extract<Result, { status: 'failed' }> | undefined> {
  const head = await fetchFromWorkers(coordinator.ic, placed, 0, smallResultBytes);
  if (!head.finished) return undefined;
  const { byteLength } = head;
  const start = new ByteReader(head.part, 'result');
  const status = start.u32();
  if (status === ResultStatus.failed || head.part.length === byteLength) {
    const result = decodeResult(head.part);
    if (result.status === 'failed') return result;
    return { tasks: result.status === 'done' ? result.tasks : [], byteLength };
  }
  start.u64();
  const count = start.u32();
  /** Traces of a task and the length of its bundle: as many bytes for each, one trace a stage. */
  const traceCount = start.u32();
  const headerBytes = 4 + traceCount * stageTraceBytes + 4;
  const tasks: Ended['tasks'] = [];
  let at = start.offset - 4;
  for (let task = 0; task < count; task++) {
    const isHere = at + headerBytes <= head.part.length;
    const bytes = isHere
      ? head.part.subarray(at)
      : (await fetchFromWorkers(coordinator.ic, placed, at, headerBytes)).part;
    const input = new ByteReader(bytes, 'traces of a result');
    if (input.u32() !== traceCount) throw new Error('micro-batches passed unequally many stages');
    tasks.push({ traces: Array.from({ length: traceCount }, () => decodeTrace(input)) });
    at += headerBytes + input.u32();
  }
  return { tasks, byteLength };
}
