import type { Outcome, Status } from './outcome.js';

/** Cases of one operator, or of models of several nodes. */
interface Row {
  operator: string;
  counts: Record<Status, number>;
  cases: number;
  reference: number;
}

function rowsOf(outcomes: readonly Outcome[]): Row[] {
  const rows = new Map<string, Row>();
  for (const { operators, status, reference } of outcomes) {
    const operator = operators.length === 1 ? operators[0]! : 'several nodes';
    const row = rows.get(operator) ?? {
      operator,
      counts: { passed: 0, failed: 0, unsupported: 0 },
      cases: 0,
      reference: 0,
    };
    row.counts[status]++;
    row.cases++;
    row.reference += Number(reference);
    rows.set(operator, row);
  }
  return [...rows.values()].sort((one, other) => (one.operator < other.operator ? -1 : 1));
}

const columns = ['operator', 'cases', 'passed', 'failed', 'unsupported', 'onnxruntime passes'];

function table(rows: readonly (readonly (string | number)[])[]): string {
  const widths = columns.map((_, at) => Math.max(...rows.map((row) => `${row[at]}`.length)));
  return rows
    .map((row) =>
      row
        .map((cell, at) =>
          at === 0 ? `${cell}`.padEnd(widths[at]!) : `${cell}`.padStart(widths[at]!),
        )
        .join('  ')
        .trimEnd(),
    )
    .join('\n');
}

/** Counts of what counts: what is refused is no failure where onnxruntime does not give it either. */
export function totals(outcomes: readonly Outcome[]): { passed: number; failed: number } {
  const passed = outcomes.filter(({ status }) => status === 'passed').length;
  const failed = outcomes.filter(
    ({ status, reference }) => status === 'failed' || (status === 'unsupported' && reference),
  ).length;
  return { passed, failed };
}

/** The table by operator, what failed, operators that are missing, and the totals. */
export function report(outcomes: readonly Outcome[], verbose: boolean): string {
  const rows = rowsOf(outcomes).map(({ operator, cases, counts, reference }) => [
    operator,
    cases,
    counts.passed,
    counts.failed,
    counts.unsupported,
    reference,
  ]);
  const lines = [table([columns, ...rows])];
  const list = (status: Status): void => {
    for (const outcome of outcomes) {
      if (outcome.status !== status) continue;
      const why = outcome.why.replaceAll(/\s+/g, ' ').slice(0, 300);
      lines.push(
        `${status}${outcome.reference ? '' : ' (onnxruntime too)'} ${outcome.name}: ${why}`,
      );
    }
  };
  list('failed');
  if (verbose) list('unsupported');
  const missing = new Map<string, number>();
  for (const outcome of outcomes) {
    if (!outcome.reference) continue;
    for (const operator of new Set(outcome.missing)) {
      missing.set(operator, (missing.get(operator) ?? 0) + 1);
    }
  }
  if (missing.size > 0) {
    const names = [...missing].sort(([, one], [, other]) => other - one);
    lines.push(
      `refused because of: ${names.map(([name, count]) => `${name} ${count}`).join(', ')}`,
    );
  }
  const { passed, failed } = totals(outcomes);
  return [...lines, `${passed} passed, ${failed} failed`].join('\n');
}
