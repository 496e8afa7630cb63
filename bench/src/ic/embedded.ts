import { CallRejected, type Transport } from '@canopy/client';
import {
  Ic,
  principalFromText,
  principalToText,
  UserError,
  type ExecutedSlice,
} from '@canopy/local-ic';
import type { Observation } from '../measure/observation.js';
import type { CostSchedule, IcAbout, Memory } from '../results/schema.js';
import { nextFullHour, type Answer, type PendingCall, type RoundIc } from './round-ic.js';
import { management, roundTransport, type RoundCalls } from './round-transport.js';

const secondNs = 1_000_000_000n;
const wasmPageBytes = 65536;
const smallPageBytes = 4096;
/** Charges for pages; `page-costs.json` of the embedded IC. */
const wasmPageTouched = 80_000;
const changedPage = 1000;
/** Rounds in which canisters that have something to do must come to an end. */
const patience = 2000;

/** The embedded IC in this process: one application subnet whose rounds take a second. */
export class EmbeddedIc implements RoundIc, RoundCalls {
  readonly ic: Ic;
  readonly unit = 'round';
  readonly about: IcAbout;
  round = 0;

  constructor(costSchedule: CostSchedule, version: string | null = null) {
    this.about = { kind: 'embedded', version, url: null };
    this.ic = new Ic({ subnets: [{ kind: 'application' }], costs: costSchedule });
    // Times to the nanosecond as on a server: canisters spend instructions on their digits.
    this.ic.firstRound();
  }

  tick(): Promise<void> {
    this.ic.advanceTime(secondNs);
    this.ic.tick();
    this.round++;
    return Promise.resolve();
  }

  submit(sender: string, canister: string, method: string, arg: Uint8Array): Promise<PendingCall> {
    return this.send(sender, canister, method, arg);
  }

  // eslint-disable-next-line @typescript-eslint/require-await -- what it throws is to reject
  async send(
    sender: string,
    canister: string,
    method: string,
    arg: Uint8Array,
    effectiveCanister?: string,
  ): Promise<PendingCall> {
    const call = {
      sender: principalFromText(sender),
      canisterId: canister === management ? new Uint8Array() : principalFromText(canister),
      method,
      arg,
    };
    const { messageId } = this.ic.submitIngress({
      ...call,
      ...(canister === management &&
        (effectiveCanister === undefined
          ? { subnetId: this.ic.subnets[0]!.id }
          : { effectiveCanisterId: principalFromText(effectiveCanister) })),
    });
    return { poll: () => Promise.resolve(this.answer(messageId)) };
  }

  private answer(messageId: Uint8Array): Answer | undefined {
    const status = this.ic.ingressStatus(messageId);
    switch (status.status) {
      case 'replied':
        return { kind: 'reply', reply: status.reply };
      case 'rejected': {
        const { rejectCode, message } = status.error;
        return { kind: 'reject', code: rejectCode, message };
      }
      case 'unknown':
      case 'received':
      case 'processing':
        return undefined;
    }
  }

  transport(sender: string): Transport {
    return roundTransport(this, sender);
  }

  /**
   * Executes rounds until no canister has anything to do, so that what follows does not depend on when;
   * no time passes.
   */
  // eslint-disable-next-line @typescript-eslint/require-await -- other ICs wait
  async settle(): Promise<void> {
    const canisters = [...this.ic.subnets[0]!.canisters.values()];
    const isBusy = (): boolean =>
      canisters.some((canister) => canister.queues.hasInput() || canister.paused !== undefined);
    // What was sent from outside is in no queue before the next round.
    this.ic.tick();
    for (let rounds = 1; isBusy() && rounds < patience; rounds++) this.ic.tick();
  }

  // eslint-disable-next-line @typescript-eslint/require-await -- what it throws is to reject
  async query(
    sender: string,
    canister: string,
    method: string,
    arg: Uint8Array,
  ): Promise<Uint8Array> {
    const call = { sender: principalFromText(sender), canisterId: principalFromText(canister) };
    try {
      return this.ic.query({ ...call, method, arg });
    } catch (error) {
      if (error instanceof UserError) throw new CallRejected(error.rejectCode, error.message);
      throw error;
    }
  }

  cyclesBalance(canister: string): Promise<bigint> {
    return Promise.resolve(this.ic.cyclesBalance(principalFromText(canister)));
  }

  /**
   * Forgets who was served before and charges for memory up to now, so that a run does not depend on
   * those before it.
   */
  async rest(): Promise<void> {
    await this.settle();
    this.ic.setTime(nextFullHour(this.ic.timeNs));
    this.ic.tick();
    for (const { scheduler } of this.ic.subnets[0]!.canisters.values()) {
      scheduler.accumulatedPriority = 0;
      scheduler.priorityCredit = 0;
      scheduler.heapDeltaDebit = 0;
    }
  }

  memory(canister: string): Promise<Memory> {
    const code = this.ic.canister(principalFromText(canister))?.code;
    return Promise.resolve({
      heapBytes: (code?.instance.memoryPages() ?? 0) * wasmPageBytes,
      stableBytes: this.ic.stableMemory(principalFromText(canister)).length,
    });
  }

  close(): Promise<void> {
    return Promise.resolve();
  }

  observe(observation: Observation): void {
    const { costs } = this.ic;
    this.ic.observer = (slice) => {
      const { round, iteration, instructions, finished } = slice;
      observation.add({
        round: round + this.round - this.ic.subnets[0]!.round + 1,
        iteration,
        canister: principalToText(slice.canisterId),
        instructions,
        pageInstructions: finished ? pageInstructions(costs, finished) : 0,
        heapChangedBytes: finished?.heapDelta ?? 0,
      });
    };
  }
}

/** What a message paid for touching pages of the heap. */
function pageInstructions(
  costs: Ic['costs'],
  { heapDelta, touched }: NonNullable<ExecutedSlice['finished']>,
): number {
  if (costs === '2025-10') return (heapDelta / smallPageBytes) * changedPage;
  return ((touched?.readWasmPages ?? 0) + (touched?.writtenWasmPages ?? 0)) * wasmPageTouched;
}

/** A principal for the caller of this number; no key belongs to it. */
export function callerName(index: number): string {
  const bytes = new Uint8Array(10).fill(0xca);
  new DataView(bytes.buffer).setUint32(0, index);
  bytes[9] = 1;
  return principalToText(bytes);
}
