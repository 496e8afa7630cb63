import { readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';

/**
 * A number that a source file of assembly/canister defines as a constant of its own. Such numbers are
 * chosen by measuring; what tests say holds for any of them.
 */
export function constantOf(file: string, name: string): bigint {
  const path = fileURLToPath(new URL(`../../assembly/canister/${file}`, import.meta.url));
  const found = new RegExp(`const ${name}: \\w+ = ([\\d_]+);`).exec(readFileSync(path, 'utf8'));
  if (!found) throw new Error(`${path} defines no number ${name}`);
  return BigInt(found[1]!.replaceAll('_', ''));
}
