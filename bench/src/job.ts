/** Child process of the benchmark: measures one job, given as JSON, and tells its parent the results. */
import { measureLoad } from './measure/load.js';
import { measureModel } from './measure/model.js';
import { benchModel } from './models/catalogue.js';
import { openReference } from './reference.js';
import type { LoadResult, RunResult } from './results/schema.js';
import type { SuiteJob } from './suite.js';

/** What a job tells its parent. */
export type JobMessage =
  | { kind: 'run'; run: RunResult }
  | { kind: 'load'; load: LoadResult }
  | { kind: 'done' }
  | { kind: 'failed'; message: string };

/** A job of the suite, or the runs about many callers. */
export type Job = SuiteJob | 'load';

async function main(job: Job): Promise<void> {
  if (job === 'load') {
    const reference = await openReference(benchModel('digits-cnn').path());
    tell({ kind: 'load', load: await measureLoad((inputs) => reference.run(inputs)) });
    await reference.close();
    return;
  }
  const model = benchModel(job.model);
  const reference = await openReference(model.path());
  await measureModel(
    { ...job, model },
    (inputs) => reference.run(inputs),
    (run) => {
      tell({ kind: 'run', run });
    },
  );
  await reference.close();
}

function tell(message: JobMessage): void {
  process.send!(message);
}

try {
  await main(JSON.parse(process.argv[2] ?? '') as Job);
  tell({ kind: 'done' });
} catch (error) {
  tell({
    kind: 'failed',
    message: error instanceof Error ? (error.stack ?? error.message) : String(error),
  });
}
process.disconnect();
