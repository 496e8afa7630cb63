import { createHash } from 'node:crypto';
import {
  mkdirSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmSync,
  statSync,
  utimesSync,
  writeFileSync,
} from 'node:fs';
import { join } from 'node:path';

const hashBytes = 32;
/** Plans whose hashes are kept; the ones used longest ago go. */
export const mostKept = 64;

/** Hashes that a plan needs, in a fixed order. */
export type Hashes = readonly Uint8Array[];

function checksum(key: string, body: Uint8Array): Uint8Array {
  return createHash('sha256').update(key).update(body).digest();
}

/**
 * Lists of hashes in files of a folder, by keys. What cannot be read or written, or does not carry its own
 * checksum, counts as not kept: losing it costs time alone.
 */
export class HashStore {
  constructor(private readonly folder: string) {}

  private pathOf(key: string): string {
    return join(this.folder, `${key}.hashes`);
  }

  /** The hashes kept under a key, if they are `count`. */
  get(key: string, count: number): Hashes | undefined {
    const path = this.pathOf(key);
    try {
      const bytes = readFileSync(path);
      const body = bytes.subarray(0, count * hashBytes);
      if (bytes.length !== (count + 1) * hashBytes) return undefined;
      if (checksum(key, body).some((byte, at) => byte !== bytes[body.length + at]))
        return undefined;
      const now = new Date();
      utimesSync(path, now, now);
      return Array.from({ length: count }, (_, at) =>
        Uint8Array.from(body.subarray(at * hashBytes, (at + 1) * hashBytes)),
      );
    } catch {
      return undefined;
    }
  }

  /** Keeps hashes under a key; only a whole file gets its name. */
  put(key: string, hashes: Hashes): void {
    const body = Buffer.concat(hashes);
    const partial = `${this.pathOf(key)}.${process.pid}`;
    try {
      mkdirSync(this.folder, { recursive: true });
      writeFileSync(partial, Buffer.concat([body, checksum(key, body)]));
      renameSync(partial, this.pathOf(key));
      this.removeOldest();
    } catch {
      // A full disk may have left a part, which goes with the oldest.
    }
  }

  private removeOldest(): void {
    const files = readdirSync(this.folder)
      .filter((name) => name.includes('.hashes'))
      .map((name) => {
        const path = join(this.folder, name);
        return { path, used: statSync(path, { throwIfNoEntry: false })?.mtimeMs ?? 0 };
      })
      .sort((one, other) => other.used - one.used);
    for (const { path } of files.slice(mostKept)) rmSync(path, { force: true });
  }
}
