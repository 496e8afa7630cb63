import type { Plan } from './plan.js';

/** FNV-1a, twice 32 bits. */
class Fnv {
  private low = 0x811c9dc5;
  private high = 0x9dc5811c;

  add(value: number): void {
    this.low = Math.imul(this.low ^ value, 0x01000193);
    this.high = Math.imul(this.high ^ value, 0x01000193) ^ (this.low >>> 15);
  }
  get value(): bigint {
    return (BigInt(this.high >>> 0) << 32n) | BigInt(this.low >>> 0);
  }
}

/** 64 bits of a text, against mistakes, not against malice. */
export function fingerprintOf(text: string): bigint {
  const hash = new Fnv();
  for (let index = 0; index < text.length; index++) hash.add(text.charCodeAt(index));
  return hash.value;
}

/**
 * 64 bits of the shards of a model and the workers that hold them: by it a caller sees whether a coordinator
 * has the deployment it knows.
 *
 * @param workers principals of all pipelines' workers, in order
 */
export function deploymentFingerprint(
  { stages }: Pick<Plan, 'stages'>,
  workers: readonly Uint8Array[],
): bigint {
  const hash = new Fnv();
  for (const { shardHash } of stages) {
    for (let index = 0; index < shardHash.length; index++) hash.add(shardHash.charCodeAt(index));
  }
  for (const worker of workers) {
    hash.add(worker.length);
    for (const byte of worker) hash.add(byte);
  }
  return hash.value;
}
