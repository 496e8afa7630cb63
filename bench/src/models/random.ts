/**
 * Numbers from a seed, uniform in [-1, 1): the same seed gives the same numbers on every machine.
 * Method: xorshift32 (Marsaglia, 2003).
 */
export class Random {
  private state: number;

  constructor(seed: number) {
    this.state = Math.imul(seed + 1, 2654435761) >>> 0 || 1;
    for (let round = 0; round < 8; round++) this.next();
  }

  next(): number {
    let state = this.state;
    state ^= state << 13;
    state ^= state >>> 17;
    state ^= state << 5;
    this.state = state >>> 0;
    return this.state / 0x80000000 - 1;
  }

  /** `count` numbers in [-limit, limit). */
  uniform(count: number, limit = 1): Float32Array {
    const out = new Float32Array(count);
    for (let index = 0; index < count; index++) out[index] = this.next() * limit;
    return out;
  }

  /** `count` whole numbers in [0, end). */
  integers(count: number, end: number): number[] {
    return Array.from({ length: count }, () => Math.floor(((this.next() + 1) / 2) * end));
  }
}
