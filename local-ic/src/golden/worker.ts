import { parentPort, workerData } from 'node:worker_threads';
import type { CaseResult } from './case.js';
import { readCase } from './files.js';
import { playCase, type PlayOptions } from './play.js';

/** Plays one case file. An error thrown while playing is a difference of the case as a whole. */
export function playFile(path: string, options: PlayOptions): CaseResult {
  const golden = readCase(path);
  const started = performance.now();
  let differences;
  try {
    differences = playCase(golden, options);
  } catch (error) {
    const text = error instanceof Error ? (error.stack ?? error.message) : String(error);
    const brief = text.split('\n').slice(0, 6).join('\n');
    differences = [{ aspect: 'outcome' as const, step: -1, text: `the run broke off: ${brief}` }];
  }
  return {
    name: golden.name,
    topic: golden.topic,
    differences,
    milliseconds: performance.now() - started,
  };
}

parentPort?.on('message', (path: string) => {
  parentPort!.postMessage(playFile(path, workerData as PlayOptions));
});
