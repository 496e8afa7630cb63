import { kinds } from './kinds.js';
import type { SeedReport } from './seed.js';

interface Row {
  seeds: number;
  requests: number;
  right: number;
  lost: number;
  wrong: number;
  doubled: number;
  hanging: number;
  errors: Map<string, number>;
}

const emptyRow = (): Row => ({
  seeds: 0,
  requests: 0,
  right: 0,
  lost: 0,
  wrong: 0,
  doubled: 0,
  hanging: 0,
  errors: new Map(),
});

function add(row: Row, { counts, lost, doubled }: SeedReport): void {
  row.seeds++;
  row.lost += lost;
  row.doubled += doubled;
  for (const [outcome, count] of Object.entries(counts)) {
    row.requests += count;
    if (outcome === 'right') row.right += count;
    else if (outcome === 'hanging') row.hanging += count;
    else if (outcome.startsWith('wrong')) row.wrong += count;
    else row.errors.set(outcome, (row.errors.get(outcome) ?? 0) + count);
  }
}

const heads = [
  'kind',
  'seeds',
  'requests',
  'right',
  'lost',
  'wrong',
  'doubled',
  'hanging',
  'errors',
];

function cells(name: string, row: Row): string[] {
  const { seeds, requests, right, lost, wrong, doubled, hanging } = row;
  const errors = [...row.errors].map(([outcome, count]) => `${outcome} ${count}`).sort();
  const numbers = [seeds, requests, right, lost, wrong, doubled, hanging].map(String);
  return [name, ...numbers, errors.join(', ')];
}

/** What came of all requests, by kind of fault. */
export function tableOf(reports: readonly SeedReport[]): string {
  const rows = new Map(kinds.map(({ name }) => [name, emptyRow()]));
  const all = emptyRow();
  for (const report of reports) {
    add(rows.get(report.kind)!, report);
    add(all, report);
  }
  const lines = [...rows]
    .filter(([, { seeds }]) => seeds > 0)
    .map(([name, row]) => cells(name, row));
  const table = [heads, ...lines, cells('all', all)];
  const widths = heads.map((_, at) => Math.max(...table.map((line) => line[at]!.length)));
  return table
    .map((line) =>
      line
        .map((cell, at) =>
          at === 0 || at === 8 ? cell.padEnd(widths[at]!) : cell.padStart(widths[at]!),
        )
        .join('  ')
        .trimEnd(),
    )
    .join('\n');
}
