import { readFileSync } from 'node:fs';
import { expect, test } from 'vitest';
import { methodsPage, methodsPagePath } from './methods-page.mjs';

test('docs/methods.md says what the tables of methods say: else "node scripts/methods-page.mjs"', async () => {
  expect(readFileSync(methodsPagePath, 'utf8')).toBe(await methodsPage());
});
