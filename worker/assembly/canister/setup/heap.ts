/** How much heap the worker takes. */
import { setHeapLimit } from '../../tensor/memory';

/**
 * A canister whose heap grows beyond its `wasm_memory_limit` traps; the limit is 3 GiB unless its
 * controllers set another (limits.json, defaultWasmMemoryLimitBytes). Below it the worker can say
 * what did not fit.
 */
const heapLimit: usize = 3 * 1024 * 1024 * 1024;

/** To be called when the module begins, and begins anew after an upgrade. */
export function limitHeap(): void {
  setHeapLimit(heapLimit);
}
