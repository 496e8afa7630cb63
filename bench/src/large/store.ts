import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { jobKey, type LargeResult } from './result.js';

/** Results that are committed, one for each job. */
const path = fileURLToPath(new URL('../../results/large.json', import.meta.url));

export function readLarge(): LargeResult[] {
  return existsSync(path) ? (JSON.parse(readFileSync(path, 'utf8')) as LargeResult[]) : [];
}

/** Puts a result in the place of that of the same job. */
export function keepLarge(result: LargeResult): void {
  const others = readLarge().filter((one) => jobKey(one) !== jobKey(result));
  const all = [...others, result].sort((a, b) => a.parameters - b.parameters);
  writeFileSync(path, `${JSON.stringify(all, null, 1)}\n`);
}
