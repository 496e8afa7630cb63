import { createHash } from 'node:crypto';
import { chachaBlock } from './rotation.js';

/** Bytes of the domain that separates this use of a round's randomness from others. */
const DOMAIN = [4, 0, 0, 0, 4];
/** Batches of a server's subnet before its first round: the one that sets it up. */
const BATCHES_BEFORE = 1;

/**
 * Random bytes for the management calls of one round. As on a PocketIC server they follow from the
 * number of the round alone.
 */
export class RoundRandomness {
  private readonly key: number[];
  private drawn = 0;

  constructor(round: number) {
    const seed = new Uint8Array(32 + DOMAIN.length);
    new DataView(seed.buffer).setBigUint64(0, BigInt(round + BATCHES_BEFORE), true);
    seed.set(DOMAIN, 32);
    const hash = createHash('sha256').update(seed).digest();
    this.key = Array.from({ length: 8 }, (_, word) => hash.readUInt32LE(4 * word));
  }

  /** The next 32 bytes. */
  next(): Uint8Array {
    const block = chachaBlock(this.key, this.drawn >> 1);
    const start = (this.drawn++ & 1) * 32;
    return new Uint8Array(block.buffer).slice(start, start + 32);
  }
}
