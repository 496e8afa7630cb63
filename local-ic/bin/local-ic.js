#!/usr/bin/env node
// Runs the built server: `npx tsc -b local-ic` builds it.
import { existsSync } from 'node:fs';

const main = new URL('../dist/launch.js', import.meta.url);
if (!existsSync(main)) {
  process.stderr.write('local-ic is not built: run `npx tsc -b local-ic` in the project first\n');
  process.exit(2);
}
await import(main.href);
