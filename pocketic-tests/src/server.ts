import { existsSync } from 'node:fs';
import { createRequire } from 'node:module';
import { dirname, join, resolve } from 'node:path';
import { fileURLToPath } from 'node:url';
import { PocketIcServer } from '@dfinity/pic';
import type { TestProject } from 'vitest/node';

declare module 'vitest' {
  interface ProvidedContext {
    icUrl: string;
  }
}

const embedded = fileURLToPath(new URL('../../local-ic/bin/local-ic.js', import.meta.url));

/**
 * The server the tests run on: the one `POCKET_IC_BIN` names, the PocketIC binary of
 * `@dfinity/pic` where it was downloaded, or the embedded IC.
 */
function serverBinary(): { path: string; what: string } {
  const named = process.env.POCKET_IC_BIN;
  if (named !== undefined && named !== '') {
    return { path: named, what: resolve(named) === embedded ? 'embedded IC' : 'POCKET_IC_BIN' };
  }
  const pic = dirname(createRequire(import.meta.url).resolve('@dfinity/pic/package.json'));
  const downloaded = join(pic, 'pocket-ic');
  return existsSync(downloaded)
    ? { path: downloaded, what: 'PocketIC' }
    : { path: embedded, what: 'embedded IC' };
}

/** Starts one server for all test files, and tells them its URL. */
export default async function setup(project: TestProject): Promise<() => Promise<void>> {
  const { path, what } = serverBinary();
  console.log(`End-to-end tests run on: ${what} (${path})`);
  const server = await PocketIcServer.start({ binPath: path, showCanisterLogs: true });
  project.provide('icUrl', server.getUrl());
  return () => server.stop();
}
