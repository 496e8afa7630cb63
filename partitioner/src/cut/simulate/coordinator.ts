import { smallMessage, type Message, type Send, type Surroundings } from './messages.js';
import type { Actor } from './subnet.js';

/** Measured: what the coordinator takes for each of its messages (coordinator's message-costs.ts). */
const cost = {
  request: 4_750_000,
  requestByte: 58,
  microBatch: 400_000,
  answer: 4_200_000,
  release: 4_400_000,
};

/** Takes requests in, hands them to the head, gives answers. */
export class Coordinator implements Actor<Message> {
  /** Releases that workers have not been told of, and the round in which they last were. */
  private released = 0;
  private toldInRound = 0;

  constructor(private readonly pipeline: Surroundings) {}

  /** The first message of a round tells what was released before. */
  private tellReleased(send: Send): void {
    if (this.released === 0 || this.toldInRound === this.pipeline.round) return;
    this.toldInRound = this.pipeline.round;
    this.released = 0;
    const { stages, resultsStay } = this.pipeline;
    send(resultsStay ? stages.length : 1, { kind: 'released' });
  }

  execute(message: Message, send: Send): number {
    const { load } = this.pipeline;
    if (message.kind === 'release') this.released++;
    if (message.kind !== 'answer') this.tellReleased(send);
    switch (message.kind) {
      case 'request':
        send(1, { kind: 'enqueue' });
        return cost.request + cost.requestByte * load.bytes + cost.microBatch * load.microBatches;
      case 'answer':
        if (message.request?.isOpen) this.pipeline.answer(message.request);
        return cost.answer;
      case 'release':
        return cost.release;
      default:
        return smallMessage;
    }
  }
}
