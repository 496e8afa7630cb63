import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';

/** What one row of a model takes on so many workers under a cost schedule; of all stages together. */
export interface ModelCost {
  model: string;
  workers: number;
  costSchedule: '2025-10' | '2026-07';
  multiplyAdds: number;
  instructions: number;
  /** How far the prediction of the worst stage is off, as a share of what was counted. */
  worstPrediction: number;
}

/** Results that are committed. */
const path = fileURLToPath(new URL('../../results/models.json', import.meta.url));

export function readModelCosts(): ModelCost[] {
  return existsSync(path) ? (JSON.parse(readFileSync(path, 'utf8')) as ModelCost[]) : [];
}

/** Puts results in the place of those of the same models, in the order of `names`. */
export function keepModelCosts(results: readonly ModelCost[], names: readonly string[]): void {
  const measured = new Set(results.map(({ model }) => model));
  const others = readModelCosts().filter(({ model }) => !measured.has(model));
  const all = [...others, ...results].filter(({ model }) => names.includes(model));
  all.sort((a, b) => names.indexOf(a.model) - names.indexOf(b.model));
  writeFileSync(path, `${JSON.stringify(all, null, 1)}\n`);
}
