import { existsSync, mkdirSync, renameSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';

/** Raised when a generator changes what it writes, so that older files are not taken for new ones. */
const generation = 1;

const folder = fileURLToPath(new URL(`../../../.canopy/bench-models/${generation}/`, import.meta.url));

/** Path of a generated model's file; made with `make` where it is not there yet. */
export function generated(name: string, make: () => Uint8Array): string {
  const path = join(folder, `${name}.onnx`);
  if (!existsSync(path)) {
    mkdirSync(folder, { recursive: true });
    // Another process may be making the same file: only whole files get the final name.
    const partial = `${path}.${process.pid}`;
    writeFileSync(partial, make());
    renameSync(partial, path);
  }
  return path;
}
