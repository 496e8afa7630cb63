import { certifiedIc } from '../certification/index.js';
import type { Ic, IngressCall } from '../ic.js';
import { idKey } from '../principal.js';
import type { IngressStatus, Subnet, SubnetSpec } from '../state/index.js';
import { installSystemCanisters } from '../system-canisters/index.js';
import type { CostSchedule } from '../wasm/index.js';
import { AutoProgress } from './auto-progress.js';

/** Status of a message that will not change any more. */
export type Answered = Extract<IngressStatus, { status: 'replied' | 'rejected' }>;

export interface InstanceOptions {
  readonly subnets: readonly SubnetSpec[];
  readonly costs: CostSchedule;
  readonly initialTimeNs?: bigint;
  /** Whether there are a cycles ledger, a cycles minting canister and an ICP ledger. */
  readonly systemCanisters?: boolean;
}

/** One embedded IC with what the server adds to it: progress on its own, and waiting for answers. */
export class Instance {
  readonly ic: Ic;
  readonly progress: AutoProgress;
  readonly #waiting = new Map<string, ((status: Answered) => void)[]>();

  constructor(
    readonly id: number,
    options: InstanceOptions,
  ) {
    this.ic = certifiedIc({
      subnets: options.subnets,
      costs: options.costs,
      ...(options.initialTimeNs === undefined ? {} : { initialTimeNs: options.initialTimeNs }),
    });
    if (options.systemCanisters === true) installSystemCanisters(this.ic);
    this.progress = new AutoProgress(() => {
      this.#liveRound();
    });
  }

  /** Executes one round. */
  tick(): void {
    this.ic.tick();
    this.#wake();
  }

  /** Submits a message; on a live instance a round follows at once. */
  submit(call: IngressCall): Uint8Array {
    const { messageId } = this.ic.submitIngress(call);
    this.progress.hurry();
    return messageId;
  }

  answered(messageId: Uint8Array): Answered | undefined {
    const status = this.ic.ingressStatus(messageId);
    return status.status === 'replied' || status.status === 'rejected' ? status : undefined;
  }

  /** Waits for an answer on a live instance; undefined after `ms`. */
  async waitFor(messageId: Uint8Array, ms: number): Promise<Answered | undefined> {
    const now = this.answered(messageId);
    if (now !== undefined) return now;
    const key = idKey(messageId);
    return new Promise((resolve) => {
      const timer = setTimeout(() => {
        this.#waiting.delete(key);
        resolve(undefined);
      }, ms);
      const done = (status: Answered): void => {
        clearTimeout(timer);
        resolve(status);
      };
      this.#waiting.set(key, [...(this.#waiting.get(key) ?? []), done]);
    });
  }

  /** The subnet that takes calls without a canister: the first application subnet. */
  defaultSubnet(): Subnet {
    const { subnets } = this.ic;
    for (const kind of ['application', 'verified_application', 'system'] as const) {
      const found = subnets.find((subnet) => subnet.kind === kind);
      if (found) return found;
    }
    return subnets[0]!;
  }

  stop(): void {
    this.progress.stop();
  }

  /** A round at the present time of day. */
  #liveRound(): void {
    const now = BigInt(Date.now()) * 1_000_000n;
    if (now > this.ic.timeNs) this.ic.setTime(now);
    this.tick();
    if (this.#waiting.size > 0) this.progress.hurry();
  }

  #wake(): void {
    for (const [key, waiters] of this.#waiting) {
      const status = this.answered(new Uint8Array(Buffer.from(key, 'hex')));
      if (status === undefined) continue;
      this.#waiting.delete(key);
      for (const wake of waiters) wake(status);
    }
  }
}
