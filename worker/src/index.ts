import { existsSync, readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';

/** The worker module was not built. */
export class WorkerNotBuiltError extends Error {
  override readonly name = 'WorkerNotBuiltError';
  readonly code = 'worker-not-built';
  constructor(path: string) {
    super(`${path} is not there; run "npm run build -w worker" first`);
  }
}

function built(name: string): string {
  const path = fileURLToPath(new URL(`../build/${name}`, import.meta.url));
  if (!existsSync(path)) throw new WorkerNotBuiltError(path);
  return path;
}

/** Path of the worker's module. Throws {@link WorkerNotBuiltError}. */
export function workerWasmPath(): string {
  return built('worker.wasm');
}

/** Path of the gzipped module, the form to install. Throws {@link WorkerNotBuiltError}. */
export function workerWasmGzPath(): string {
  return built('worker.wasm.gz');
}

/** The worker's module. Throws {@link WorkerNotBuiltError}. */
export function workerWasm(): Uint8Array {
  return readFileSync(workerWasmPath());
}

/** The gzipped module, which `install_code` takes as it is. Throws {@link WorkerNotBuiltError}. */
export function workerWasmGz(): Uint8Array {
  return readFileSync(workerWasmGzPath());
}

/** The worker's pacing as a module of its own, without imports. Throws {@link WorkerNotBuiltError}. */
export function policyWasm(): Uint8Array {
  return readFileSync(built('policy.wasm'));
}

/** A module that sends a canister's cycles to the cycles ledger. Throws {@link WorkerNotBuiltError}. */
export function refundWasm(): Uint8Array {
  return readFileSync(built('refund.wasm'));
}

/** Path of the Candid description. */
export function workerDidPath(): string {
  return fileURLToPath(new URL('../worker.did', import.meta.url));
}
