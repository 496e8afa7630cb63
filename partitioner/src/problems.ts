import { PartitionError, type PartitionErrorDetails, type Problem } from './error.js';

/** Names listed of a group of problems of one kind. */
const namesShown = 3;

/** Problems without repetitions, those of one operator and reason together. */
function grouped(problems: readonly Problem[]): Problem[][] {
  const groups = new Map<string, Map<string, Problem>>();
  for (const problem of problems) {
    const { op, why, advice, node } = problem;
    const key = JSON.stringify([op, why, advice]);
    const group = groups.get(key) ?? new Map<string, Problem>();
    groups.set(key, group.set(node, problem));
  }
  return [...groups.values()].map((group) => [...group.values()]);
}

/** `Conv ×12 (first "a", "b", "c"): why; advice` */
function groupText(group: readonly Problem[]): string {
  const { op, why, advice } = group[0]!;
  const names = group.slice(0, namesShown).map(({ node }) => `"${node}"`);
  const where =
    group.length === 1
      ? ` ${names[0]!}`
      : ` ×${group.length} (${group.length > namesShown ? 'first ' : ''}${names.join(', ')})`;
  return `  ${op}${where}: ${why}; ${advice}`;
}

/**
 * The error that lists all that cannot be run, once each, grouped by operator and reason.
 *
 * @param after text for its end
 */
export function unsupportedError(
  problems: readonly Problem[],
  details: PartitionErrorDetails = {},
  after = '',
): PartitionError {
  const groups = grouped(problems);
  const all = groups.flat();
  const count = `${all.length} part${all.length === 1 ? '' : 's'}`;
  return new PartitionError(
    'unsupported',
    `${count} of the model cannot be run:\n${groups.map(groupText).join('\n')}${after}`,
    { ...details, problems: all },
  );
}
