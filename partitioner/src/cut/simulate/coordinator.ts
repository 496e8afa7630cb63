import {
  CoordinatorLoad,
  maxMessageBytes,
  mostJoinedBytes,
  mostJoinedRequestBytes,
} from '@canopy/protocol';
import {
  smallMessage,
  workerPlace,
  type Message,
  type Request,
  type Send,
  type Surroundings,
} from './messages.js';
import type { Actor, Execution } from './subnet.js';

/** Measured: what a message takes besides pages, and the heap that it changes; see message-costs.ts. */
const costs = {
  request: { instructions: 950_000, heapChanged: 280_000 },
  answer: { instructions: 770_000, heapChanged: 520_000 },
  ticket: { instructions: 340_000, heapChanged: 470_000 },
  release: { instructions: 380_000, heapChanged: 190_000 },
} as const;
/** The same for a byte of a request, and of a result in an answer. */
const byteCosts = { instructions: 60, heapChanged: 3 };
/** The same for a micro-batch of a request, and of a result in an answer. */
const microBatchInstructions = { request: 180_000, answer: 230_000 };
/**
 * Measured: what every message pays for pages. JavaScript objects lie scattered over the heap, those of
 * further requests over further pages, and farther apart where inputs of a page or more lie between
 * them; it takes the messages of as many requests until they do. What a message changes grows with the
 * pages up to a bound.
 */
const pages = {
  instructions: 3_800_000,
  requests: 8,
  perFurtherRequest: 2_000,
  perInput: { instructions: 34_000, wholeFrom: 4096 },
  perByte: 0.9,
  mostPerRequest: 300_000,
  most: 14_000_000,
  mostChanged: 1.6,
};
const messagesPerRequest = 3;

/** Takes requests in, hands them to the head, gives answers. */
export class Coordinator implements Actor<Message> {
  /** Releases that the workers of each pipeline have not been told of. */
  private readonly released: number[];
  /** The round in which workers were last told. */
  private toldInRound = 0;
  private readonly ownLoad = new CoordinatorLoad();
  /** The last call to each pipeline: its round, and the bytes of its requests. */
  private readonly calls: { round: number; bytes: number }[] = [];
  /** Pipeline of the next request. */
  private next = 0;
  /** Requests whose result was not given to the caller, or not released. */
  private known = 0;
  /** Further requests over whose pages the heap is scattered. */
  private scattered = 0;

  constructor(private readonly around: Surroundings) {
    this.released = new Array<number>(around.pipelines).fill(0);
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
    this.around.called(0);
    send(workerPlace(stages.length, pipeline, keeper), { kind: 'released' });
  }

  execute(message: Message, send: Send): Execution {
    if (message.kind === 'small') return { instructions: smallMessage, heapChanged: 0 };
    const further = Math.max(0, this.known - pages.requests);
    this.scattered += (further - this.scattered) / (messagesPerRequest * Math.max(1, this.known));
    const { bytes } = this.around.load;
    const { perInput } = pages;
    const between = perInput.instructions * Math.min(1, bytes / perInput.wholeFrom);
    const each = pages.perFurtherRequest + between + pages.perByte * bytes;
    const touching = Math.min(
      pages.instructions + Math.min(each, pages.mostPerRequest) * this.scattered,
      pages.most,
    );
    const { instructions, heapChanged } = this.handle(message, send);
    const more = Math.min(touching / pages.instructions, pages.mostChanged);
    return { instructions: instructions + touching, heapChanged: heapChanged * more };
  }

  /** Small requests of a round reach a head in one call, as far as it holds them. */
  private call(bytes: number): void {
    const { round } = this.around;
    const call = this.calls[this.next];
    const isSmall = bytes <= mostJoinedRequestBytes;
    if (isSmall && call?.round === round && call.bytes + bytes <= mostJoinedBytes) {
      call.bytes += bytes;
      this.around.joined(bytes);
      return;
    }
    this.calls[this.next] = { round, bytes };
    this.around.called(bytes);
  }

  private handle(message: Message, send: Send): Execution {
    const { load, stages, pipelines } = this.around;
    if (message.kind === 'release') this.released[message.pipeline]!++;
    if (message.kind !== 'answer') this.tellReleased(send);
    switch (message.kind) {
      case 'request':
        this.known++;
        this.ownLoad.add(load.bytes, this.around.round);
        this.call(load.bytes);
        send(workerPlace(stages.length, this.next, 0), {
          kind: 'enqueue',
          coordinatorLoad: this.ownLoad.instructions,
        });
        this.next = (this.next + 1) % pipelines;
        return withBytes(
          costs.request,
          load.bytes,
          load.microBatches * microBatchInstructions.request,
        );
      case 'answer':
        return message.request ? this.giveResult(message.request) : costs.ticket;
      case 'release':
        this.known--;
        return costs.release;
      default:
        throw new Error(`the coordinator gets no message "${message.kind}"`);
    }
  }

  /** A result too large for a reply stays at the head, and the caller gets a ticket. */
  private giveResult(request: Request): Execution {
    const { load, stages } = this.around;
    const bytes = load.microBatches * stages.at(-1)!.bytesSent;
    this.around.answer(request);
    if (bytes > maxMessageBytes) {
      request.isOpen = false;
      return costs.ticket;
    }
    this.known--;
    return withBytes(costs.answer, bytes, load.microBatches * microBatchInstructions.answer);
  }
}

function withBytes(cost: Execution, bytes: number, instructions: number): Execution {
  return {
    instructions: cost.instructions + byteCosts.instructions * bytes + instructions,
    heapChanged: cost.heapChanged + byteCosts.heapChanged * bytes,
  };
}
