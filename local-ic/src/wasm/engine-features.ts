import v8 from 'node:v8';

const v8Major = Number(process.versions.v8.split('.')[0]);

/** Features that later versions of the engine have without a flag (and with others reject it). */
const FLAGS = [
  // Branches that are hardly ever taken (checks of pages, of the counter) must not cost registers.
  '--experimental-wasm-branch-hinting',
  '--experimental-wasm-memory64',
];
const LAST_MAJOR_WITH_FLAGS = 12;

/** Turns on what the instrumented modules need of the engine. */
export function enableEngineFeatures(): void {
  if (v8Major > LAST_MAJOR_WITH_FLAGS) return;
  for (const flag of FLAGS) v8.setFlagsFromString(flag);
}

/** A memory of the given sizes in pages; the interface of 64-bit ones changed as they matured. */
export function createMemory(
  initial: number,
  maximum: number,
  memory64: boolean,
): WebAssembly.Memory {
  const descriptor: object = !memory64
    ? { initial, maximum }
    : v8Major < LAST_MAJOR_WITH_FLAGS
      ? { initial, maximum, index: 'i64' }
      : { initial: BigInt(initial), maximum: BigInt(maximum), index: 'i64', address: 'i64' };
  return new WebAssembly.Memory(descriptor as WebAssembly.MemoryDescriptor);
}

/** `Memory.grow`, which takes a bigint for a 64-bit memory in some versions of the engine. */
export function growMemory(memory: WebAssembly.Memory, pages: number): void {
  try {
    memory.grow(pages);
  } catch (error) {
    if (!(error instanceof TypeError)) throw error;
    (memory as unknown as { grow(pages: bigint): void }).grow(BigInt(pages));
  }
}
