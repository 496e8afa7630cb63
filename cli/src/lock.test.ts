import { mkdtemp, readFile, readdir, rm, writeFile } from 'node:fs/promises';
import { hostname, tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { withLock } from './lock.js';

let folder = '';
let path = '';
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'canopy-lock-'));
  path = join(folder, 'deployments', 'mine.json');
});
afterEach(async () => {
  await rm(folder, { recursive: true });
});

const files = (): Promise<string[]> => readdir(join(folder, 'deployments'));

test('is held while the work is done, and given back whatever comes of it', async () => {
  const during = await withLock(path, files);
  expect(during).toEqual(['mine.json.lock']);
  expect(await files()).toEqual([]);
  await expect(withLock(path, () => Promise.reject(new Error('no')))).rejects.toThrow('no');
  expect(await files()).toEqual([]);
});

test('another that holds it is named', async () => {
  await withLock(path, async () => {
    const holder = JSON.parse(await readFile(`${path}.lock`, 'utf8')) as { since: string };
    await expect(withLock(path, files)).rejects.toThrow(
      `${path} is being changed by process ${process.pid} on ${hostname()}, since ${holder.since}`,
    );
  });
});

test.each([
  ['whose process has ended, is taken over', { pid: 2 ** 22 + 1, host: hostname() }, true],
  ['of another machine, is not', { pid: 2 ** 22 + 1, host: 'elsewhere' }, false],
  ['that cannot be read, is not', undefined, false],
])('a lock %s', async (_, holder, isTaken) => {
  await withLock(path, () => Promise.resolve());
  await writeFile(`${path}.lock`, holder ? JSON.stringify({ ...holder, since: 'now' }) : '');
  const attempt = withLock(path, () => Promise.resolve('done'));
  if (isTaken) expect(await attempt).toBe('done');
  else await expect(attempt).rejects.toThrow(`remove ${path}.lock`);
});

test('of many that find a stale lock at once, one after the other holds it', async () => {
  await withLock(path, () => Promise.resolve());
  await writeFile(`${path}.lock`, JSON.stringify({ pid: 2 ** 22 + 1, host: hostname() }));
  let inside = 0;
  const outcomes = await Promise.allSettled(
    Array.from({ length: 5 }, () =>
      withLock(path, async () => {
        expect(++inside).toBe(1);
        await new Promise((wake) => setTimeout(wake, 5));
        inside--;
      }),
    ),
  );
  expect(outcomes.filter(({ status }) => status === 'fulfilled').length).toBeGreaterThan(0);
});
