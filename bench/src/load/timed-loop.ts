import type { PendingCall } from '../ic/round-ic.js';

export interface TimedLoop<T> {
  requests: number;
  /** Requests kept in flight. */
  concurrency: number;
  /** Sends request `index`; `lane` says whose turn it is, below `concurrency`. */
  send(index: number, lane: number): Promise<PendingCall<T>>;
  /**
   * Seconds that a request may take.
   * @default 600
   */
  patience?: number;
}

export interface TimedLog<T> {
  index: number;
  /** From sending it until its answer is there. */
  seconds: number;
  answer: T;
}

/** Milliseconds between two looks at a request that is not answered by its own call. */
const pollMs = 50;
const defaultPatience = 600;

/**
 * Keeps `concurrency` requests in flight on an IC that runs by itself, until `requests` are answered.
 * Gives what happened, in the order of answers; where one fails, no further one is sent.
 */
export async function timedLoop<T>(loop: TimedLoop<T>): Promise<TimedLog<T>[]> {
  const { requests, concurrency, patience = defaultPatience } = loop;
  const log: TimedLog<T>[] = [];
  let sent = 0;
  const lane = async (number: number): Promise<void> => {
    while (sent < requests) {
      const index = sent++;
      const start = performance.now();
      const seconds = (): number => (performance.now() - start) / 1000;
      try {
        const call = await loop.send(index, number);
        let answer = await call.poll();
        while (answer === undefined) {
          if (seconds() > patience) throw new Error(`no answer for ${patience} seconds`);
          await new Promise((wake) => setTimeout(wake, pollMs));
          answer = await call.poll();
        }
        log.push({ index, seconds: seconds(), answer });
      } catch (error) {
        sent = requests;
        throw error;
      }
    }
  };
  await Promise.all(Array.from({ length: concurrency }, (_, number) => lane(number)));
  return log;
}
