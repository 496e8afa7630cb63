import { CallRejected, install, provisionalCreate, type Transport } from '@canopy/client';
import { BenchIcError } from './errors.js';
import type { Answer, PendingCall } from './round-ic.js';

export const management = 'aaaaa-aa';
/** Rounds after which a call outside of a measurement is given up. */
const patience = 2000;

/** What a transport needs of an IC whose rounds are driven. */
export interface RoundCalls {
  /** @param effectiveCanister the canister that a call to the management canister is about */
  send(
    sender: string,
    canister: string,
    method: string,
    arg: Uint8Array,
    effectiveCanister?: string,
  ): Promise<PendingCall>;
  query(sender: string, canister: string, method: string, arg: Uint8Array): Promise<Uint8Array>;
  tick(): Promise<void>;
}

/**
 * A transport that executes rounds until a call is answered; it may take up to 2,000 of them. Calls
 * made at the same time are sent one after the other, so that what happens does not depend on timing.
 */
export function roundTransport(ic: RoundCalls, sender: string): Transport {
  const execute = async (
    canister: string,
    method: string,
    arg: Uint8Array,
    effectiveCanister?: string,
  ): Promise<Uint8Array> => {
    const pending = await ic.send(sender, canister, method, arg, effectiveCanister);
    for (let rounds = 0; rounds < patience; rounds++) {
      const answer = await pending.poll();
      if (answer) return replyOf(answer);
      await ic.tick();
    }
    throw new BenchIcError(
      'no-answer',
      `${method} of canister ${canister} was not answered in ${patience} rounds`,
    );
  };
  let last: Promise<unknown> = Promise.resolve();
  const call = (...args: Parameters<typeof execute>): Promise<Uint8Array> => {
    const next = last.then(() => execute(...args));
    last = next.catch(() => undefined);
    return next;
  };
  const manage = (method: string, arg: Uint8Array, canister?: string): Promise<Uint8Array> =>
    call(management, method, arg, canister);
  return {
    principal: () => Promise.resolve(sender),
    isLocal: () => Promise.resolve(true),
    update: (canister, method, arg) => call(canister, method, arg),
    query: (canister, method, arg) => ic.query(sender, canister, method, arg),
    wait: () => ic.tick(),
    createCanister: (options) => provisionalCreate(manage, sender, options),
    installCode: (options) => install(manage, options),
  };
}

/** The reply of an answer. Throws `CallRejected` where it is none. */
export function replyOf(answer: Answer): Uint8Array {
  if (answer.kind === 'reply') return answer.reply;
  throw new CallRejected(answer.code, answer.message);
}
