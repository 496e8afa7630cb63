import { stateNames, type Standing } from './health.js';
import { table } from './output.js';

/** A look at a deployment, and when it was, in milliseconds. */
export interface Look {
  standing: Standing;
  atMs: number;
}

/** What a worker did in a second since an earlier look; undefined where that is not known. */
interface Rate {
  tasks: number;
  instructions: number;
}

/**
 * What each worker did in a second between two looks. One that was installed anew counts from 0 again, and one that
 * did not answer tells nothing: both are undefined.
 */
export function ratesOf(now: Look, before: Look | undefined): (Rate | undefined)[] {
  const seconds = before === undefined ? 0 : (now.atMs - before.atMs) / 1000;
  return now.standing.workers.map((worker, index) => {
    const earlier = before?.standing.workers[index];
    if (worker === undefined || earlier === undefined || seconds <= 0) return undefined;
    const tasks = Number(worker.tasksDone - earlier.tasksDone);
    const instructions = Number(worker.instructions - earlier.instructions);
    if (tasks < 0 || instructions < 0) return undefined;
    return { tasks: tasks / seconds, instructions: instructions / seconds };
  });
}

/** Requests a second between two looks at the coordinator; undefined where that is not known. */
function requestRate(now: Look, before: Look | undefined): number | undefined {
  const [metrics, earlier] = [now.standing.metrics, before?.standing.metrics];
  if (metrics === undefined || earlier === undefined) return undefined;
  const count = Number(metrics.requests - earlier.requests);
  const seconds = (now.atMs - before!.atMs) / 1000;
  return count < 0 || seconds <= 0 ? undefined : count / seconds;
}

/** A canister in a frame. */
export interface Row {
  place: string;
  state: string;
  /** Of workers: requests in the queue and tasks under way. */
  waiting?: number;
  /** Of workers: tasks since the canister was installed. */
  done?: number;
  tasksASecond?: number;
  instructionsASecond?: number;
  memoryBytes: number;
  cycles: bigint;
  /** Days until it is frozen if nobody asks it. */
  daysLeft?: number;
}

/** The coordinator and the workers at one time; rates are since `before`. */
export function rowsOf(now: Look, before?: Look): Row[] {
  const { places, health, workers } = now.standing;
  const rates = ratesOf(now, before);
  return health.map((one, index) => {
    const { status, memoryBytes, cycles, daysLeft } = one;
    const [worker, rate] = index === 0 ? [] : [workers[index - 1], rates[index - 1]];
    return {
      place: places[index]!,
      state: status === 'running' ? activityOf(index, worker, rate) : status,
      ...(worker && { waiting: worker.waiting, done: Number(worker.tasksDone) }),
      ...(rate && { tasksASecond: rate.tasks, instructionsASecond: rate.instructions }),
      memoryBytes,
      cycles,
      ...(daysLeft !== undefined && { daysLeft }),
    };
  });
}

/** What `canopy top` shows of a deployment at one time, in lines; rates are since `before`. */
export function frameOf(model: string, now: Look, before?: Look): string {
  const { metrics, problems } = now.standing;
  const rate = requestRate(now, before);
  const requests =
    metrics === undefined
      ? 'the coordinator does not answer'
      : `${String(metrics.requests)} requests, ${String(metrics.failed)} failed, ${metrics.in_flight} under way`;
  const fixed = (value: number | undefined, digits: number): number | string =>
    value === undefined ? '' : Number(value.toFixed(digits));
  const rows = rowsOf(now, before).map((row) => [
    row.place,
    row.state,
    row.waiting ?? '',
    row.done ?? '',
    fixed(row.tasksASecond, 1),
    fixed(row.instructionsASecond && row.instructionsASecond / 1e6, 1),
    fixed(row.memoryBytes / 1024 ** 2, 1),
    fixed(Number(row.cycles) / 1e12, 3),
    row.daysLeft ?? '',
  ]);
  const titles = ['place', 'state', 'waiting', 'done', 'done/s', 'M instructions/s'];
  return [
    `${model}  ${new Date(now.atMs).toISOString()}`,
    rate === undefined ? requests : `${requests}, ${rate.toFixed(1)} a second`,
    '',
    table([...titles, 'MiB', 'T cycles', 'days left'], rows),
    ...problems.map((problem) => `! ${problem}`),
  ].join('\n');
}

/** What a running canister is at: `works` where it has work or did some since the last look. */
function activityOf(
  index: number,
  worker: Standing['workers'][number],
  rate: Rate | undefined,
): string {
  if (index === 0) return 'running';
  if (worker === undefined) return 'frozen';
  const state = stateNames.get(worker.state) ?? 'unknown';
  if (state !== 'ready') return state;
  return worker.waiting > 0 || (rate?.instructions ?? 0) > 0 ? 'works' : 'idle';
}
