import { basename } from 'node:path';
import type { Worker } from 'node:worker_threads';
import { startThread } from '../thread.js';
import type { CaseResult } from './case.js';
import { readCase } from './files.js';
import type { PlayOptions } from './play.js';

export interface PoolOptions extends PlayOptions {
  readonly jobs: number;
  /** A case that runs longer is stopped and counts as failed, milliseconds. */
  readonly timeoutMs: number;
}

/** Plays case files on several threads, calling back as each is done. */
export async function playAll(
  files: readonly string[],
  options: PoolOptions,
  done: (result: CaseResult) => void,
): Promise<void> {
  const queue = [...files];
  const lane = async (): Promise<void> => {
    let worker = start(options);
    for (let file = queue.shift(); file !== undefined; file = queue.shift()) {
      const result = await play(worker, file, options.timeoutMs);
      if (result.restart) {
        await worker.terminate();
        worker = start(options);
      }
      done(result.result);
    }
    await worker.terminate();
  };
  await Promise.all(Array.from({ length: Math.min(options.jobs, files.length) }, lane));
}

function start(options: PlayOptions): Worker {
  const workerData: PlayOptions = { costs: options.costs, modules: options.modules };
  return startThread(new URL('./worker.js', import.meta.url), { workerData });
}

function play(
  worker: Worker,
  file: string,
  timeoutMs: number,
): Promise<{ result: CaseResult; restart: boolean }> {
  return new Promise((resolve) => {
    const settle = (result: CaseResult, restart: boolean): void => {
      clearTimeout(timer);
      worker.off('message', onMessage);
      worker.off('error', onError);
      resolve({ result, restart });
    };
    const onMessage = (result: CaseResult): void => {
      settle(result, false);
    };
    const onError = (error: Error): void => {
      settle(broken(file, `the thread ended: ${error.message}`, 0), true);
    };
    const timer = setTimeout(() => {
      settle(broken(file, `not finished after ${timeoutMs / 1000} s`, timeoutMs), true);
    }, timeoutMs);
    worker.on('message', onMessage);
    worker.on('error', onError);
    worker.postMessage(file);
  });
}

function broken(file: string, text: string, milliseconds: number): CaseResult {
  return {
    name: basename(file, '.json'),
    topic: file.includes('#') ? 'metering' : readCase(file).topic,
    differences: [{ aspect: 'outcome', step: -1, text }],
    milliseconds,
  };
}
