/** `npm run bench`: measures, prints a table, writes JSON, plots and docs/benchmarks.md. */
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join, relative } from 'node:path';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';
import { planModel } from '@canopy/partitioner';
import { workerCount } from '@canopy/protocol';
import { readLarge } from './large/store.js';
import { readModelCosts } from './model-costs/result.js';
import { secondsRatio } from './measure/seconds.js';
import { usdPerXdr } from './measure/money.js';
import { benchModel } from './models/catalogue.js';
import type { Job } from './job.js';
import { runJobs } from './pool.js';
import { benchmarkPage } from './report/page.js';
import { runTable } from './report/run-table.js';
import { compareResults } from './results/compare.js';
import { modelResult } from './results/models.js';
import { parseBenchResult, runKey, schemaVersion, type BenchResult } from './results/schema.js';
import { fullSuite, quickSuite, type Shape } from './suite.js';

const root = fileURLToPath(new URL('../../', import.meta.url));
const results = join(root, 'bench/results');
const docs = join(root, 'docs');
const figures = 'benchmarks';
/** Jobs at a time; each takes one core. */
const processes = 2;

const usage = `npm run bench [-- options]
  --quick      a small part, compared with the committed figures
  --page       write docs/benchmarks.md anew from the committed figures; measures nothing
  --baseline   with --quick: take the figures measured as the ones to compare with`;

function version(): string {
  const text = readFileSync(join(root, 'package.json'), 'utf8');
  return (JSON.parse(text) as { version: string }).version;
}

function log(text: string): void {
  process.stderr.write(`${text}\n`);
}

function writeResult(result: BenchResult): void {
  mkdirSync(results, { recursive: true });
  const path = join(results, `${result.mode}.json`);
  writeFileSync(path, `${JSON.stringify(result, null, 1)}\n`);
  log(`wrote ${relative(root, path)}`);
}

function readResult(mode: 'full' | 'quick'): BenchResult {
  const path = join(results, `${mode}.json`);
  return parseBenchResult(readFileSync(path, 'utf8'), relative(root, path));
}

function writePage(result: BenchResult): void {
  const page = benchmarkPage(result, figures, readLarge(), readModelCosts());
  mkdirSync(join(docs, figures), { recursive: true });
  for (const { file, svg } of page.figures) writeFileSync(join(docs, figures, file), svg);
  writeFileSync(join(docs, 'benchmarks.md'), page.markdown);
  log('wrote docs/benchmarks.md and its plots');
}

async function measure(mode: 'full' | 'quick'): Promise<BenchResult> {
  const jobs = mode === 'full' ? await fullSuite(chooseShape) : quickSuite();
  const total = jobs.reduce((sum, job) => sum + job.runs.length, 0);
  const start = Date.now();
  let done = 0;
  const all: Job[] = mode === 'full' ? [...jobs, 'load'] : jobs;
  const { runs, load } = await runJobs(all, processes, (run) => {
    const seconds = Math.round((Date.now() - start) / 1000);
    log(
      `${String(++done).padStart(3)}/${total}  ${seconds} s  ${runKey(run)}: ${run.rounds.total} rounds`,
    );
  });
  const names = [...new Set(jobs.map((job) => job.model))];
  const models = names.map((name) => modelResult(benchModel(name), runs));
  if (mode === 'full') {
    for (const model of models) {
      const { workers, pipelines } = await chooseShape(model.name, 'auto');
      Object.assign(model, { autoWorkers: workers, autoPipelines: pipelines });
      log(`seconds of ${model.name}`);
      model.secondsRatio = await secondsRatio(benchModel(model.name));
    }
  }
  return {
    schemaVersion,
    canopyVersion: version(),
    node: process.version,
    ic: { kind: 'embedded', version: version(), url: null },
    mode,
    usdPerXdr,
    models,
    runs,
    ...(load && { load }),
  };
}

/** Shapes chosen so far, by model and workers. */
const chosen = new Map<string, Promise<Shape>>();

/** What the planner chooses for throughput; it is asked once. */
function chooseShape(name: string, workers: number | 'auto'): Promise<Shape> {
  const key = `${name} ${workers}`;
  const known = chosen.get(key) ?? planShape(name, workers);
  chosen.set(key, known);
  return known;
}

async function planShape(name: string, workers: number | 'auto'): Promise<Shape> {
  const model = benchModel(name);
  const options = { workers, pipelines: 'auto', dims: { ...model.dims } } as const;
  const planned = await planModel(model.path(), options);
  planned.close();
  const { plan } = planned;
  return { workers: workerCount(plan), pipelines: plan.pipelines };
}

/** Prints what differs from the committed figures; true where nothing does. */
function sameAsBaseline(result: BenchResult): boolean {
  const differences = compareResults(result, readResult('quick'));
  for (const { where, expected, actual } of differences) {
    log(`differs by 1 % or more: ${where}: ${actual}, committed ${expected}`);
  }
  if (differences.length === 0) log('all counts are within 1 % of the committed ones');
  else
    log('explain the change, and take the new figures with: npm run bench -- --quick --baseline');
  return differences.length === 0;
}

async function main(): Promise<void> {
  const { values } = parseArgs({
    options: {
      quick: { type: 'boolean', default: false },
      page: { type: 'boolean', default: false },
      baseline: { type: 'boolean', default: false },
      help: { type: 'boolean', default: false },
    },
  });
  if (values.help) {
    console.log(usage);
    return;
  }
  if (values.page) {
    writePage(readResult('full'));
    return;
  }
  const result = await measure(values.quick ? 'quick' : 'full');
  console.log(runTable(result.runs));
  if (!values.quick) {
    writeResult(result);
    writePage(result);
  } else if (values.baseline) writeResult(result);
  else if (!sameAsBaseline(result)) process.exitCode = 1;
}

await main();
