import { limits } from '../costs/index.js';
import { idKey } from '../principal.js';
import {
  requestPayloadBytes,
  responsePayloadBytes,
  type Ingress,
  type Request,
  type Response,
} from './messages.js';

/** Messages of one pair of canisters that may wait in one direction (limits.json). */
export const QUEUE_CAPACITY = limits.messages.inputQueueSlotsPerPair;

/** A message that a canister takes from its input. */
export type InputMessage = Ingress | Request | Response;

/** A message on its way out. */
export type OutputMessage = Request | Response;

/** Bytes that a message counts besides its payload. */
const MESSAGE_OVERHEAD_BYTES = 160;
/** Bytes kept free for a guaranteed response that has not come yet. */
export const RESPONSE_RESERVATION_BYTES = limits.messages.interCanisterResponseBytes + 144;

interface Queue {
  readonly requests: (Request | Response)[];
  /** Requests waiting. */
  requestCount: number;
  /** Responses waiting, and slots kept for those that will come. */
  responseCount: number;
  reservedSlots: number;
  scheduled: boolean;
}

function messageBytes(message: Request | Response): number {
  return message.kind === 'request'
    ? MESSAGE_OVERHEAD_BYTES + requestPayloadBytes(message.method, message.arg)
    : MESSAGE_OVERHEAD_BYTES + responsePayloadBytes(message.payload);
}

function newQueue(): Queue {
  return { requests: [], requestCount: 0, responseCount: 0, reservedSlots: 0, scheduled: false };
}

type Source = 'local' | 'ingress' | 'remote';
const ORDER: readonly Source[] = ['local', 'ingress', 'remote'];

/**
 * Input of one canister: ingress messages and a queue for each canister that sent something. The
 * three sources (canisters of the subnet, ingress, other subnets) take turns; within a source the
 * senders take turns.
 */
export class CanisterQueues {
  private readonly ingress: Ingress[] = [];
  private readonly input = new Map<string, Queue>();
  private readonly output = new Map<string, Queue>();
  private schedules: Record<'local' | 'remote', string[]> = { local: [], remote: [] };
  private turn = 0;
  private outputOrder: string[] = [];
  /** Guaranteed responses that are still to come or to be given. */
  private reservations = 0;
  /** Bytes of guaranteed responses, and of all best-effort messages, that wait. */
  private waitingBytes = 0;

  /** Bytes of messages that count towards the canister's message memory. */
  memoryBytes(): number {
    return this.waitingBytes + this.reservations * RESPONSE_RESERVATION_BYTES;
  }

  /** Whether any message waits in the input. */
  hasInput(): boolean {
    return (
      this.ingress.length > 0 || this.schedules.local.length > 0 || this.schedules.remote.length > 0
    );
  }

  hasOutput(): boolean {
    return this.outputOrder.length > 0;
  }

  /** Ingress messages waiting. */
  get ingressCount(): number {
    return this.ingress.length;
  }

  pushIngress(message: Ingress): void {
    this.ingress.push(message);
  }

  /** Puts a request or response in the queue of its sender. Returns false when the queue is full. */
  pushInput(message: Request | Response, from: 'local' | 'remote'): boolean {
    const senderKey = idKey(message.kind === 'request' ? message.sender : message.respondent);
    const queue = this.inputQueue(senderKey);
    if (message.kind === 'request') {
      if (queue.requestCount >= QUEUE_CAPACITY) return false;
      queue.requestCount++;
    } else {
      queue.responseCount++;
      if (queue.reservedSlots > 0) queue.reservedSlots--;
    }
    queue.requests.push(message);
    this.account(message);
    if (!queue.scheduled) {
      queue.scheduled = true;
      this.schedules[from].push(senderKey);
    }
    return true;
  }

  /** Takes the next message, or undefined when none waits. */
  popInput(): InputMessage | undefined {
    for (let tries = 0; tries < ORDER.length; tries++) {
      const source = ORDER[this.turn]!;
      this.turn = (this.turn + 1) % ORDER.length;
      const message = source === 'ingress' ? this.ingress.shift() : this.popFrom(source);
      if (message) return message;
    }
    return undefined;
  }

  /** Requests that may still be queued for a receiver. */
  outputSlots(receiver: Uint8Array): number {
    const queue = this.output.get(idKey(receiver));
    const input = this.input.get(idKey(receiver));
    const forRequests = QUEUE_CAPACITY - (queue?.requestCount ?? 0);
    const forResponses = QUEUE_CAPACITY - (input ? input.reservedSlots + input.responseCount : 0);
    return Math.min(forRequests, forResponses);
  }

  /** Queues a request and keeps a slot for its response. The caller has checked {@link outputSlots}. */
  pushOutputRequest(request: Request): void {
    const receiverKey = idKey(request.receiver);
    this.inputQueue(receiverKey).reservedSlots++;
    const queue = this.outputQueue(receiverKey);
    queue.requestCount++;
    queue.requests.push(request);
    this.account(request);
  }

