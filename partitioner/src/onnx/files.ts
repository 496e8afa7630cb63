import { closeSync, openSync, readSync } from 'node:fs';
import { PartitionError } from '../error.js';

/** Files open for reading weights, oldest first; packing reads them thousands of times. */
const openFiles = new Map<string, number>();
const mostOpenFiles = 16;

function descriptor(path: string): number {
  const known = openFiles.get(path);
  if (known !== undefined) return known;
  for (const [oldest, file] of openFiles) {
    if (openFiles.size < mostOpenFiles) break;
    closeSync(file);
    openFiles.delete(oldest);
  }
  const file = openSync(path, 'r');
  openFiles.set(path, file);
  return file;
}

/** Closes files whose path begins so; they are opened again when read. */
export function closeFiles(prefix: string): void {
  for (const [path, file] of openFiles) {
    if (!path.startsWith(prefix)) continue;
    closeSync(file);
    openFiles.delete(path);
  }
}

/** Fills `target` with a file's bytes from `start` on. Throws {@link PartitionError} where it ends before. */
export function readFileInto(target: Uint8Array, path: string, start: number): void {
  for (let done = 0; done < target.length;) {
    const got = readSync(descriptor(path), target, done, target.length - done, start + done);
    if (got === 0) {
      throw new PartitionError(
        'bad-model',
        `${path} ends before byte ${start + target.length}, where a weight should be: is the file whole?`,
      );
    }
    done += got;
  }
}

/** Bytes `[start, start + length)` of a file. Throws as {@link readFileInto}. */
export function readFile(path: string, start: number, length: number): Uint8Array {
  const bytes = new Uint8Array(length);
  readFileInto(bytes, path, start);
  return bytes;
}
