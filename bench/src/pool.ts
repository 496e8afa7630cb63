import { fork } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import type { JobMessage } from './job.js';
import type { RunResult } from './results/schema.js';
import type { SuiteJob } from './suite.js';

const script = fileURLToPath(new URL('./job.js', import.meta.url));

/** Runs one job in a process of its own; throws what failed there. */
function runJob(job: SuiteJob, onRun: (run: RunResult) => void): Promise<RunResult[]> {
  return new Promise((resolve, reject) => {
    const runs: RunResult[] = [];
    let ended = false;
    const child = fork(script, [JSON.stringify(job)], { execArgv: process.execArgv });
    const what = `${job.model} on ${job.workers} workers, ${job.costSchedule}`;
    child.on('message', (message: JobMessage) => {
      if (message.kind === 'run') {
        runs.push(message.run);
        onRun(message.run);
        return;
      }
      ended = true;
      if (message.kind === 'done') resolve(runs);
      else reject(new Error(`${what}: ${message.message}`));
    });
    child.on('error', reject);
    child.on('exit', (code) => {
      if (!ended) reject(new Error(`${what}: its process ended with ${String(code)}`));
    });
  });
}

/**
 * Runs jobs, `size` at a time; results in the order of jobs. Each job has an IC of its own, so counts
 * do not depend on what else runs. Where one fails no further one starts.
 */
export async function runJobs(
  jobs: readonly SuiteJob[],
  size: number,
  onRun: (run: RunResult) => void,
): Promise<RunResult[]> {
  const results = jobs.map((): RunResult[] => []);
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
  return results.flat();
}
