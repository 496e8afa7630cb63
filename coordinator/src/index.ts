/** The compiled coordinator canister, for whoever deploys it. */
import { readFile } from 'node:fs/promises';
import { fileURLToPath } from 'node:url';

/** Path of the gzipped module; there after `npm run build -w coordinator`. */
export const coordinatorModulePath = fileURLToPath(
  new URL('../build/coordinator.wasm.gz', import.meta.url),
);

/** Path of the Candid interface. */
export const coordinatorCandidPath = fileURLToPath(new URL('../coordinator.did', import.meta.url));

/** The gzipped module. Throws where it has not been built, with the command to do so. */
export async function coordinatorModule(): Promise<Uint8Array> {
  try {
    return await readFile(coordinatorModulePath);
  } catch (error) {
    throw new Error(
      `${coordinatorModulePath} is not there: build it with "npm run build -w coordinator"`,
      { cause: error },
    );
  }
}
