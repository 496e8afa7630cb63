import { planModel, type PlanOptions } from '../index.js';
import { timedModels } from './models.js';

/**
 * Prints the processor seconds that planning takes: each test model by default, with the number of
 * workers chosen, and on given numbers of workers.
 */
const ways: Readonly<Record<string, PlanOptions>> = {
  default: {},
  auto: { workers: 'auto' },
  '4 workers': { workers: 4 },
  '8 workers': { workers: 8, pipelines: 'auto' },
};

async function seconds(path: string, options: PlanOptions): Promise<string> {
  const before = process.cpuUsage();
  try {
    (await planModel(path, options)).close();
  } catch (error) {
    // A model of few operations cannot be cut over many workers.
    return (error as { code?: string }).code ?? 'failed';
  }
  const { user, system } = process.cpuUsage(before);
  return ((user + system) / 1e6).toFixed(2);
}

// What is loaded and compiled once belongs to no model.
await seconds(Object.values(timedModels)[0]!.path, {});

const columns = Object.keys(ways);
console.log(['model'.padEnd(22), ...columns.map((name) => name.padStart(12))].join('  '));
for (const [name, { path, dims }] of Object.entries(timedModels)) {
  const cells: string[] = [];
  for (const options of Object.values(ways)) cells.push(await seconds(path, { ...options, dims }));
  console.log([name.padEnd(22), ...cells.map((cell) => cell.padStart(12))].join('  '));
}
