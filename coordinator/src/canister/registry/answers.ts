import { ByteWriter, ResultStatus, type CoordinatorErrorRecord } from '@canopy/protocol';
import { callerText } from '../bytes/text-of-bytes.js';
import type { PrincipalLike } from '../ic/ic.js';
import { FairStore } from './fair-store.js';

/** Bytes of results kept here. */
export const answerLimit = 4 * 1024 * 1024;
/** What an answer takes besides its bytes, roughly. */
const answerOverhead = 256;

/** How a numbered request ended whose workers forget it once they answered. */
export interface Answer {
  caller: PrincipalLike;
  /** An encoded `Result`. */
  bytes: Uint8Array;
}

/**
 * Answers of numbered requests that were given at once, by ticket: who lost one asks again and fetches it
 * from here.
 */
export class AnswerStore {
  private readonly answers = new FairStore<bigint, Answer>(
    answerLimit,
    ({ caller }) => callerText(caller),
    ({ bytes }) => bytes.length + answerOverhead,
  );

  add(ticket: bigint, caller: PrincipalLike, bytes: Uint8Array): void {
    this.answers.add(ticket, { caller, bytes });
  }
  find(ticket: bigint): Answer | undefined {
    return this.answers.find(ticket);
  }
  remove(ticket: bigint): void {
    this.answers.remove(ticket);
  }
  /** The oldest first. */
  tickets(): bigint[] {
    return this.answers.keys();
  }
}

/** A failed `Result` of a request that came to no worker. */
export function failedResult({ code, message }: CoordinatorErrorRecord): Uint8Array {
  return new ByteWriter()
    .u32(ResultStatus.failed)
    .u64(0n)
    .u32(0)
    .text(`[${code}] ${message}`)
    .finish();
}
