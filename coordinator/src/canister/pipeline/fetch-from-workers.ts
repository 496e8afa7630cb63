import { CanisterError, decodeFetchReply, encodeFetch, type FetchReply } from '@canopy/protocol';
import { CoordinatorError } from '../error.js';
import type { Ic } from '../ic/ic.js';
import type { Place, Placed } from '../registry/tickets.js';
import { callWorker } from './call-worker.js';

/**
 * Asks where the result is kept; what is not there, the head: it waits, or failed. Where the head does
 * not know it any more, it was done in between, or is lost.
 */
export async function fetchFromWorkers(
  ic: Ic,
  { head, keeper, requestId, epoch }: Placed,
  offset: number,
  length: number,
): Promise<FetchReply> {
  const request = encodeFetch(epoch, requestId, offset, length);
  const ask = async ({ worker, stage }: Place): Promise<FetchReply> =>
    decodeFetchReply(await callWorker(ic, worker, stage, 'fetch', request));
  const kept = await ask(keeper);
  if (kept.finished || keeper.stage === 0) return kept;
  try {
    return await ask({ worker: head, stage: 0 });
  } catch (error) {
    if (!isUnknownRequest(error)) throw error;
    const again = await ask(keeper);
    if (again.finished) return again;
    throw error;
  }
}

function isUnknownRequest(error: unknown): boolean {
  return error instanceof CoordinatorError && error.kind.code === CanisterError.unknownRequest.code;
}
