/**
 * Least squares without negative weights: `x >= 0` for which `rows * x` comes close to `targets`,
 * each difference relative to a scale. Solves for all weights, leaves out the most negative one and solves again,
 * until none is negative.
 *
 * @param rows one list of numbers for each target, all of the same length
 */
export function nonNegativeFit(
  rows: readonly (readonly number[])[],
  targets: readonly number[],
  scales: readonly number[],
): number[] {
  const width = rows[0]?.length ?? 0;
  const relative = rows.map((row, index) => row.map((value) => value / scales[index]!));
  const goal = targets.map((target, index) => target / scales[index]!);
  const norms = Array.from({ length: width }, (_, at) =>
    Math.sqrt(relative.reduce((sum, row) => sum + row[at]! ** 2, 0)),
  );
  let kept = norms.flatMap((norm, at) => (norm > 0 ? [at] : []));
  for (;;) {
    const columns = kept.map((at) => relative.map((row) => row[at]! / norms[at]!));
    // A trace on the diagonal settles columns that are multiples of one another.
    const solved = solve(
      columns.map((left, i) => columns.map((right, j) => dot(left, right) + (i === j ? 1e-9 : 0))),
      columns.map((column) => dot(column, goal)),
    );
    const least = Math.min(0, ...solved);
    if (least === 0) {
      const x = new Array<number>(width).fill(0);
      kept.forEach((at, index) => (x[at] = solved[index]! / norms[at]!));
      return x;
    }
    kept = kept.filter((_, index) => solved[index] !== least);
  }
}

function dot(left: readonly number[], right: readonly number[]): number {
  return left.reduce((sum, value, index) => sum + value * right[index]!, 0);
}

/** Solves a system by elimination with pivots. */
function solve(matrix: number[][], goal: number[]): number[] {
  const size = goal.length;
  const rows = matrix.map((row, index) => [...row, goal[index]!]);
  for (let at = 0; at < size; at++) {
    let pivot = at;
    for (let row = at + 1; row < size; row++) {
      if (Math.abs(rows[row]![at]!) > Math.abs(rows[pivot]![at]!)) pivot = row;
    }
    [rows[at], rows[pivot]] = [rows[pivot]!, rows[at]!];
    for (let row = at + 1; row < size; row++) {
      const factor = rows[row]![at]! / rows[at]![at]!;
      for (let k = at; k <= size; k++) rows[row]![k] = rows[row]![k]! - factor * rows[at]![k]!;
    }
  }
  const x = new Array<number>(size).fill(0);
  for (let at = size - 1; at >= 0; at--) {
    const row = rows[at]!;
    const rest = x.reduce((sum, value, k) => (k > at ? sum + value * row[k]! : sum), 0);
    x[at] = (row[size]! - rest) / row[at]!;
  }
  return x;
}
