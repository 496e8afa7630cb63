import { count, digits, optional, percent } from '../report/format.js';
import { renderTable } from '../report/table.js';
import { costedModels, type CostedModel } from './models.js';
import type { ModelCost } from './result.js';

const left = { align: 'left' } as const;

/** A model on so many workers, in both schedules. */
interface Line {
  model: CostedModel;
  workers: number;
  before: ModelCost | undefined;
  now: ModelCost | undefined;
}

function linesOf(results: readonly ModelCost[]): Line[] {
  return costedModels.flatMap((model) => {
    const own = results.filter((one) => one.model === model.name);
    const workers = [...new Set(own.map((one) => one.workers))].sort((a, b) => a - b);
    return workers.map((some): Line => {
      const of = (schedule: ModelCost['costSchedule']): ModelCost | undefined =>
        own.find((one) => one.workers === some && one.costSchedule === schedule);
      return { model, workers: some, before: of('2025-10'), now: of('2026-07') };
    });
  });
}

const each = (cost: ModelCost): number => cost.instructions / cost.multiplyAdds;

/** What models take, beside tract and what is wanted, as a Markdown table. */
export function modelCostTable(results: readonly ModelCost[]): string {
  return renderTable<Line>(
    [
      { title: 'model', ...left, cell: ({ model }) => model.name },
      { title: 'workers', cell: ({ workers }) => String(workers) },
      { title: 'multiply-adds', cell: ({ now }) => optional(now?.multiplyAdds, count) },
      { title: '2025-10', cell: ({ before }) => optional(before?.instructions, count) },
      { title: 'a multiply-add', cell: ({ before }) => optional(before && each(before), digits) },
      { title: '2026-07', cell: ({ now }) => optional(now?.instructions, count) },
      { title: 'a multiply-add', cell: ({ now }) => optional(now && each(now), digits) },
      { title: 'worst prediction', cell: ({ now }) => optional(now?.worstPrediction, percent) },
      {
        title: 'wanted',
        cell: ({ model, workers }) => (workers > 1 ? '' : optional(model.goal, count)),
      },
      { title: 'tract, 2025-10', cell: ({ model }) => optional(model.tract, count) },
    ],
    linesOf(results),
  );
}

/** The part of the page about what models take. */
export function modelCostSection(results: readonly ModelCost[]): string {
  if (results.length === 0) return '';
  return `
## What models take

Written by \`npm run bench:models\` from \`bench/results/models.json\`: instructions of one row, all stages together, as the workers count them over all their messages, pages included in schedule 2026-07. Wanted is for one worker, pages included. tract's figures were measured on a replica and given to this project; they are not measured here.

${modelCostTable(results)}
`;
}
