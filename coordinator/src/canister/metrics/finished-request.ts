/**
 * A request as it is kept once it was answered. Of the many objects a request is made of only a few
 * remain: what the log takes is spread over pages of memory that every message pays for.
 */
import { callerText, textAsBytes } from '../bytes/text-of-bytes.js';
import type { PrincipalLike } from '../ic/ic.js';
import type { StageTotals } from '../pipeline/stages.js';
import type { LoggedRequest } from './logged-request.js';

/** Numbers kept of a stage. */
const countsPerStage = 5;

export interface FinishedRequest extends Omit<LoggedRequest, 'caller' | 'stages' | 'error'> {
  /** Bytes of the principal, a character each. */
  caller: string;
  workers: readonly PrincipalLike[];
  /** For each stage instructions, messages, bytes received, bytes sent, scratch bytes. */
  counts: readonly number[];
}

/** @param workers of the stages, in order; an array that many requests share */
export function packRequest(
  request: LoggedRequest,
  workers: readonly PrincipalLike[],
): FinishedRequest {
  const counts: number[] = [];
  for (const stage of request.stages) {
    counts.push(Number(stage.instructions), stage.messages, stage.bytesReceived);
    counts.push(stage.bytesSent, stage.scratchBytes);
  }
  return {
    ticket: request.ticket,
    model: request.model,
    caller: callerText(request.caller),
    receivedAtNs: request.receivedAtNs,
    finishedAtNs: request.finishedAtNs!,
    microBatches: request.microBatches,
    bytesReceived: request.bytesReceived,
    bytesSent: request.bytesSent,
    workers,
    counts,
  };
}

/** Inverse of {@link packRequest}. */
export function unpackRequest(
  { workers, counts, caller, ...request }: FinishedRequest,
  toPrincipal: (bytes: Uint8Array) => PrincipalLike,
): LoggedRequest {
  const stages: StageTotals[] = [];
  for (let at = 0; at < counts.length; at += countsPerStage) {
    stages.push({
      worker: workers[at / countsPerStage]!,
      instructions: BigInt(counts[at]!),
      messages: counts[at + 1]!,
      bytesReceived: counts[at + 2]!,
      bytesSent: counts[at + 3]!,
      scratchBytes: counts[at + 4]!,
    });
  }
  return { ...request, caller: toPrincipal(textAsBytes(caller)), stages };
}
