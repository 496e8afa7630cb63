/** Transactions are told apart for so long. */
const WINDOW_NS = 24n * 3600n * 1_000_000_000n;
/** Clocks may differ by so much. */
const DRIFT_NS = 60_000_000_000n;

/** Why a transaction with a time of creation is refused. */
export type TimeRefusal =
  { readonly TooOld: null } | { readonly CreatedInFuture: { readonly ledger_time: bigint } };

interface Seen<T> {
  readonly at: bigint;
  readonly result: T;
}

/** The transactions of the last day that carry a time of creation: the same one is not made twice. */
export class RecentTransactions<T> {
  readonly #seen = new Map<string, Seen<T>>();

  /** Whether a time of creation is acceptable; undefined when it is, or is not given. */
  refusal(createdAt: bigint | undefined, nowNs: bigint): TimeRefusal | undefined {
    if (createdAt === undefined) return undefined;
    if (createdAt + WINDOW_NS + DRIFT_NS < nowNs) return { TooOld: null };
    if (createdAt > nowNs + DRIFT_NS) return { CreatedInFuture: { ledger_time: nowNs } };
    return undefined;
  }

  /** The result of the same transaction, if it was made before. */
  find(createdAt: bigint | undefined, transaction: string): T | undefined {
    return createdAt === undefined ? undefined : this.#seen.get(transaction)?.result;
  }

  note(createdAt: bigint | undefined, nowNs: bigint, transaction: string, result: T): void {
    if (createdAt === undefined) return;
    for (const [key, { at }] of this.#seen) {
      if (at + WINDOW_NS + DRIFT_NS >= nowNs) break;
      this.#seen.delete(key);
    }
    this.#seen.set(transaction, { at: createdAt, result });
  }
}

/** A transaction in words that are equal for equal ones. */
export function transactionKey(caller: Uint8Array, method: string, args: object): string {
  return JSON.stringify([method, caller, args], (_, value: unknown) => {
    if (typeof value === 'bigint') return `${value}n`;
    return value instanceof Uint8Array ? Buffer.from(value).toString('hex') : value;
  });
}
