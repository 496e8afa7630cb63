import { mkdirSync, renameSync, writeFileSync, existsSync, readFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { constantsSource } from './constants.mjs';
import { kernelSources } from './kernels/index.mjs';
import { attributesSource, dispatchSource } from './operators.mjs';

const assembly = join(dirname(fileURLToPath(import.meta.url)), '..', 'assembly');

/** AssemblyScript files that are made from @canopy/protocol and templates, by their paths below `assembly`. */
export function generatedSources() {
  return {
    'generated/constants.ts': constantsSource(),
    ...kernelSources(),
    'ops/generated/attributes.ts': attributesSource(),
    'ops/generated/dispatch.ts': dispatchSource(),
  };
}

/** Writes them; each in one step, so that nobody reads half of it. */
export function writeGenerated() {
  for (const [path, source] of Object.entries(generatedSources())) {
    const file = join(assembly, path);
    if (existsSync(file) && readFileSync(file, 'utf8') === source) continue;
    mkdirSync(dirname(file), { recursive: true });
    const unfinished = `${file}.${process.pid}`;
    writeFileSync(unfinished, source);
    renameSync(unfinished, file);
  }
}
