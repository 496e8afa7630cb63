/** A figure of a preview beside what was counted. */
export interface CostRow {
  model: string;
  workers: number;
  profile: string;
  what: string;
  previewed: number;
  counted: number;
}

function billions(cycles: number): string {
  return (cycles / 1e9).toFixed(1);
}

/** The rows as a table of Markdown, in B cycles. */
export function costTable(rows: readonly CostRow[]): string {
  const cells = rows.map(({ model, workers, profile, what, previewed, counted }) => [
    model,
    String(workers),
    profile,
    what,
    billions(previewed),
    billions(counted),
    `${((previewed / counted - 1) * 100).toFixed(1)} %`,
  ]);
  const titles = ['model', 'workers', 'profile', 'cycles', 'previewed', 'charged', 'off'];
  const numeric = [false, true, false, false, true, true, true];
  const widths = titles.map((title, column) =>
    Math.max(title.length, ...cells.map((row) => row[column]!.length)),
  );
  const line = (row: readonly string[]): string =>
    `| ${row.map((cell, i) => (numeric[i] ? cell.padStart(widths[i]!) : cell.padEnd(widths[i]!))).join(' | ')} |`;
  const rule = widths.map((width, i) =>
    numeric[i] ? `${'-'.repeat(width - 1)}:` : '-'.repeat(width),
  );
  return [line(titles), `| ${rule.join(' | ')} |`, ...cells.map(line)].join('\n');
}
