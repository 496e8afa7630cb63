import { readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { coordinatorLimits } from './coordinator.js';
import { workerLimits } from './stage.js';

describe.each([
  ['the worker', 'worker/assembly/canister/pacing/limits.ts', workerLimits],
  ['the coordinator', 'coordinator/src/canister/pipeline/own-load.ts', coordinatorLimits],
])('limits of %s', (_, path, limits) => {
  const source = readFileSync(new URL(`../../../../${path}`, import.meta.url), 'utf8');

  it.each(Object.entries(limits))('%s is the same in the simulation', (name, value) => {
    const found = new RegExp(`export const ${name}(?:: u(?:32|64))? = ([0-9_]+);`).exec(
      source,
    )?.[1];
    expect(Number(found?.replaceAll('_', ''))).toBe(value);
  });
});
