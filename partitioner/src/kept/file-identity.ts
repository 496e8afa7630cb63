import { statSync } from 'node:fs';
import { resolve } from 'node:path';

/** What tells that a file is the one of before, without reading it. */
export interface FileIdentity {
  path: string;
  device: string;
  inode: string;
  size: string;
  /** Of its contents and of all else about it, in nanoseconds. */
  modified: string;
  changed: string;
}

/** Identities of files as they are now. Throws where one is not there. */
export function identitiesOf(paths: readonly string[]): FileIdentity[] {
  return paths.map((given) => {
    const path = resolve(given);
    const { dev, ino, size, mtimeNs, ctimeNs } = statSync(path, { bigint: true });
    return {
      path,
      device: String(dev),
      inode: String(ino),
      size: String(size),
      modified: String(mtimeNs),
      changed: String(ctimeNs),
    };
  });
}

/** Coarsest clock of a file system. */
const clockNs = 2_000_000_000n;

/**
 * Whether every later change of the files shows in their identities: two changes within one step of a file
 * system's clock do not.
 *
 * @param seenMs when the identities were taken
 */
export function changesWouldShow(identities: readonly FileIdentity[], seenMs: number): boolean {
  const settled = BigInt(Math.floor(seenMs)) * 1_000_000n - clockNs;
  return identities.every(
    ({ modified, changed }) => BigInt(modified) < settled && BigInt(changed) < settled,
  );
}
