import type { UserError } from '../errors.js';

/** State of an update call from outside. */
export type IngressStatus =
  | { readonly status: 'unknown' }
  | { readonly status: 'received' | 'processing' }
  | { readonly status: 'replied'; readonly reply: Uint8Array }
  | { readonly status: 'rejected'; readonly error: UserError };

/** A known ingress message: its state, and who sent it to which canister. */
export interface IngressRecord {
  readonly messageId: Uint8Array;
  readonly sender: Uint8Array;
  readonly receiver: Uint8Array;
  status: IngressStatus;
  /** When the status was last set, nanoseconds. */
  changedAt: bigint;
}

/** States of the update calls of one subnet, by message id in hex. */
export class IngressHistory {
  private readonly records = new Map<string, IngressRecord>();

  get(messageKey: string): IngressRecord | undefined {
    return this.records.get(messageKey);
  }

  add(messageKey: string, record: IngressRecord): void {
    this.records.set(messageKey, record);
  }

  set(messageKey: string, status: IngressStatus, now: bigint): void {
    const record = this.records.get(messageKey);
    if (!record) return;
    record.status = status;
    record.changedAt = now;
  }

  entries(): Iterable<[string, IngressRecord]> {
    return this.records;
  }

  get size(): number {
    return this.records.size;
  }
}
