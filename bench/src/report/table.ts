/** A column: its title and how a row's cell reads. Numbers are set to the right. */
export interface Column<Row> {
  title: string;
  cell(row: Row): string;
  align?: 'left' | 'right';
}

/** A Markdown table whose columns are padded, so that it reads well on a terminal too. */
export function renderTable<Row>(columns: readonly Column<Row>[], rows: readonly Row[]): string {
  const cells = rows.map((row) => columns.map((column) => column.cell(row)));
  const widths = columns.map((column, index) =>
    Math.max(3, column.title.length, ...cells.map((line) => line[index]!.length)),
  );
  const pad = (text: string, index: number): string =>
    columns[index]!.align === 'left' ? text.padEnd(widths[index]!) : text.padStart(widths[index]!);
  const line = (texts: readonly string[]): string => `| ${texts.map(pad).join(' | ')} |`;
  const rule = columns.map((column, index) =>
    column.align === 'left' ? '-'.repeat(widths[index]!) : `${'-'.repeat(widths[index]! - 1)}:`,
  );
  return [line(columns.map((column) => column.title)), line(rule), ...cells.map(line)].join('\n');
}
