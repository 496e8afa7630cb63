/** Child process of the benchmark: measures one job, given as JSON, and tells its parent each result. */
import { measureModel } from './measure/model.js';
import { benchModel } from './models/catalogue.js';
import { openReference } from './reference.js';
import type { RunResult } from './results/schema.js';
import type { SuiteJob } from './suite.js';

/** What a job tells its parent. */
export type JobMessage =
  { kind: 'run'; run: RunResult } | { kind: 'done' } | { kind: 'failed'; message: string };

async function main(job: SuiteJob): Promise<void> {
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
  await main(JSON.parse(process.argv[2] ?? '') as SuiteJob);
  tell({ kind: 'done' });
} catch (error) {
  tell({
    kind: 'failed',
    message: error instanceof Error ? (error.stack ?? error.message) : String(error),
  });
}
process.disconnect();
