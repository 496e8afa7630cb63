import { createHash } from 'node:crypto';
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';

const partitioner = fileURLToPath(new URL('..', import.meta.url));
let known: string | undefined;

/** Hex SHA-256 of the code of this package: what another version has planned is not taken for its own. */
export function codeHash(): string {
  known ??= hashOf(partitioner);
  return known;
}

function hashOf(folder: string): string {
  const hash = createHash('sha256');
  const files = readdirSync(folder, { recursive: true, encoding: 'utf8' }).sort();
  for (const file of files) {
    if (/(?<!\.d|\.test)\.[jt]s$/.test(file))
      hash.update(file).update(readFileSync(join(folder, file)));
  }
  return hash.digest('hex');
}
