import type { Ic, PrincipalLike } from '../ic/ic.js';
import { isAnonymous } from './policy.js';

/** After so long a new seed is taken: a snapshot that is loaded later repeats what came after it. */
const seedLifeNs = 600_000_000_000n;
/** Bits of a ticket that count up, below the random ones. */
const countedBits = 64n;
const counted = (1n << countedBits) - 1n;

/** The part of a ticket that counts up. */
export function serialOf(ticket: bigint): bigint {
  return ticket & counted;
}

/**
 * Makes tickets. Nobody can tell anonymous callers apart, so a ticket of theirs holds 128 random bits: who has
 * it reaches the request, and nobody else.
 */
export class Handles {
  private seededAtNs: bigint | undefined;

  constructor(private readonly ic: Ic) {}

  /** Whether a ticket for a caller can be made now; else {@link seed} comes first. */
  isReadyFor(caller: PrincipalLike): boolean {
    if (!isAnonymous(caller)) return true;
    const { seededAtNs } = this;
    return seededAtNs !== undefined && this.ic.now() - seededAtNs < seedLifeNs;
  }

  async seed(): Promise<void> {
    await this.ic.seed();
    this.seededAtNs = this.ic.now();
  }

  ticketFor(caller: PrincipalLike, serial: bigint): bigint {
    if (!isAnonymous(caller)) return serial;
    let random = 0n;
    for (const byte of this.ic.random(16)) random = (random << 8n) | BigInt(byte);
    return (random << countedBits) | serial;
  }
}
