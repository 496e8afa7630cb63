import { CanisterError, type QuotaRecord } from '@canopy/protocol';
import { callerText } from '../bytes/text-of-bytes.js';
import { CoordinatorError } from '../error.js';
import type { Ic, PrincipalLike } from '../ic/ic.js';
import type { AccessPolicy } from './policy.js';

const dayNs = 86_400_000_000_000n;
/** Callers whose use is counted. Where there are more, the count of who came first begins anew. */
export const countedCallers = 4096;
/**
 * Requests of one caller that are on their way to a head. The Internet Computer lets 500 calls to a canister
 * wait, so that no caller alone takes all of them.
 */
export const mostOnTheWay = 240;

interface Used {
  requests: number;
  instructions: bigint;
}

/** What callers with a quota have used today (UTC), and how many requests of each are being handed over. */
export class Usage {
  private day = 0n;
  private used = new Map<string, Used>();
  private readonly onTheWay = new Map<string, number>();

  constructor(
    private readonly ic: Ic,
    private readonly policy: AccessPolicy,
  ) {}

  /** What a caller has used today. */
  today(caller: PrincipalLike): Readonly<Used> {
    const isToday = this.day === this.ic.now() / dayNs;
    return (isToday && this.used.get(callerText(caller))) || { requests: 0, instructions: 0n };
  }

  /** Throws {@link CoordinatorError} `quota` or `busy` where a caller may not make another request now. */
  check(caller: PrincipalLike, predicted: number): void {
    const waiting = this.onTheWay.get(callerText(caller));
    if (waiting !== undefined && waiting >= mostOnTheWay) {
      throw new CoordinatorError(
        CanisterError.busy,
        `${waiting} requests of this caller are being handed to workers: try later`,
      );
    }
    const quota = this.policy.quotaOf(caller);
    const [requests] = quota.requests_a_day;
    const [instructions] = quota.instructions_a_day;
    if (requests === undefined && instructions === undefined) return;
    const used = this.today(caller);
    if (requests !== undefined && BigInt(used.requests) >= requests) {
      refuse(`${used.requests} of ${requests.toString()} requests`);
    }
    if (instructions !== undefined && used.instructions + BigInt(predicted) > instructions) {
      refuse(
        `${used.instructions.toString()} of ${instructions.toString()} instructions, and this request takes ` +
          `about ${predicted}`,
      );
    }
  }

  /** A request is handed to a head. */
  leaves(caller: string): void {
    this.onTheWay.set(caller, (this.onTheWay.get(caller) ?? 0) + 1);
  }
  /** It reached one, or did not. */
  arrived(caller: string): void {
    const left = (this.onTheWay.get(caller) ?? 1) - 1;
    if (left === 0) this.onTheWay.delete(caller);
    else this.onTheWay.set(caller, left);
  }

  /** Counts a request of a caller who has a quota; undefined: there is none. */
  charge(caller: PrincipalLike, predicted: number): Charge | undefined {
    if (isNone(this.policy.quotaOf(caller))) return undefined;
    const text = callerText(caller);
    const instructions = BigInt(predicted);
    this.add(text, 1, instructions);
    return new Charge(this, text, { day: this.day, predicted: instructions });
  }

  /** Counts what a caller took, or, where it is negative, gives it back. */
  add(text: string, requests: number, instructions: bigint): void {
    const today = this.ic.now() / dayNs;
    if (today !== this.day) {
      this.day = today;
      this.used.clear();
    }
    const used = this.used.get(text) ?? { requests: 0, instructions: 0n };
    used.requests += requests;
    used.instructions += instructions;
    this.used.set(text, used);
    if (this.used.size > countedCallers) this.used.delete(this.used.keys().next().value!);
  }

  /** Corrects what was counted on a day, where that is today. */
  correct(text: string, day: bigint, requests: number, instructions: bigint): void {
    if (day === this.ic.now() / dayNs && this.used.has(text))
      this.add(text, requests, instructions);
  }

  save(): SavedUsage {
    return { day: this.day, used: [...this.used] };
  }
  restore({ day, used }: SavedUsage): void {
    this.day = day;
    this.used = new Map(used);
  }
}

export interface SavedUsage {
  day: bigint;
  used: [string, Used][];
}

/** What a request was counted with. */
export class Charge {
  constructor(
    private readonly usage: Usage,
    private readonly caller: string,
    /** Undefined: it is settled. */
    private counted: { day: bigint; predicted: bigint } | undefined,
  ) {}

  /** Nothing was run. */
  giveBack(): void {
    this.settle(-1, 0n);
  }
  /** What was predicted gives way to what it took. */
  took(instructions: bigint): void {
    this.settle(0, instructions);
  }

  private settle(requests: number, instructions: bigint): void {
    const { counted } = this;
    this.counted = undefined;
    if (counted === undefined) return;
    this.usage.correct(this.caller, counted.day, requests, instructions - counted.predicted);
  }
}

function isNone(quota: QuotaRecord): boolean {
  return quota.requests_a_day.length === 0 && quota.instructions_a_day.length === 0;
}

function refuse(used: string): never {
  throw new CoordinatorError(
    CanisterError.quota,
    `the quota of this caller for today is used up: ${used}; the day ends at midnight UTC`,
  );
}
