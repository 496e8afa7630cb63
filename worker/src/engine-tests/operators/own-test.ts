import { existsSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { OpCode, type OpName } from '@canopy/protocol';

/** Name of an operator's files: `LayerNorm` is in `layer-norm.ts`. */
function fileName(op: OpName): string {
  return op.replace(/(?<=[a-z\d])(?=[A-Z])/g, '-').toLowerCase();
}

/** Operators without a test file of their own here: tables of all operators hold their cases. */
export const inTables = (Object.keys(OpCode) as OpName[]).filter(
  (op) => !existsSync(fileURLToPath(new URL(`${fileName(op)}.test.ts`, import.meta.url))),
);
