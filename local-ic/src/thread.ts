import { Worker, type WorkerOptions } from 'node:worker_threads';

/**
 * Stack of a thread that runs canisters, in MiB. A replica gives a canister 5 MiB, which is counted by
 * frames as the replica's engine has them; this engine's frames are larger, so its own stack must not
 * end first.
 */
const stackSizeMb = 64;

/** Starts a thread with a stack that is deep enough for whatever canisters do. */
export function startThread(file: URL, options: WorkerOptions = {}): Worker {
  return new Worker(file, { ...options, resourceLimits: { stackSizeMb } });
}
