/**
 * `npm run forecasts -w bench`: plans small models, runs each under the load that its plan states, and
 * prints what was forecast beside what was counted.
 */
import { measureForecast, type Forecast } from './measure/forecast.js';
import type { BenchModel } from './models/catalogue.js';
import { matMulModel, matMulSizes } from './models/matmul.js';
import { smallModel, smallModels } from './models/small.js';
import { digits, percent } from './report/format.js';
import { renderTable, type Column } from './report/table.js';

type Row = Forecast & { model: string };

function off(predicted: number, counted: number): string {
  return percent(predicted / counted - 1);
}

function rate({ predicted, counted }: Forecast): [number, number] {
  return [predicted.inferencesPerRound, counted.inferencesPerRound];
}

/** The stage whose instructions are farthest off, alone. */
function worstStage({ predicted, counted }: Forecast): string {
  const offs = predicted.stages.map((one, stage) => one / counted.stages[stage]! - 1);
  return percent(offs.reduce((worst, one) => (Math.abs(one) > Math.abs(worst) ? one : worst)));
}

const columns: readonly Column<Row>[] = [
  { title: 'model', align: 'left', cell: ({ model }) => model },
  { title: 'workers', cell: ({ workers }) => String(workers) },
  { title: 'batch', cell: ({ load }) => String(load.rowsPerRequest) },
  { title: 'in flight', cell: ({ load }) => String(load.concurrency) },
  { title: 'forecast a round', cell: (row) => digits(rate(row)[0]) },
  { title: 'counted', cell: (row) => digits(rate(row)[1]) },
  { title: 'off', cell: (row) => off(...rate(row)) },
  { title: 'rounds for one', cell: ({ predicted }) => String(predicted.roundsForOne) },
  { title: 'counted', cell: ({ counted }) => String(counted.roundsForOne) },
  { title: 'worst stage', cell: worstStage },
];

async function main(): Promise<void> {
  const jobs: [BenchModel, number][] = matMulSizes.map((size) => [matMulModel(size), 1]);
  for (const name of smallModels) {
    const model = await smallModel(name);
    for (const workers of name === 'tiny-gemm' ? [1] : [1, 4]) jobs.push([model, workers]);
  }
  const rows: Row[] = [];
  for (const [model, workers] of jobs) {
    rows.push({ model: model.name, ...(await measureForecast(model, { workers })) });
    process.stderr.write(`${rows.length}/${jobs.length} ${model.name}\n`);
  }
  console.log(renderTable(columns, rows));
}

await main();
