import { spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, readFileSync, statSync } from 'node:fs';
import { fileURLToPath } from 'node:url';

/** Steps that several of the workspace's commands share. Only Node itself is needed to load this. */

export const root = fileURLToPath(new URL('..', import.meta.url));

/** Runs a program in the workspace's root; ends this process with its exit code where it fails. */
export function run(command, args, environment = {}) {
  const result = spawnSync(command, args, {
    cwd: root,
    stdio: 'inherit',
    env: { ...process.env, ...environment },
    shell: process.platform === 'win32',
  });
  if (result.error) {
    console.error(`cannot start ${command}: ${result.error.message}`);
    process.exit(1);
  }
  if (result.status !== 0) process.exit(result.status ?? 1);
}

/** Installs the packages of the lockfile, unless they are there already. */
export function install() {
  const [major] = process.versions.node.split('.').map(Number);
  if (major < 20) {
    console.error(`Canopy needs Node 20 or newer; this is ${process.version}.`);
    process.exit(1);
  }
  const installed = `${root}node_modules/.package-lock.json`;
  const lock = `${root}package-lock.json`;
  if (existsSync(installed) && statSync(installed).mtimeMs >= statSync(lock).mtimeMs) return;
  console.error('Installing packages (once) …');
  run('npm', ['ci', '--no-progress']);
}

/** Runs scripts of Node at the same time; ends this process with the exit code of one that fails. */
async function runTogether(scripts) {
  const codes = scripts.map(async (script) => {
    const child = spawn('node', [script], { cwd: root, stdio: 'inherit' });
    const [code] = await once(child, 'close');
    return code ?? 1;
  });
  const failed = (await Promise.all(codes)).find((code) => code !== 0);
  if (failed !== undefined) process.exit(failed);
}

/**
 * Compiles TypeScript, then the canisters; each step does nothing where its result is up to date.
 *
 * @param more further scripts to run beside those of the canisters
 */
export async function build(more = []) {
  console.error('Compiling TypeScript …');
  run('node', ['node_modules/typescript/bin/tsc', '-b']);
  console.error('Building canisters …');
  const { canisters } = JSON.parse(readFileSync(`${root}package.json`, 'utf8'));
  await runTogether([...canisters, ...more]);
}
