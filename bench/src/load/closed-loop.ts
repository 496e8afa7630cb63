import type { PendingCall } from '../ic/round-ic.js';

/** What a load needs of an IC. */
export interface Rounds {
  readonly round: number;
  tick(): Promise<void>;
}

export interface ClosedLoop<T> {
  requests: number;
  /** Requests kept in flight. */
  concurrency: number;
  /** Sends request `index`; `lane` says whose turn it is, below `concurrency`. */
  send(index: number, lane: number): Promise<PendingCall<T>>;
  /** Whether a lane, once answered, sends nothing more. */
  isLast?(lane: number): boolean;
  /** Told of each answer, in the order of lanes within a round. */
  onAnswer?(log: RequestLog<T>): void;
  /** Rounds without an answer after which the load gives up. */
  patience?: number;
}

export interface RequestLog<T> {
  index: number;
  lane: number;
  /** The first round it could enter. */
  sentRound: number;
  answeredRound: number;
  answer: T;
}

const defaultPatience = 500;

/** Rounds of a request, the one it entered and the one it was answered in included. */
export function requestRounds(log: RequestLog<unknown>): number {
  return log.answeredRound - log.sentRound + 1;
}

/**
 * Keeps `concurrency` requests in flight until `requests` are answered: sends the next of a lane
 * when its last is answered. Gives what happened, in the order of answers.
 */
export async function closedLoop<T>(ic: Rounds, loop: ClosedLoop<T>): Promise<RequestLog<T>[]> {
  const lanes: ({ index: number; sentRound: number; call: PendingCall<T> } | undefined)[] = [];
  const log: RequestLog<T>[] = [];
  let sent = 0;
  let silentSince = ic.round;
  const launch = async (lane: number): Promise<void> => {
    if (sent >= loop.requests) {
      lanes[lane] = undefined;
      return;
    }
    const index = sent++;
    const sentRound = ic.round + 1;
    lanes[lane] = { index, sentRound, call: await loop.send(index, lane) };
  };
  for (let lane = 0; lane < loop.concurrency; lane++) await launch(lane);
  while (log.length < loop.requests) {
    await ic.tick();
    for (const [lane, flight] of lanes.entries()) {
      const answer = await flight?.call.poll();
      if (!flight || !answer) continue;
      const { index, sentRound } = flight;
      const entry = { index, lane, sentRound, answeredRound: ic.round, answer };
      log.push(entry);
      loop.onAnswer?.(entry);
      silentSince = ic.round;
      if (loop.isLast?.(lane) === true) lanes[lane] = undefined;
      else await launch(lane);
    }
    if (ic.round - silentSince > (loop.patience ?? defaultPatience)) {
      throw new Error(
        `no answer for ${ic.round - silentSince} rounds; ${log.length} of ${loop.requests} requests are answered`,
      );
    }
  }
  return log;
}
