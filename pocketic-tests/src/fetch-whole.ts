import type { CoordinatorClient } from '@canopy/client';
import { expect } from 'vitest';

/**
 * Fetches all parts of a result; lets time pass while it is pending.
 *
 * @param certified by update calls instead of queries
 */
export async function fetchWhole(
  coordinator: CoordinatorClient,
  ticket: bigint,
  pass: () => Promise<void>,
  certified = false,
): Promise<Uint8Array> {
  const parts: Uint8Array[] = [];
  let length = 0;
  for (let rounds = 0; rounds < 200; rounds++) {
    const reply = await coordinator.fetch(ticket, length, certified);
    if ('pending' in reply) {
      await pass();
      continue;
    }
    parts.push(Uint8Array.from(reply.part.bytes));
    length += reply.part.bytes.length;
    if (length >= reply.part.total) return Uint8Array.from(Buffer.concat(parts));
  }
  return expect.fail(`ticket ${ticket} is not answered within 200 rounds`);
}
