import { CanisterError, type RequestNumber } from '@canopy/protocol';
import { CoordinatorError } from '../error.js';
import { FairStore } from './fair-store.js';

/** Numbers remembered. */
export const numberLimit = 4096;

/** What is compared when a number comes again. */
export interface Asked {
  model: string;
  inputBytes: number;
  digest: bigint;
}

/** A request that came with a number. */
export interface NumberedRequest extends Asked {
  ticket: bigint;
}

/** A number and what it stands for; nothing where it was cancelled before a request came. */
interface Entry {
  owner: string;
  id: bigint;
  request: NumberedRequest | undefined;
}
export type SavedNumber = Entry;

const keyOf = (owner: string, id: bigint): string => `${id.toString()} ${owner}`;

/** The numbers that callers gave their requests. An owner is the caller's bytes as a text. */
export class NumberStore {
  private readonly entries = new FairStore<string, Entry>(numberLimit, ({ owner }) => owner);

  /**
   * The ticket of the request that this number stands for; undefined where it is new. Throws `bad-input`
   * where it stands for another request, `cancelled` where it was cancelled in advance.
   */
  ticketOf(
    owner: string,
    { id, digest }: RequestNumber,
    asked: Omit<Asked, 'digest'>,
  ): bigint | undefined {
    const entry = this.entries.find(keyOf(owner, id));
    if (entry === undefined) return undefined;
    const { request } = entry;
    if (request === undefined) {
      throw new CoordinatorError(
        { code: CanisterError.cancelled.code, retryable: false },
        `request number ${id.toString()} was cancelled before it came`,
      );
    }
    const same =
      request.model === asked.model &&
      request.inputBytes === asked.inputBytes &&
      request.digest === digest;
    if (same) return request.ticket;
    throw new CoordinatorError(
      CanisterError.badInput,
      `request number ${id.toString()} stands for another request (model "${request.model}", ` +
        `${request.inputBytes} bytes of inputs): take another number for each request`,
    );
  }

  add(owner: string, id: bigint, request: NumberedRequest | undefined): void {
    this.entries.add(keyOf(owner, id), { owner, id, request });
  }
  /** Whether the number is known, and the ticket of its request. */
  find(owner: string, id: bigint): { ticket: bigint | undefined } | undefined {
    const entry = this.entries.find(keyOf(owner, id));
    return entry && { ticket: entry.request?.ticket };
  }
  /** Makes a number free again: nothing was run for it. */
  free(owner: string, id: bigint): void {
    this.entries.remove(keyOf(owner, id));
  }

  /** For an upgrade. */
  save(): SavedNumber[] {
    return this.entries.values();
  }
  restore(saved: readonly SavedNumber[]): void {
    for (const { owner, id, request } of saved) this.add(owner, id, request);
  }
}
