import type { CoordinatorErrorRecord } from '@canopy/protocol';
import type { PrincipalLike } from '../ic/ic.js';
import type { StageTotals } from '../pipeline/stages.js';

/** What is known of a request. */
export interface LoggedRequest {
  ticket: bigint;
  model: string;
  caller: PrincipalLike;
  receivedAtNs: bigint;
  finishedAtNs?: bigint;
  microBatches: number;
  bytesReceived: number;
  bytesSent: number;
  stages: StageTotals[];
  error?: CoordinatorErrorRecord;
}
