import { basename } from 'node:path';
import { parentPort, workerData } from 'node:worker_threads';
import type { CaseResult, Difference } from './case.js';
import { meteringTask, readCase } from './files.js';
import { checkMetering } from './metering.js';
import { playCase, type PlayOptions } from './play.js';

/**
 * Plays one case file, or checks one section of the measurements. An error thrown on the way is a
 * difference of the case as a whole.
 */
export async function playFile(path: string, options: PlayOptions): Promise<CaseResult> {
  const started = performance.now();
  const metering = meteringTask(path);
  const { name, topic } = metering
    ? { name: `metering-${metering.section}`, topic: 'metering' }
    : readCase(path);
  let differences: Difference[];
  try {
    differences = metering
      ? await checkMetering(metering.file, metering.section, options.costs)
      : playCase(readCase(path), options);
  } catch (error) {
    const text = error instanceof Error ? (error.stack ?? error.message) : String(error);
    const brief = text.split('\n').slice(0, 6).join('\n');
    differences = [{ aspect: 'outcome', step: -1, text: `the run broke off: ${brief}` }];
  }
  return {
    name: name || basename(path),
    topic,
    differences,
    milliseconds: performance.now() - started,
  };
}

parentPort?.on('message', (path: string) => {
  void playFile(path, workerData as PlayOptions).then((result) => {
    parentPort!.postMessage(result);
  });
});
