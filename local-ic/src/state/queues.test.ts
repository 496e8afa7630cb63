import { describe, expect, it } from 'vitest';
import type { Ingress, Request, Response } from './messages.js';
import { CanisterQueues, QUEUE_CAPACITY, type InputMessage } from './queues.js';

const id = (n: number): Uint8Array => Uint8Array.of(0, 0, 0, 0, 0, 0, 0, n, 1, 1);
const SELF = id(0);

const request = (sender: Uint8Array, method: string, receiver = SELF, deadline = 0n): Request => ({
  kind: 'request',
  sender,
  receiver,
  callbackId: 1,
  method,
  arg: new Uint8Array(0),
  cycles: 0n,
  deadline,
});

const response = (respondent: Uint8Array, originator = SELF): Response => ({
  kind: 'response',
  originator,
  respondent,
  callbackId: 1,
  refund: 0n,
  deadline: 0n,
  payload: { kind: 'reply', data: new Uint8Array(10) },
});

const ingress = (method: string): Ingress => ({
  kind: 'ingress',
  messageId: new Uint8Array(32),
  messageKey: method,
  sender: Uint8Array.of(4),
  receiver: SELF,
  method,
  arg: new Uint8Array(0),
  expiry: 0n,
});

const nameOf = (message: InputMessage): string =>
  message.kind === 'response' ? 'response' : message.method;

describe('CanisterQueues', () => {
  it('takes local senders, ingress and remote senders in turn, and senders among each other', () => {
    const queues = new CanisterQueues();
    for (const method of ['i1', 'i2', 'i3']) queues.pushIngress(ingress(method));
    for (const method of ['a1', 'a2', 'a3']) queues.pushInput(request(id(1), method), 'local');
    queues.pushInput(request(id(2), 'b1'), 'local');
    queues.pushInput(request(id(3), 'r1'), 'remote');
    expect(queues.drainInput().map(nameOf)).toEqual([
      'a1',
      'i1',
      'r1',
      'b1',
      'i2',
      'a2',
      'i3',
      'a3',
    ]);
    expect(queues.hasInput()).toBe(false);
  });

  it('holds 500 requests of a pair in each direction, and a slot for each response', () => {
    const queues = new CanisterQueues();
    expect(queues.outputSlots(id(1))).toBe(QUEUE_CAPACITY);
    for (let i = 0; i < 3; i++) queues.pushOutputRequest(request(SELF, 'out', id(1)));
    expect(queues.outputSlots(id(1))).toBe(QUEUE_CAPACITY - 3);
    while (queues.popOutput());
    // The requests have left, but their responses are still to come.
    expect(queues.outputSlots(id(1))).toBe(QUEUE_CAPACITY - 3);
    queues.pushInput(response(id(1)), 'local');
    queues.popInput();
    expect(queues.outputSlots(id(1))).toBe(QUEUE_CAPACITY - 2);

    for (let i = 0; i < QUEUE_CAPACITY; i++) {
      expect(queues.pushInput(request(id(2), 'in'), 'local')).toBe(true);
    }
    expect(queues.pushInput(request(id(2), 'one too many'), 'local')).toBe(false);
  });

  it('counts room for guaranteed responses until they are there', () => {
    const queues = new CanisterQueues();
    queues.pushOutputRequest(request(SELF, 'call', id(1)));
    expect(queues.memoryBytes()).toBeGreaterThan(2_097_152);
    queues.popOutput();
    queues.pushInput(response(id(1)), 'local');
    expect(queues.memoryBytes()).toBe(170);
    queues.popInput();
    expect(queues.memoryBytes()).toBe(0);
  });

  it('drops best-effort messages that are late', () => {
    const queues = new CanisterQueues();
    queues.pushInput(request(id(1), 'late', SELF, 5n), 'local');
    queues.pushInput(request(id(1), 'guaranteed'), 'local');
    queues.dropExpired((message) => message.deadline !== 0n && message.deadline < 10n);
    expect(queues.drainInput().map(nameOf)).toEqual(['guaranteed']);
  });

  it('keeps back what a receiver does not take, but not messages for others', () => {
    const queues = new CanisterQueues();
    queues.pushOutputRequest(request(SELF, 'a1', id(1)));
    queues.pushOutputRequest(request(SELF, 'a2', id(1)));
    queues.pushOutputRequest(request(SELF, 'b1', id(2)));
    const taken: string[] = [];
    queues.deliverOutput((_, message) => {
      const { method } = message as Request;
      if (method === 'a2') return false;
      taken.push(method);
      return true;
    });
    expect(taken).toEqual(['a1', 'b1']);
    expect((queues.popOutput() as Request).method).toBe('a2');
  });
});
