/** Numbers below 2^32, always the same after the same seed (xorshift32). */
function randomFrom(seed: number): (below: number) => number {
  let at = (seed + 1) * 0x9e3779b9;
  return (below) => {
    at ^= at << 13;
    at ^= at >>> 17;
    at ^= at << 5;
    return (at >>> 0) % below;
  };
}

/** Arguments made of a right one: cut off, lengthened, with other bytes, or of nothing but random bytes. */
export function malformed(right: Uint8Array, count: number, seed: number): Uint8Array[] {
  const random = randomFrom(seed);
  const bytes = (length: number): Uint8Array => Uint8Array.from({ length }, () => random(256));
  return Array.from({ length: count }, (_, index) => {
    switch (index % 5) {
      case 0:
        return right.slice(0, random(right.length));
      case 1:
        return Uint8Array.of(...right, ...bytes(1 + random(20)));
      case 2:
        return bytes(random(200));
      case 3:
        return Uint8Array.of(...Buffer.from('DIDL'), ...bytes(random(60)));
      default: {
        const changed = right.slice();
        for (let times = 1 + random(4); times > 0; times--) {
          changed[random(changed.length)] = random(256);
        }
        return changed;
      }
    }
  });
}
