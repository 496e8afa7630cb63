import { existsSync, writeFileSync } from 'node:fs';
import { basename, resolve } from 'node:path';
import { parseArgs } from 'node:util';
import { findCases } from './cases.js';
import type { Outcome } from './outcome.js';
import { runCases } from './pool.js';
import { report, totals } from './report.js';

const usage = `npm run conformance -- [--cases DIR] [--filter TEXT] [--json FILE] [--workers N] [--relative NUMBER] [--verbose]

Runs cases in the layout of the ONNX backend tests (model.onnx, test_data_set_*/input_*.pb, output_*.pb)
inside the worker's module, planned for N workers, and in onnxruntime.

  --cases DIR        folder below which the cases lie (../shared/conformance)
  --filter TEXT      only cases whose path holds it
  --json FILE        writes what came of each case
  --workers N        stages to plan for (1)
  --relative NUMBER  how far floats may be off, besides 1e-5 (1e-3; 1e-4 where DIR is called graphs)
  --verbose          also lists what was refused, and why`;

async function main(): Promise<number> {
  const { values } = parseArgs({
    options: {
      cases: { type: 'string', default: '../shared/conformance' },
      filter: { type: 'string', default: '' },
      json: { type: 'string' },
      workers: { type: 'string', default: '1' },
      relative: { type: 'string' },
      verbose: { type: 'boolean', default: false },
      help: { type: 'boolean', default: false },
    },
  });
  if (values.help) {
    console.log(usage);
    return 0;
  }
  const folder = resolve(values.cases);
  if (!existsSync(folder)) throw new Error(`--cases: there is no folder ${folder}`);
  const workers = Number(values.workers);
  if (!Number.isInteger(workers) || workers < 1)
    throw new Error('--workers: a whole number from 1');
  const relative = Number(values.relative ?? (basename(folder) === 'graphs' ? 1e-4 : 1e-3));
  if (!(relative >= 0)) throw new Error('--relative: a number from 0');
  const cases = findCases(folder, values.filter);
  if (cases.length === 0)
    throw new Error(`no case below ${folder} has "${values.filter}" in its path`);

  const outcomes: Outcome[] = [];
  await runCases(cases, workers, { relative, absolute: 1e-5 }, (outcome) => {
    outcomes.push(outcome);
    if (process.stderr.isTTY) process.stderr.write(`\r${outcomes.length} of ${cases.length} `);
  });
  if (process.stderr.isTTY) process.stderr.write('\r');
  if (values.json !== undefined) writeFileSync(values.json, JSON.stringify(outcomes, null, 1));
  console.log(report(outcomes, values.verbose));
  return totals(outcomes).failed > 0 ? 1 : 0;
}

try {
  process.exitCode = await main();
} catch (error) {
  console.error(error instanceof Error ? error.message : error);
  process.exitCode = 2;
}
