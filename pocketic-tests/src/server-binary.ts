import { existsSync } from 'node:fs';
import { createRequire } from 'node:module';
import { dirname, join, resolve } from 'node:path';
import { fileURLToPath } from 'node:url';

const embedded = fileURLToPath(new URL('../../local-ic/bin/local-ic.js', import.meta.url));

/**
 * The server the tests run on: the one `POCKET_IC_BIN` names, the PocketIC binary of
 * `@dfinity/pic` where it was downloaded, or the embedded IC.
 */
export function serverBinary(): { path: string; what: string } {
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
