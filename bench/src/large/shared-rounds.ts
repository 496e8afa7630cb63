import type { Transport } from '@canopy/client';
import type { EmbeddedIc } from '../ic/embedded.js';
import type { PendingCall } from '../ic/round-ic.js';
import { replyOf } from '../ic/round-transport.js';

/** A call under way, and who waits for its answer. */
interface Waiting {
  call: PendingCall;
  resolve(reply: Uint8Array): void;
  reject(error: unknown): void;
}

/**
 * A transport whose calls share rounds: a round is executed as soon as nobody has anything more to send in
 * it, and each call ends with the round in which it is answered.
 */
export function sharedRounds(ic: EmbeddedIc, sender: string): Transport {
  const waiting = new Set<Waiting>();
  let isPlanned = false;

  const executeRound = async (): Promise<void> => {
    isPlanned = false;
    await ic.tick();
    for (const one of [...waiting]) {
      try {
        const answer = await one.call.poll();
        if (!answer) continue;
        one.resolve(replyOf(answer));
      } catch (error) {
        one.reject(error);
      }
      waiting.delete(one);
    }
    planRound();
  };
  // What was answered goes on before the next turn of the event loop.
  const planRound = (): void => {
    if (isPlanned || waiting.size === 0) return;
    isPlanned = true;
    setImmediate(() => void executeRound());
  };
  return {
    ...ic.transport(sender),
    async update(canister, method, arg) {
      const call = await ic.submit(sender, canister, method, arg);
      return new Promise((resolve, reject) => {
        waiting.add({ call, resolve, reject });
        planRound();
      });
    },
  };
}
