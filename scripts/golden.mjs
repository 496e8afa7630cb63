#!/usr/bin/env node
// Builds the embedded IC if needed and plays recorded cases on it: npm run golden -- --cases DIR
import { spawnSync } from 'node:child_process';
import { existsSync } from 'node:fs';
import { fileURLToPath } from 'node:url';

const root = fileURLToPath(new URL('..', import.meta.url));
const tsc = `${root}node_modules/typescript/bin/tsc`;
if (!existsSync(tsc)) run('npm', ['ci']);
run(process.execPath, [tsc, '-b', 'local-ic']);

const { golden } = await import(
  new URL('../local-ic/dist/golden/command.js', import.meta.url).href
);
process.exitCode = await golden(process.argv.slice(2));

function run(command, args) {
  const { status } = spawnSync(command, args, {
    cwd: root,
    stdio: ['ignore', 2, 2],
    shell: process.platform === 'win32',
  });
  if (status !== 0) process.exit(status ?? 1);
}