  pushOutputResponse(response: Response): void {
    const queue = this.outputQueue(idKey(response.originator));
    queue.responseCount++;
    queue.requests.push(response);
    this.account(response);
  }

  /** Gives up the room for a response that will never come or be given. */
  releaseReservation(): void {
    if (this.reservations > 0) this.reservations--;
  }

  /** Lets the receivers' turns begin with the lowest id. */
  orderOutput(): void {
    this.outputOrder.sort();
  }

  /** Takes the next message that waits in the output; receivers take turns. */
  popOutput(): OutputMessage | undefined {
    const key = this.outputOrder.shift();
    if (key === undefined) return undefined;
    const queue = this.output.get(key)!;
    const message = this.take(queue);
    if (queue.requests.length > 0) this.outputOrder.push(key);
    else queue.scheduled = false;
    return message;
  }

  /**
   * Offers the messages that wait in the output, receiver by receiver, in order. A message that is
   * not taken stays, with those behind it for the same receiver.
   */
  deliverOutput(take: (receiverKey: string, message: OutputMessage) => boolean): void {
    const left: string[] = [];
    for (const key of this.outputOrder) {
      const queue = this.output.get(key)!;
      while (queue.requests.length > 0 && take(key, queue.requests[0]!)) this.take(queue);
      if (queue.requests.length > 0) left.push(key);
      else queue.scheduled = false;
    }
    this.outputOrder = left;
  }

  /** Drops messages that wait too long already, in both directions; cycles in them are lost. */
  dropExpired(isExpired: (message: OutputMessage) => boolean): void {
    if (this.waitingBytes === 0) return;
    for (const queues of [this.input, this.output]) {
      for (const queue of queues.values()) this.dropFrom(queue, isExpired);
    }
    const filled = (queues: Map<string, Queue>) => (key: string) => {
      const queue = queues.get(key)!;
      queue.scheduled = queue.requests.length > 0;
      return queue.scheduled;
    };
    this.schedules.local = this.schedules.local.filter(filled(this.input));
    this.schedules.remote = this.schedules.remote.filter(filled(this.input));
    this.outputOrder = this.outputOrder.filter(filled(this.output));
  }

  private dropFrom(queue: Queue, isExpired: (message: OutputMessage) => boolean): void {
    for (let index = queue.requests.length - 1; index >= 0; index--) {
      const message = queue.requests[index]!;
      if (!isExpired(message)) continue;
      queue.requests.splice(index, 1);
      this.forget(queue, message);
    }
  }

  /** Takes out the ingress messages that fulfil a condition. */
  dropIngress(matches: (message: Ingress) => boolean): Ingress[] {
    if (this.ingress.length === 0) return [];
    const dropped = this.ingress.filter(matches);
    if (dropped.length > 0) {
      const kept = this.ingress.filter((message) => !matches(message));
      this.ingress.splice(0, this.ingress.length, ...kept);
    }
    return dropped;
  }

  /** Removes and returns everything that waits in the input. */
  drainInput(): InputMessage[] {
    const messages: InputMessage[] = [];
    for (let message = this.popInput(); message; message = this.popInput()) messages.push(message);
    return messages;
  }

  /** Everything that waits in the input, without taking it. */
  *peekInput(): Iterable<InputMessage> {
    yield* this.ingress;
    for (const queue of this.input.values()) yield* queue.requests;
  }

  private popFrom(source: 'local' | 'remote'): Request | Response | undefined {
    const key = this.schedules[source].shift();
    if (key === undefined) return undefined;
    const queue = this.input.get(key)!;
    const message = this.take(queue);
    if (queue.requests.length > 0) this.schedules[source].push(key);
    else queue.scheduled = false;
    return message;
  }

  private take(queue: Queue): Request | Response {
    const message = queue.requests.shift()!;
    this.forget(queue, message);
    return message;
  }

  /** Counts a message out of its queue. */
  private forget(queue: Queue, message: Request | Response): void {
    if (message.kind === 'request') queue.requestCount--;
    else queue.responseCount--;
    if (message.kind === 'response' || message.deadline !== 0n) {
      this.waitingBytes -= messageBytes(message);
    }
  }

  /** A guaranteed request reserves room for its response; the response takes its place. */
  private account(message: Request | Response): void {
    if (message.deadline === 0n) {
      if (message.kind === 'request') {
        this.reservations++;
        return;
      }
      this.releaseReservation();
    }
    this.waitingBytes += messageBytes(message);
  }

  private inputQueue(key: string): Queue {
    let queue = this.input.get(key);
    if (!queue) this.input.set(key, (queue = newQueue()));
    return queue;
  }

  private outputQueue(key: string): Queue {
    let queue = this.output.get(key);
    if (!queue) this.output.set(key, (queue = newQueue()));
    if (!queue.scheduled) {
      queue.scheduled = true;
      this.outputOrder.push(key);
    }
    return queue;
  }
}
