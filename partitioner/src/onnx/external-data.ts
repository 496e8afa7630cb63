import { statSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { PartitionError } from '../error.js';

/** Where a tensor says that its data lie: the key-value pairs of `TensorProto.external_data`. */
export type ExternalEntries = ReadonlyMap<string, string>;

/** A checked place of a tensor's data. */
export interface ExternalPlace {
  path: string;
  offset: number;
}

/** A path as the standard has it: relative, with `/`, and never out of the model's folder. */
function isInside(location: string): boolean {
  const parts = location.split(/[/\\]/);
  const absolute = /^([/\\]|[A-Za-z]:)/.test(location);
  return location !== '' && !absolute && !location.includes('\0') && !parts.includes('..');
}

/** A whole number of bytes; `otherwise` where the entry is missing. */
function byteCount(
  entries: ExternalEntries,
  key: string,
  otherwise: number,
  weight: string,
): number {
  const text = entries.get(key);
  if (text === undefined) return otherwise;
  const value = /^\d+$/.test(text) ? Number(text) : NaN;
  if (Number.isSafeInteger(value)) return value;
  throw new PartitionError(
    'bad-model',
    `weight "${weight}": ${key} "${text}" of its external data is not a number of bytes`,
  );
}

/**
 * Finds `needed` bytes of a weight's external data.
 *
 * Throws {@link PartitionError} `bad-model` where the location leaves the model's folder, the file is
 * not there, or the data do not lie wholly within it.
 */
export function locateExternal(
  entries: ExternalEntries,
  needed: number,
  modelPath: string,
  weight: string,
): ExternalPlace {
  const location = entries.get('location') ?? '';
  if (!isInside(location)) {
    throw new PartitionError(
      'bad-model',
      `weight "${weight}" names "${location}" as the file of its data: only files in the model's own ` +
        'folder are read; save the model again with its data beside it',
    );
  }
  const path = join(dirname(modelPath), location);
  const found = statSync(path, { throwIfNoEntry: false });
  if (!found?.isFile()) {
    throw new PartitionError(
      'bad-model',
      `weight "${weight}" lies in "${location}", ` +
        `${found ? 'which is no file' : 'which is not there'}: it is looked for at ${path}; ` +
        'copy it there, under the name the model was saved with',
    );
  }
  const offset = byteCount(entries, 'offset', 0, weight);
  const length = byteCount(entries, 'length', needed, weight);
  if (length !== needed) {
    throw new PartitionError(
      'bad-model',
      `weight "${weight}" takes ${needed} bytes, the model gives it ${length} of ${path}`,
    );
  }
  if (offset + needed > found.size) {
    throw new PartitionError(
      'bad-model',
      `weight "${weight}" takes bytes ${offset} to ${offset + needed} of ${path}, which is only ` +
        `${found.size} long: the file is cut short or of another model; download or copy it again`,
    );
  }
  return { path, offset };
}
