import { Writable } from 'node:stream';
import {
  Listr,
  ListrLogger,
  ProcessOutput,
  type ListrDefaultRendererLogLevels,
  type ListrLogLevels,
} from 'listr2';

/** How a command speaks: results to stdout, all else to stderr. */
export interface Output {
  /** Print results as JSON. */
  json: boolean;
  /** No progress. */
  quiet: boolean;
  /** Writes a line of the result. */
  print(text: string): void;
  /** Writes a line that is no part of the result; nothing when quiet. */
  note(text: string): void;
}

export function makeOutput(options: { json?: boolean; quiet?: boolean }): Output {
  const quiet = options.quiet ?? false;
  return {
    json: options.json ?? false,
    quiet,
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

/** Part of a command that takes a while. */
export interface Step {
  title: string;
  /** @param update shows what is going on now */
  run: (update: (text: string) => void) => Promise<void>;
}

/** A logger for Listr that takes stderr for stdout: that is where progress belongs. */
function stderrLogger<
  Levels extends ListrLogLevels | ListrDefaultRendererLogLevels,
>(): ListrLogger<Levels> {
  const nothing = new Writable({
    write: (_chunk, _encoding, done) => {
      done();
    },
  });
  const processOutput = new ProcessOutput(process.stderr, nothing as unknown as NodeJS.WriteStream);
  return new ListrLogger<Levels>({ processOutput, useIcons: true });
}

/** Runs steps one after the other and shows their progress on stderr, plainly without a terminal. */
export async function runSteps(output: Output, steps: readonly Step[]): Promise<void> {
  await new Listr(
    steps.map(({ title, run }) => ({
      title,
      task: async (_: unknown, task: { output: string }): Promise<void> => {
        await run((text) => {
          task.output = text;
        });
      },
    })),
    {
      silentRendererCondition: output.quiet,
      fallbackRendererCondition: () => !process.stderr.isTTY,
      rendererOptions: { logger: stderrLogger<ListrDefaultRendererLogLevels>() },
      fallbackRendererOptions: { logger: stderrLogger<ListrLogLevels>() },
    },
  ).run();
}

/** Aligns cells in columns, numbers (given as such) to the right. */
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
    rows.length > 0 && rows.every((row) => typeof row[column] === 'number');
  return [line(titles, isNumeric), ...rows.map((row) => line(row, isNumeric))].join('\n');
}
