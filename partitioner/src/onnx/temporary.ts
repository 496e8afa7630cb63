import { createHash } from 'node:crypto';
import { mkdtempSync, readdirSync, readlinkSync, rmSync } from 'node:fs';
import { hostname, tmpdir } from 'node:os';
import { join } from 'node:path';
import { closeFiles } from './files.js';

const open = new Set<string>();
const signals = ['SIGINT', 'SIGTERM', 'SIGHUP'] as const;
type Signal = (typeof signals)[number];

/**
 * Where process ids mean what they mean here: containers may share a folder for temporary files, but
 * not their processes.
 */
function processSpace(): string {
  let namespace = '';
  try {
    namespace = readlinkSync('/proc/self/ns/pid');
  } catch {
    // Other systems have no namespaces.
  }
  return createHash('sha256').update(`${hostname()} ${namespace}`).digest('hex').slice(0, 8);
}

/** Names of the folders of this machine's processes begin so; the process id and a dash follow. */
function namePrefix(): string {
  return `canopy-plan-${processSpace()}-`;
}

function isAlive(processId: number): boolean {
  try {
    process.kill(processId, 0);
    return true;
  } catch (error) {
    return (error as NodeJS.ErrnoException).code !== 'ESRCH';
  }
}

/** Removes folders of processes that were killed before they could. */
function removeAbandoned(): void {
  const prefix = namePrefix();
  for (const name of readdirSync(tmpdir())) {
    if (!name.startsWith(prefix)) continue;
    const processId = Number.parseInt(name.slice(prefix.length), 10);
    if (!(processId > 0) || isAlive(processId)) continue;
    try {
      rmSync(join(tmpdir(), name), { recursive: true, force: true });
    } catch {
      // Another user's, who removes it himself.
    }
  }
}

function removeAll(): void {
  for (const folder of open) rmSync(folder, { recursive: true, force: true });
  open.clear();
}

/**
 * Removes the folders and lets the signal end the process. Where others listen too, it is theirs to
 * end it, and the folders go when it exits.
 */
function onSignal(signal: Signal): void {
  if (process.listenerCount(signal) > 1) return;
  removeAll();
  unwatch();
  process.kill(process.pid, signal);
}

function watch(): void {
  process.on('exit', removeAll);
  for (const signal of signals) process.on(signal, onSignal);
}

function unwatch(): void {
  process.off('exit', removeAll);
  for (const signal of signals) process.off(signal, onSignal);
}

let cleaned = false;

/**
 * A new folder for intermediate files; removed by {@link removeTemporary}, at the latest when the
 * process ends, by a signal too. The first call removes what killed processes left.
 */
export function makeTemporary(): string {
  if (!cleaned) {
    cleaned = true;
    removeAbandoned();
  }
  if (open.size === 0) watch();
  const folder = mkdtempSync(join(tmpdir(), `${namePrefix()}${process.pid}-`));
  open.add(folder);
  return folder;
}

export function removeTemporary(folder: string): void {
  closeFiles(folder);
  rmSync(folder, { recursive: true, force: true });
  open.delete(folder);
  if (open.size === 0) unwatch();
}
