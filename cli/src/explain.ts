import { UsageError } from './errors.js';

/** Names of the planner's options, and the flags that set them here. */
const flags: Readonly<Record<string, string>> = {
  maxWeightsBytes: '--max-weights',
  workers: '--workers',
  pipelines: '--pipelines',
  dims: '--dim',
  goal: '--for',
  name: '--name',
  timeoutMs: '--timeout',
};

/** What helps, by the code of an error, where its text does not name an option of the command. */
const advice: Readonly<Record<string, string>> = {
  'does-not-fit':
    'another number of workers (--workers COUNT) or smaller open dimensions (--dim NAME=SIZE) may help',
  'cannot-run':
    'give the sizes of open dimensions with --dim NAME=SIZE, such as --dim samples=16000',
  'model-exists': '--name registers it under another name',
  'unknown-model': 'deploy it again: "canopy deploy MODEL --name NAME"',
};

/** What the file system's codes mean. */
const fileProblems: Readonly<Record<string, string>> = {
  ENOENT: 'there is no such file or folder',
  EACCES: 'there is no permission for it',
  EPERM: 'there is no permission for it',
  EISDIR: 'it is a folder',
  ENOTDIR: 'a part of its path is a file, no folder',
  EEXIST: 'it is there already',
  ENOSPC: 'no space is left on the disk',
  EROFS: 'it lies on a file system for reading only',
};

interface Known {
  code?: unknown;
  path?: unknown;
  message: string;
  /** What the planner knows would fit, and the sizes it planned with. */
  leastWeightsBytes?: number;
  leastWorkers?: number;
  dims?: Readonly<Record<string, number>>;
}

/** The text of an error as the command prints it: what is wrong, and the option that helps. */
export function explain(error: unknown): string {
  if (!(error instanceof Error)) return String(error);
  if (error instanceof UsageError) return error.message;
  const known = error as Known;
  const { code, path, message } = known;
  if (typeof code !== 'string') return message;
  if (typeof path === 'string') return `${path}: ${fileProblems[code] ?? message}`;
  const text = withFlags(message);
  if (text.includes('--')) return text;
  const more = knownWaysOut(known) ?? advice[code];
  return more === undefined ? text : `${text}\n${more}`;
}

/** Flags by which the planner knows that the model would fit, or run. */
function knownWaysOut(known: Known): string | undefined {
  const { code, leastWeightsBytes, leastWorkers, dims } = known;
  const ways: string[] = [];
  if (leastWeightsBytes !== undefined) {
    const mebibytes = Math.ceil((leastWeightsBytes / 1024 ** 2) * 100) / 100;
    ways.push(`--max-weights ${mebibytes}MiB is the least that works`);
  }
  if (leastWorkers !== undefined) ways.push(`--workers ${leastWorkers} is the least that works`);
  // What workers do not run, they do not run at any size.
  const helpful = code === 'unsupported' ? {} : (dims ?? {});
  const sizes = Object.entries(helpful).map(([name, size]) => `--dim "${name}=${size}"`);
  if (ways.length === 0 && sizes.length > 0) {
    ways.push(`planned with ${sizes.join(' ')}: other sizes may work`);
  }
  return ways.length === 0 ? undefined : ways.join('; ');
}

/** `pipelines: 300 is more than 256` as `--pipelines: 300 is …`, and `"timeoutMs"` as `--timeout`. */
function withFlags(message: string): string {
  return message
    .replace(/^(\w+)(?=:)/, (name) => flags[name] ?? name)
    .replace(/"(\w+)"/g, (quoted, name: string) => flags[name] ?? quoted);
}
