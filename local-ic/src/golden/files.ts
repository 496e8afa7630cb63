import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import type { GoldenCase } from './case.js';
import { meteringSections, type MeteringSection } from './metering.js';

/** Where the cases of a folder are, and their modules. */
export interface GoldenFolder {
  readonly caseFiles: readonly string[];
  readonly modules: string;
}

/**
 * Finds the cases of a folder: `DIR/cases/*.json`, or the JSON files of DIR itself that hold a
 * case; modules in `modules` inside of it or beside it; the sections of `metering.json`. Throws when
 * there are none.
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
  const measurements = join(directory, 'metering.json');
  const tasks = existsSync(measurements)
    ? meteringSections.map((section) => `${measurements}#${section}`)
    : [];
  const modules = [join(directory, 'modules'), join(casesDirectory, '..', 'modules')].find(
    existsSync,
  );
  return { caseFiles: [...caseFiles, ...tasks], modules: modules ?? casesDirectory };
}

/** A section of the measurements that is checked like a case: `DIR/metering.json#SECTION`. */
export function meteringTask(
  path: string,
): { readonly file: string; readonly section: MeteringSection } | undefined {
  const [file, section] = path.split('#');
  const found = meteringSections.find((name) => name === section);
  return found === undefined ? undefined : { file: file!, section: found };
}

export function readCase(path: string): GoldenCase {
  return JSON.parse(readFileSync(path, 'utf8')) as GoldenCase;
}
