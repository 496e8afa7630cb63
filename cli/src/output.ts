/** How a command speaks: results to stdout, all else to stderr. And how it is told to end. */
export interface Output {
  /** Print results as JSON. */
  json: boolean;
  /** No progress. */
  quiet: boolean;
  /** Writes a line of the result. */
  print(text: string): void;
  /** Writes a line that is no part of the result; nothing when quiet. */
  note(text: string): void;
  /** Aborted when the user interrupts the command. */
  signal: AbortSignal;
}

export function makeOutput(options: {
  json?: boolean;
  quiet?: boolean;
  signal: AbortSignal;
}): Output {
  const quiet = options.quiet ?? false;
  return {
    json: options.json ?? false,
    quiet,
    signal: options.signal,
    print: (text) => {
      process.stdout.write(`${text}\n`);
    },
    note: (text) => {
      if (!quiet) process.stderr.write(`${text}\n`);
    },
  };
}

/** JSON of a result; 64-bit integers as text where a number cannot hold them. */
export function toJson(value: unknown): string {
  return JSON.stringify(
    value,
    (_, one: unknown) =>
      typeof one !== 'bigint' ? one : Number.isSafeInteger(Number(one)) ? Number(one) : String(one),
    2,
  );
}

/** Aligns cells in columns, those that hold nothing but numbers (given as such) to the right. */
export function table(
  titles: readonly string[],
  rows: readonly (readonly (string | number)[])[],
): string {
  const widths = titles.map((title, column) =>
    Math.max(title.length, ...rows.map((row) => String(row[column]).length)),
  );
  const line = (cells: readonly (string | number)[], right: (column: number) => boolean): string =>
    cells
      .map((cell, column) =>
        right(column)
          ? String(cell).padStart(widths[column]!)
          : String(cell).padEnd(widths[column]!),
      )
      .join('  ')
      .trimEnd();
  const isNumeric = (column: number): boolean =>
    rows.some((row) => typeof row[column] === 'number') &&
    rows.every((row) => typeof row[column] === 'number' || row[column] === '');
  return [line(titles, isNumeric), ...rows.map((row) => line(row, isNumeric))].join('\n');
}
