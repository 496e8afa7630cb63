import { statfsSync } from 'node:fs';
import { dirname } from 'node:path';
import { errorText, PartitionError } from '../error.js';

function mebibytes(bytes: number): string {
  return `${(bytes / 1024 ** 2).toFixed(0)} MiB`;
}

/**
 * The error to give in place of `reason`, where that comes of a full disk or a lack of memory.
 *
 * @param needed bytes that were to be written and held, at most
 * @param folder for intermediate files
 * @param mayHideFullDisk whether onnxruntime was writing, which does not always say why it failed
 */
export function lackOfRoom(
  reason: unknown,
  needed: number,
  folder: string,
  mayHideFullDisk: boolean,
): PartitionError | undefined {
  const text = errorText(reason);
  const { bavail, bsize } = statfsSync(folder);
  const free = bavail * bsize;
  if (/no space left|ENOSPC/i.test(text) || (mayHideFullDisk && free < needed)) {
    return new PartitionError(
      'no-room',
      `planning writes intermediate files of about ${mebibytes(needed)} to ${dirname(folder)}, where ` +
        `${mebibytes(free)} are free: free room there, or set TMPDIR to a folder on a larger disk (${text})`,
      { cause: reason },
    );
  }
  if (/bad[_ ]alloc|out of memory|failed to allocate|allocation failed|ENOMEM/i.test(text)) {
    return new PartitionError(
      'no-room',
      `there is not enough memory to plan the model, which takes about ${mebibytes(needed)}: close other programs, or ` +
        `plan on a machine with more (${text})`,
      { cause: reason },
    );
  }
  return undefined;
}
