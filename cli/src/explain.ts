import { UsageError } from './errors.js';

/** Names of the planner's options, and the flags that set them here. */
const flags: Readonly<Record<string, string>> = {
  maxWeightsBytes: '--max-weights',
  workers: '--workers',
  pipelines: '--pipelines',
  dims: '--dim',
  goal: '--for',
  name: '--name',
};

/** What helps, by the code of an error, where its text does not name an option of the command. */
const advice: Readonly<Record<string, string>> = {
  'does-not-fit':
    'more weights in a worker (--max-weights SIZE), another number of workers (--workers COUNT) or smaller open dimensions (--dim NAME=SIZE) may help',
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
  name?: string;
  code?: unknown;
  path?: unknown;
  message: string;
}

/** The text of an error as the command prints it: what is wrong, and the option that helps. */
export function explain(error: unknown): string {
  if (!(error instanceof Error)) return String(error);
  if (error instanceof UsageError) return error.message;
  const { code, path, message } = error as Known;
  if (typeof code !== 'string') return message;
  if (typeof path === 'string') return `${path}: ${fileProblems[code] ?? message}`;
  const text = withFlag(message);
  const more = advice[code];
  return more === undefined || text.includes('--') ? text : `${text}\n${more}`;
}

/** `pipelines: 300 is more than 256` as `--pipelines: 300 is …`. */
function withFlag(message: string): string {
  return message.replace(/^(\w+)(?=:)/, (name) => flags[name] ?? name);
}
