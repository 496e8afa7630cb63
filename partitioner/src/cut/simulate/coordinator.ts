import {
  smallMessage,
  workerPlace,
  type Message,
  type Send,
  type Surroundings,
} from './messages.js';
import type { Actor } from './subnet.js';

/** Measured: what the coordinator takes for each of its messages (coordinator's message-costs.ts). */
const cost = {
  request: 5_000_000,
  requestByte: 58,
  microBatch: 400_000,
  answer: 5_000_000,
  release: 4_400_000,
};

/** What the coordinator's `own-load.ts` says; a test compares them. */
export const coordinatorLimits = {
  perRequest: 26_000_000,
  perByte: 58,
  most: 900_000_000,
  roundsKept: 4,
} as const;

/** Takes requests in, hands them to the head, gives answers. */
export class Coordinator implements Actor<Message> {
  /** Releases that the workers of each pipeline have not been told of. */
  private readonly released: number[];
  /** The round in which workers were last told. */
  private toldInRound = 0;
  /** What it reckons to have taken in the last rounds, the latest first. */
  private readonly taken = new Array<number>(coordinatorLimits.roundsKept).fill(0);
  private round = 0;
  /** Pipeline of the next request. */
  private next = 0;

  constructor(private readonly around: Surroundings) {
    this.released = new Array<number>(around.pipelines).fill(0);
  }

  private take(instructions: number): void {
    if (this.round !== this.around.round) {
      this.round = this.around.round;
      this.taken.pop();
      this.taken.unshift(0);
    }
    this.taken[0]! += instructions;
  }

  /** What requests took in one of the last rounds. */
  private get load(): number {
    return Math.max(0, ...this.taken.filter((taken) => taken < coordinatorLimits.most));
  }

  /** The first message of a round tells the pipeline whose results most wait what was released before. */
  private tellReleased(send: Send): void {
    const { round, stages, resultsStay } = this.around;
    const most = Math.max(...this.released);
    if (this.toldInRound === round || most === 0) return;
    this.toldInRound = round;
    const pipeline = this.released.indexOf(most);
    this.released[pipeline] = 0;
    const keeper = resultsStay ? stages.length - 1 : 0;
    send(workerPlace(stages.length, pipeline, keeper), { kind: 'released' });
  }

  execute(message: Message, send: Send): number {
    const { load, stages, pipelines } = this.around;
    if (message.kind === 'release') this.released[message.pipeline]!++;
    if (message.kind !== 'answer') this.tellReleased(send);
    switch (message.kind) {
      case 'request':
        this.take(coordinatorLimits.perRequest + coordinatorLimits.perByte * load.bytes);
        send(workerPlace(stages.length, this.next, 0), {
          kind: 'enqueue',
          coordinatorLoad: this.load,
        });
        this.next = (this.next + 1) % pipelines;
        return cost.request + cost.requestByte * load.bytes + cost.microBatch * load.microBatches;
      case 'answer':
        if (message.request?.isOpen) this.around.answer(message.request);
        return cost.answer;
      case 'release':
        return cost.release;
      default:
        return smallMessage;
    }
  }
}
