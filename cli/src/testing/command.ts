import { spawn, type ChildProcess } from 'node:child_process';
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

/** The built command while it runs. */
export interface RunningCommand {
  process: ChildProcess;
  /** Resolves when its stderr holds such a text; rejects where it ends before. */
  says(text: RegExp): Promise<void>;
  /** What it said to stderr so far. */
  stderr(): string;
  ended: Promise<Ended>;
}

/** Starts the built command as a process of its own, without a terminal. */
export function startCanopy(
  args: readonly string[],
  { cwd, env, nodeArgs = [] }: CommandOptions,
): RunningCommand {
  const child = spawn(process.execPath, [...nodeArgs, binary, ...args], {
    cwd,
    env: { ...process.env, NO_COLOR: '1', ...env },
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  let stdout = '';
  let stderr = '';
  child.stdout.setEncoding('utf8').on('data', (text: string) => (stdout += text));
  child.stderr.setEncoding('utf8').on('data', (text: string) => (stderr += text));
  const ended = new Promise<Ended>((resolve, reject) => {
    child.once('error', reject);
    child.once('close', (code) => {
      resolve({ code: code ?? -1, stdout, stderr });
    });
  });
  return {
    process: child,
    ended,
    stderr: () => stderr,
    says: (text) =>
      new Promise((resolve, reject) => {
        const look = (): void => {
          if (text.test(stderr)) resolve();
        };
        child.stderr.on('data', look);
        look();
        child.once('close', () => {
          reject(new Error(`it ended without "${text.source}": ${stderr}`));
        });
      }),
  };
}

/** Runs the built command to its end. */
export function runCanopy(args: readonly string[], options: CommandOptions): Promise<Ended> {
  return startCanopy(args, options).ended;
}
