/**
 * The order in which a subnet's canisters get their turn when messages leave the round: it starts at
 * a canister drawn by a generator that the round's time seeds (ChaCha20, its seed stretched from 64
 * bits by PCG32).
 */

const MASK64 = (1n << 64n) - 1n;
const PCG_MULTIPLIER = 6364136223846793005n;
const PCG_INCREMENT = 11634580027462260723n;
const CHACHA_CONSTANTS = [0x61707865, 0x3320646e, 0x79622d32, 0x6b206574] as const;

/** 256 bits from 64, as eight words. */
function stretchSeed(seed: bigint): number[] {
  let state = seed & MASK64;
  return Array.from({ length: 8 }, () => {
    state = (state * PCG_MULTIPLIER + PCG_INCREMENT) & MASK64;
    const xorshifted = Number((((state >> 18n) ^ state) >> 27n) & 0xffffffffn);
    const rotation = Number(state >> 59n);
    return ((xorshifted >>> rotation) | (xorshifted << (-rotation & 31))) >>> 0;
  });
}

function quarterRound(x: Uint32Array, a: number, b: number, c: number, d: number): void {
  const rotate = (value: number, bits: number): number => (value << bits) | (value >>> (32 - bits));
  x[a]! += x[b]!;
  x[d] = rotate(x[d]! ^ x[a]!, 16);
  x[c]! += x[d];
  x[b] = rotate(x[b]! ^ x[c]!, 12);
  x[a]! += x[b];
  x[d] = rotate(x[d] ^ x[a]!, 8);
  x[c]! += x[d];
  x[b] = rotate(x[b] ^ x[c]!, 7);
}

/** Block `counter` of the key stream, 16 words. */
export function chachaBlock(key: readonly number[], counter: number): Uint32Array {
  const start = Uint32Array.from([...CHACHA_CONSTANTS, ...key, counter, 0, 0, 0]);
  const x = start.slice();
  for (let round = 0; round < 10; round++) {
    quarterRound(x, 0, 4, 8, 12);
    quarterRound(x, 1, 5, 9, 13);
    quarterRound(x, 2, 6, 10, 14);
    quarterRound(x, 3, 7, 11, 15);
    quarterRound(x, 0, 5, 10, 15);
    quarterRound(x, 1, 6, 11, 12);
    quarterRound(x, 2, 7, 8, 13);
    quarterRound(x, 3, 4, 9, 14);
  }
  return x.map((word, index) => word + start[index]!);
}

/** A number from 0 to `count` - 1 that follows from `seed`, evenly distributed. */
export function drawFrom(seed: bigint, count: number): number {
  const key = stretchSeed(seed);
  const range = BigInt(count);
  const leadingZeros = BigInt(64 - range.toString(2).length);
  const zone = ((range << leadingZeros) - 1n) & MASK64;
  for (let block = 0; ; block++) {
    const words = chachaBlock(key, block);
    for (let index = 0; index < words.length; index += 2) {
      const value = (BigInt(words[index + 1]!) << 32n) | BigInt(words[index]!);
      const product = value * range;
      if ((product & MASK64) <= zone) return Number(product >> 64n);
    }
  }
}
