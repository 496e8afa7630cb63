/** The compiled coordinator canister, for whoever deploys it. */
import { existsSync, readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';

/** The coordinator module was not built. */
export class CoordinatorNotBuiltError extends Error {
  override readonly name = 'CoordinatorNotBuiltError';
  readonly code = 'coordinator-not-built';
  constructor(path: string) {
    super(`${path} is not there; run "npm run build -w coordinator" first`);
  }
}

/** Path of the gzipped module. Throws {@link CoordinatorNotBuiltError}. */
export function coordinatorWasmGzPath(): string {
  const path = fileURLToPath(new URL('../build/coordinator.wasm.gz', import.meta.url));
  if (!existsSync(path)) throw new CoordinatorNotBuiltError(path);
  return path;
}

/** The gzipped module, which `install_code` takes as it is. Throws {@link CoordinatorNotBuiltError}. */
export function coordinatorWasmGz(): Uint8Array {
  return readFileSync(coordinatorWasmGzPath());
}

/** Path of the Candid interface. */
export function coordinatorDidPath(): string {
  return fileURLToPath(new URL('../coordinator.did', import.meta.url));
}
