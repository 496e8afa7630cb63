import { link, mkdir, readFile, rename, rm, writeFile } from 'node:fs/promises';
import { hostname } from 'node:os';
import { dirname } from 'node:path';
import { CommandError } from './errors.js';

/** Who holds a lock. */
interface Holder {
  pid: number;
  host: string;
  /** ISO time. */
  since: string;
}

/**
 * Holds the lock of a file, `FILE.lock`, while `work` is done, so that no two commands change what the
 * file stands for at once. A lock whose process has ended is taken over. Not a library's: those tell
 * by the clock whether a holder lives, and planning keeps it from turning for longer than they wait.
 * Throws {@link CommandError} where another process holds it.
 */
export async function withLock<T>(path: string, work: () => Promise<T>): Promise<T> {
  const lock = `${path}.lock`;
  await mkdir(dirname(lock), { recursive: true });
  while (!(await take(lock))) await removeStale(lock, path);
  try {
    return await work();
  } finally {
    await rm(lock, { force: true });
  }
}

/** Makes the lock, with its holder in it at once; false where there is one. */
async function take(lock: string): Promise<boolean> {
  const holder: Holder = { pid: process.pid, host: hostname(), since: new Date().toISOString() };
  const mine = `${lock}.${process.pid}`;
  await writeFile(mine, `${JSON.stringify(holder)}\n`);
  try {
    await link(mine, lock);
    return true;
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'EEXIST') return false;
    throw error;
  } finally {
    await rm(mine, { force: true });
  }
}

/** Removes a lock that nobody holds any more. Throws where somebody does. */
async function removeStale(lock: string, path: string): Promise<void> {
  const text = await readFile(lock, 'utf8').catch(() => undefined);
  if (text === undefined) return;
  const holder = parseHolder(text);
  if (!holder || holder.host !== hostname() || isAlive(holder.pid)) {
    const who = holder
      ? `process ${holder.pid} on ${holder.host}, since ${holder.since}`
      : 'another command';
    throw new CommandError(
      `${path} is being changed by ${who}: wait for it, or work under another --name. ` +
        `If nothing runs there any more, remove ${lock}`,
    );
  }
  // Another command may have taken the stale lock away and made its own since: that one is put back.
  const taken = `${lock}.${process.pid}`;
  await rename(lock, taken).catch(() => undefined);
  const moved = await readFile(taken, 'utf8').catch(() => text);
  if (moved !== text) await link(taken, lock).catch(() => undefined);
  await rm(taken, { force: true });
}

function parseHolder(text: string): Holder | undefined {
  try {
    const holder = JSON.parse(text) as Partial<Holder> | null;
    return typeof holder?.pid === 'number' && typeof holder.host === 'string'
      ? { pid: holder.pid, host: holder.host, since: String(holder.since) }
      : undefined;
  } catch {
    return undefined;
  }
}

function isAlive(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch (error) {
    // It lives, but belongs to another user.
    return (error as NodeJS.ErrnoException).code === 'EPERM';
  }
}
