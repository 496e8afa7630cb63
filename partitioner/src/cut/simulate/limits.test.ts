import { readFileSync } from 'node:fs';
import { expect, it } from 'vitest';
import { workerLimits } from './stage.js';

const source = readFileSync(
  new URL('../../../../worker/assembly/canister/limits.ts', import.meta.url),
  'utf8',
);

it.each(Object.entries(workerLimits))("%s is the worker's", (name, value) => {
  const found = new RegExp(`export const ${name}: u(?:32|64) = ([0-9_]+);`).exec(source)?.[1];
  expect(Number(found?.replaceAll('_', ''))).toBe(value);
});
