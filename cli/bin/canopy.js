#!/usr/bin/env node
import { existsSync } from 'node:fs';

const main = new URL('../dist/main.js', import.meta.url);
// A reader such as `head` may stop listening before everything is written.
process.stdout.on('error', (error) => {
  if (error.code !== 'EPIPE') throw error;
  process.exit(0);
});

if (existsSync(main)) {
  const { main: run } = await import(main.href);
  const code = await run(process.argv.slice(2));
  // Work that was given up may still hold connections open.
  if (code !== 0) process.stdout.write('', () => process.exit(code));
} else {
  console.error('canopy is not built yet: run "npm run build" in the repository.');
  process.exitCode = 1;
}
