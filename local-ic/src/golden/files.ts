import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import type { GoldenCase } from './case.js';

/** Where the cases of a folder are, and their modules. */
export interface GoldenFolder {
  readonly caseFiles: readonly string[];
  readonly modules: string;
}

/**
 * Finds the cases of a folder: `DIR/cases/*.json`, or the JSON files of DIR itself that hold a
 * case; modules in `modules` inside of it or beside it. Throws when there are none.
 */
export function findCases(directory: string): GoldenFolder {
  const inner = join(directory, 'cases');
  const casesDirectory = existsSync(inner) ? inner : directory;
  const caseFiles = readdirSync(casesDirectory)
    .filter((name) => name.endsWith('.json'))
    .sort()
    .map((name) => join(casesDirectory, name))
    .filter((path) => existsSync(inner) || readFileSync(path, 'utf8').includes('"steps"'));
  if (caseFiles.length === 0) {
    throw new Error(
      `no golden cases in ${directory}: expected files *.json there or in its folder cases`,
    );
  }
  const modules = [join(directory, 'modules'), join(casesDirectory, '..', 'modules')].find(
    existsSync,
  );
  return { caseFiles, modules: modules ?? casesDirectory };
}

export function readCase(path: string): GoldenCase {
  return JSON.parse(readFileSync(path, 'utf8')) as GoldenCase;
}
