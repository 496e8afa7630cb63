import { aspects, type Aspect, type CaseResult, type Difference } from './case.js';

/** Differences that count: without the aspects to ignore. */
export function counted(result: CaseResult, ignore: ReadonlySet<Aspect>): Difference[] {
  return result.differences.filter(({ aspect }) => !ignore.has(aspect));
}

/** One line for each difference of a case, at most `limit` of them. */
export function differenceLines(
  result: CaseResult,
  ignore: ReadonlySet<Aspect>,
  limit: number,
): string[] {
  const differences = counted(result, ignore);
  const lines = differences
    .slice(0, limit)
    .map(({ step, aspect, text }) => `  step ${step} ${aspect}: ${text.replaceAll('\n', '\\n')}`);
  const rest = differences.length - lines.length;
  if (rest > 0) lines.push(`  … and ${rest} more`);
  return [`${result.name} (${result.topic})`, ...lines];
}

/**
 * The table by topic: cases passed and failed; each failed case is counted under the most
 * important aspect in which it differs.
 */
export function topicTable(results: readonly CaseResult[], ignore: ReadonlySet<Aspect>): string {
  const topics = [...new Set(results.map(({ topic }) => topic))].sort();
  const rows = topics.map((topic) => {
    const cases = results.filter((result) => result.topic === topic);
    const worst = cases.map((result) => worstAspect(counted(result, ignore)));
    const count = (aspect: Aspect | undefined): number => worst.filter((w) => w === aspect).length;
    return [topic, cases.length, count(undefined), ...aspects.map(count)].map(String);
  });
  return table([['topic', 'cases', 'passed', ...aspects], ...rows]);
}

function worstAspect(differences: readonly Difference[]): Aspect | undefined {
  return aspects.find((aspect) => differences.some((difference) => difference.aspect === aspect));
}

function table(rows: readonly string[][]): string {
  const widths = rows[0]!.map((_, column) => Math.max(...rows.map((row) => row[column]!.length)));
  return rows
    .map((row) =>
      row
        .map((cell, column) =>
          column === 0 ? cell.padEnd(widths[column]!) : cell.padStart(widths[column]!),
        )
        .join('  '),
    )
    .join('\n');
}
