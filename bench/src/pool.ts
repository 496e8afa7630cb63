import { fork } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import type { Job, JobMessage } from './job.js';
import type { LoadResult, RunResult } from './results/schema.js';

const script = fileURLToPath(new URL('./job.js', import.meta.url));

export interface JobResults {
  /** In the order of jobs. */
  runs: RunResult[];
  load?: LoadResult;
}

function nameOf(job: Job): string {
  if (job === 'load') return 'many callers';
  const { model, workers, pipelines, costSchedule } = job;
  return `${model} on ${workers} workers in ${pipelines} pipelines, ${costSchedule}`;
}

/** Runs one job in a process of its own; throws what failed there. */
function runJob(job: Job, onRun: (run: RunResult) => void): Promise<JobResults> {
  return new Promise((resolve, reject) => {
    const results: JobResults = { runs: [] };
    let ended = false;
    const child = fork(script, [JSON.stringify(job)], { execArgv: process.execArgv });
    child.on('message', (message: JobMessage) => {
      switch (message.kind) {
        case 'run':
          results.runs.push(message.run);
          onRun(message.run);
          break;
        case 'load':
          results.load = message.load;
          break;
        case 'done':
          ended = true;
          resolve(results);
          break;
        case 'failed':
          ended = true;
          reject(new Error(`${nameOf(job)}: ${message.message}`));
      }
    });
    child.on('error', reject);
    child.on('exit', (code) => {
      if (!ended) reject(new Error(`${nameOf(job)}: its process ended with ${String(code)}`));
    });
  });
}

/**
 * Runs jobs, `size` at a time. Each has an IC of its own, so counts do not depend on what else runs.
 * Where one fails no further one starts.
 */
export async function runJobs(
  jobs: readonly Job[],
  size: number,
  onRun: (run: RunResult) => void,
): Promise<JobResults> {
  const results = jobs.map((): JobResults => ({ runs: [] }));
  let next = 0;
  const lane = async (): Promise<void> => {
    while (next < jobs.length) {
      const index = next++;
      try {
        results[index] = await runJob(jobs[index]!, onRun);
      } catch (error) {
        next = jobs.length;
        throw error;
      }
    }
  };
  await Promise.all(Array.from({ length: size }, lane));
  const load = results.find((result) => result.load !== undefined)?.load;
  return { runs: results.flatMap(({ runs }) => runs), ...(load && { load }) };
}
