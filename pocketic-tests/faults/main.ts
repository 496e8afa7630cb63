import { availableParallelism } from 'node:os';
import { parseArgs } from 'node:util';
import { kinds } from './kinds.js';
import { runSeeds, serveSeeds } from './pool.js';
import { meaningOf, type SeedReport } from './seed.js';
import { shapes } from './shapes.js';
import { tableOf } from './table.js';

const usage = `npm run faults -- [--seeds N] [--from N] [--filter NAME] [--jobs N]

  --seeds N      how many seeds are run (default 200)
  --from N       the first of them (default 0)
  --filter NAME  only seeds of this kind of fault, or of this shape
  --jobs N       processes beside each other (default: as many as there are processors, at most 4)

kinds   ${kinds.map(({ name }) => name).join(' ')}
shapes  ${shapes.map(({ name }) => name).join(' ')}
`;

function readCount(name: string, text: string): number {
  const count = Number(text);
  if (Number.isInteger(count) && count >= 0) return count;
  throw new RangeError(`--${name} ${text}: expected a whole number`);
}

/** The first `count` seeds from `from` on that a filter takes. */
function chosen(count: number, from: number, filter: string | undefined): number[] {
  const names = [...kinds, ...shapes].map(({ name }) => name);
  if (filter !== undefined && !names.includes(filter)) {
    throw new RangeError(`--filter ${filter}: no kind or shape has this name`);
  }
  const seeds: number[] = [];
  for (let seed = from; seeds.length < count; seed++) {
    const { kind, shape } = meaningOf(seed);
    if (filter === undefined || kind.name === filter || shape.name === filter) seeds.push(seed);
  }
  return seeds;
}

function tell({ seed, kind, shape, problems, events }: SeedReport): void {
  if (problems.length === 0) return;
  console.log(`seed ${seed} (${kind}, ${shape}) fails:`);
  for (const problem of problems) console.log(`  ${problem}`);
  for (const event of events) console.log(`    ${event}`);
  console.log(`  again: npm run faults -- --seeds 1 --from ${seed}`);
}

async function main(): Promise<void> {
  const { values } = parseArgs({
    options: {
      seeds: { type: 'string', default: '200' },
      from: { type: 'string', default: '0' },
      filter: { type: 'string' },
      jobs: { type: 'string', default: String(Math.min(4, availableParallelism())) },
      help: { type: 'boolean', default: false },
    },
  });
  if (values.help) {
    console.log(usage);
    return;
  }
  const count = readCount('seeds', values.seeds);
  const seeds = chosen(count, readCount('from', values.from), values.filter);
  const reports: SeedReport[] = [];
  await runSeeds(seeds, Math.max(1, readCount('jobs', values.jobs)), (report) => {
    reports.push(report);
    tell(report);
    const progress = `${reports.length} of ${seeds.length} seeds`;
    if (process.stderr.isTTY) process.stderr.write(`\r${progress}`);
    else if (reports.length % 20 === 0) console.error(progress);
  });
  const failed = reports.filter(({ problems }) => problems.length > 0).length;
  console.log(`\n${tableOf(reports)}\n`);
  console.log(`${reports.length - failed} passed, ${failed} failed`);
  if (failed > 0) process.exitCode = 1;
}

try {
  await (process.argv[2] === '--child' ? serveSeeds() : main());
} catch (error) {
  console.error(error instanceof Error ? error.message : String(error));
  console.error(`\n${usage}`);
  process.exitCode = 2;
}
