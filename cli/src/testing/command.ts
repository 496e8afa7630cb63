import { execFile } from 'node:child_process';
import { fileURLToPath } from 'node:url';

const binary = fileURLToPath(new URL('../../bin/canopy.js', import.meta.url));

export interface Ended {
  code: number;
  stdout: string;
  stderr: string;
}

export interface CommandOptions {
  cwd: string;
  env?: Record<string, string>;
  /** Options of Node. */
  nodeArgs?: readonly string[];
}

/** Runs the built command as a process of its own, without a terminal. */
export function runCanopy(
  args: readonly string[],
  { cwd, env, nodeArgs = [] }: CommandOptions,
): Promise<Ended> {
  return new Promise((resolve) => {
    const options = { cwd, env: { ...process.env, NO_COLOR: '1', ...env } };
    const all = [...nodeArgs, binary, ...args];
    execFile(process.execPath, all, options, (error, stdout, stderr) => {
      const code = error === null ? 0 : typeof error.code === 'number' ? error.code : -1;
      resolve({ code, stdout, stderr });
    });
  });
}
