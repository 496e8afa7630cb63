import { isRoundIc, type BenchIc, type PendingCall } from '../ic/round-ic.js';
import { closedLoop, requestRounds } from './closed-loop.js';
import { timedLoop } from './timed-loop.js';

export interface Load<T> {
  requests: number;
  /** Requests kept in flight. */
  concurrency: number;
  /** Sends request `index`; `lane` says whose turn it is, below `concurrency`. */
  send(index: number, lane: number): Promise<PendingCall<T>>;
}

/** What became of a load; durations in rounds or seconds, as the IC's unit says. */
export interface LoadLog<T> {
  /** In the order of answers. */
  answers: { index: number; duration: number; answer: T }[];
  /** From the first request to the last answer. */
  total: number;
  /** Where rounds are counted: that of the first answer. */
  firstAnswerRound: number | null;
}

/** Keeps requests in flight until all are answered, on an IC of either kind. */
export async function runLoad<T>(ic: BenchIc, load: Load<T>): Promise<LoadLog<T>> {
  if (isRoundIc(ic)) {
    const start = ic.round;
    const log = await closedLoop(ic, load);
    return {
      answers: log.map((entry) => ({ ...entry, duration: requestRounds(entry) })),
      total: ic.round - start,
      firstAnswerRound: Math.min(...log.map((entry) => entry.answeredRound)),
    };
  }
  const start = performance.now();
  const log = await timedLoop(load);
  return {
    answers: log.map((entry) => ({ ...entry, duration: entry.seconds })),
    total: (performance.now() - start) / 1000,
    firstAnswerRound: null,
  };
}
