import { writeFileSync } from 'node:fs';
import { availableParallelism } from 'node:os';
import { basename } from 'node:path';
import { parseArgs } from 'node:util';
import { aspects, type Aspect, type CaseResult } from './case.js';
import { findCases } from './files.js';
import { playAll } from './pool.js';
import { counted, differenceLines, topicTable } from './report.js';

const usage = `Plays recorded cases on the embedded IC and prints each difference.

  golden --cases DIR [options]

  --cases DIR         folder with cases/*.json (or the files themselves) and modules/
  --only TEXT         only cases whose name contains TEXT; may be given several times
  --ignore LIST       aspects that do not count: ${aspects.join(',')}
  --schedule NAME     page cost schedule, 2025-10 (default, that of the recordings) or 2026-07
  --jobs N            threads (default: number of processors)
  --timeout SECONDS   per case that ends a hang (default 900)
  --limit N           differences printed per case (default 5)
  --slow              also print the ten slowest cases
  --json FILE         write all results to FILE

Exit code: 0 if all passed, 1 if some failed, 2 for wrong options.
`;

/** The command `golden`. Returns the exit code. */
export async function golden(args: readonly string[]): Promise<number> {
  let options;
  try {
    options = readOptions(args);
  } catch (error) {
    process.stderr.write(`${error instanceof Error ? error.message : String(error)}\n\n${usage}`);
    return 2;
  }
  if (options === 'help') {
    process.stdout.write(usage);
    return 0;
  }

  const { ignore } = options;
  const results: CaseResult[] = [];
  await playAll(options.files, options, (result) => {
    results.push(result);
    if (counted(result, ignore).length === 0) return;
    process.stdout.write(`${differenceLines(result, ignore, options.limit).join('\n')}\n`);
  });
  results.sort((a, b) => a.name.localeCompare(b.name));

  if (options.json !== undefined) writeFileSync(options.json, JSON.stringify(results, null, 1));
  const failed = results.filter((result) => counted(result, ignore).length > 0).length;
  process.stdout.write(`\n${topicTable(results, ignore)}\n`);
  if (options.slow) process.stdout.write(`\n${slowest(results)}\n`);
  process.stdout.write(`\n${results.length - failed} passed, ${failed} failed\n`);
  return failed === 0 ? 0 : 1;
}

function readOptions(args: readonly string[]) {
  const { values } = parseArgs({
    args: [...args],
    options: {
      cases: { type: 'string' },
      only: { type: 'string', multiple: true },
      ignore: { type: 'string', default: '' },
      schedule: { type: 'string', default: '2025-10' },
      jobs: { type: 'string', default: String(availableParallelism()) },
      timeout: { type: 'string', default: '900' },
      limit: { type: 'string', default: '5' },
      slow: { type: 'boolean', default: false },
      json: { type: 'string' },
      help: { type: 'boolean', default: false },
    },
  });
  if (values.help) return 'help' as const;
  if (values.cases === undefined) throw new Error('--cases DIR is missing');
  const costs = values.schedule;
  if (costs !== '2025-10' && costs !== '2026-07') {
    throw new Error(`--schedule ${costs}: expected 2025-10 or 2026-07`);
  }
  const folder = findCases(values.cases);
  const only = values.only;
  const files = folder.caseFiles.filter(
    (file) => only === undefined || only.some((part) => basename(file).includes(part)),
  );
  if (files.length === 0) throw new Error(`--only ${only?.join(', ')}: no case has such a name`);
  return {
    files,
    costs,
    modules: folder.modules,
    ignore: new Set(values.ignore.split(',').filter(Boolean).map(aspect)),
    jobs: positive('--jobs', values.jobs),
    timeoutMs: 1000 * positive('--timeout', values.timeout),
    limit: positive('--limit', values.limit),
    slow: values.slow,
    json: values.json,
  } as const;
}

function aspect(name: string): Aspect {
  const found = aspects.find((known) => known === name);
  if (found === undefined) throw new Error(`--ignore ${name}: expected ${aspects.join(', ')}`);
  return found;
}

function positive(option: string, text: string): number {
  const value = Number(text);
  if (!(value > 0)) throw new Error(`${option} ${text}: expected a positive number`);
  return value;
}

function slowest(results: readonly CaseResult[]): string {
  return [...results]
    .sort((a, b) => b.milliseconds - a.milliseconds)
    .slice(0, 10)
    .map(({ name, milliseconds }) => `${(milliseconds / 1000).toFixed(1).padStart(7)} s  ${name}`)
    .join('\n');
}
