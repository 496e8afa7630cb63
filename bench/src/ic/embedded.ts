import { CallRejected, install, provisionalCreate, type Transport } from '@canopy/client';
import {
  Ic,
  principalFromText,
  principalToText,
  UserError,
  type ExecutedSlice,
} from '@canopy/local-ic';
import type { Observation } from '../measure/observation.js';
import type { CostSchedule } from '../results/schema.js';
import type { Answer, CanisterMemory, PendingCall, RoundIc } from './round-ic.js';

const management = 'aaaaa-aa';
const secondNs = 1_000_000_000n;
const wasmPageBytes = 65536;
const smallPageBytes = 4096;
/** Charges for pages; `page-costs.json` of the embedded IC. */
const wasmPageTouched = 80_000;
const changedPage = 1000;
/** Rounds after which a call outside of a measurement is given up. */
const patience = 2000;

/** The embedded IC in this process: one application subnet whose rounds take a second. */
export class EmbeddedIc implements RoundIc {
  readonly ic: Ic;
  round = 0;

  constructor(costSchedule: CostSchedule) {
    this.ic = new Ic({ subnets: [{ kind: 'application' }], costs: costSchedule });
  }

  tick(): Promise<void> {
    this.ic.advanceTime(secondNs);
    this.ic.tick();
    this.round++;
    return Promise.resolve();
  }

  submit(sender: string, canister: string, method: string, arg: Uint8Array): Promise<PendingCall> {
    return Promise.resolve(this.send(sender, canister, method, arg));
  }

  private send(
    sender: string,
    canister: string,
    method: string,
    arg: Uint8Array,
    effectiveCanister?: string,
  ): PendingCall {
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
    const call = async (
      canister: string,
      method: string,
      arg: Uint8Array,
      effectiveCanister?: string,
    ): Promise<Uint8Array> => {
      const pending = this.send(sender, canister, method, arg, effectiveCanister);
      for (let rounds = 0; rounds < patience; rounds++) {
        // Other calls of the same moment are sent first, so that they share the round.
        await new Promise(setImmediate);
        const before = await pending.poll();
        if (!before) await this.tick();
        const answer = before ?? (await pending.poll());
        if (answer) await this.settle();
        if (answer?.kind === 'reply') return answer.reply;
        if (answer) throw new CallRejected(answer.code, answer.message);
      }
      throw new Error(`${method} of ${canister} was not answered in ${patience} rounds`);
    };
    const manage = (method: string, arg: Uint8Array, canister?: string): Promise<Uint8Array> =>
      call(management, method, arg, canister);
    return {
      principal: () => Promise.resolve(sender),
      update: (canister, method, arg) => call(canister, method, arg),
      query: (canister, method, arg) => this.query(sender, canister, method, arg),
      wait: () => this.tick(),
      createCanister: (options) => provisionalCreate(manage, sender, options),
      installCode: (options) => install(manage, options),
    };
  }

  /** Executes rounds until no canister has anything to do, so that what follows does not depend on when. */
  private async settle(): Promise<void> {
    const canisters = [...this.ic.subnets[0]!.canisters.values()];
    const isBusy = (): boolean =>
      canisters.some((canister) => canister.queues.hasInput() || canister.paused !== undefined);
    for (let rounds = 0; isBusy() && rounds < patience; rounds++) await this.tick();
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

  /** Forgets who was served before, so that a run does not depend on those before it. */
  async rest(): Promise<void> {
    await this.settle();
    for (const { scheduler } of this.ic.subnets[0]!.canisters.values()) {
      scheduler.accumulatedPriority = 0;
      scheduler.priorityCredit = 0;
      scheduler.heapDeltaDebit = 0;
    }
  }

  memory(canister: string): Promise<CanisterMemory> {
    const code = this.ic.canister(principalFromText(canister))?.code;
    return Promise.resolve({
      heapBytes: (code?.instance.memoryPages() ?? 0) * wasmPageBytes,
      stableBytes: this.ic.stableMemory(principalFromText(canister)).length,
    });
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
  costs: CostSchedule,
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
