import { type BenchResult, type RunResult } from '../results/schema.js';

/** Requests of one row in flight, and the same rows in larger requests. */
export interface Batching {
  singles: RunResult;
  /** With the same rows, or about as many, in flight; fewer rows a request first. */
  together: readonly RunResult[];
}

/** What is compared of each model that was run both ways, on one pipeline of 4 workers. */
export function batchingOf(result: BenchResult): Batching[] {
  const runs = result.runs.filter(
    (run) =>
      run.costSchedule === '2026-07' &&
      run.way === 'd' &&
      run.workers === 4 &&
      run.pipelines === 1 &&
      run.concurrency === run.requests,
  );
  return result.models.flatMap(({ name }) => {
    const own = runs.filter((run) => run.model === name);
    const [singles] = own
      .filter((run) => run.batch === 1 && run.requests > 1)
      .toSorted((x, y) => y.requests - x.requests);
    const together = own.filter((run) => run.batch > 1).toSorted((x, y) => x.batch - y.batch);
    return singles && together.length > 0 ? [{ singles, together }] : [];
  });
}

/** Workers' instructions an input of requests of one row, as a part of those of another run. */
export function timesOf({ singles }: Batching, other: RunResult): number {
  return singles.instructionsPerInput.workers / other.instructionsPerInput.workers;
}
