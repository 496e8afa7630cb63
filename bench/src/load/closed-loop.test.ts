import { describe, expect, it } from 'vitest';
import { closedLoop, requestRounds } from './closed-loop.js';
import { percentile } from './percentile.js';

/** Answers the oldest `rate` requests a round. */
class Server {
  round = 0;
  private readonly waiting: { done: boolean }[] = [];
  most = 0;

  constructor(private readonly rate: number) {}

  tick(): Promise<void> {
    this.round++;
    this.most = Math.max(this.most, this.waiting.filter((request) => !request.done).length);
    let left = this.rate;
    for (const request of this.waiting) {
      if (left > 0 && !request.done) {
        request.done = true;
        left--;
      }
    }
    return Promise.resolve();
  }

  send() {
    const request = { done: false };
    this.waiting.push(request);
    const reply = { kind: 'reply' as const, reply: new Uint8Array() };
    return Promise.resolve({ poll: () => Promise.resolve(request.done ? reply : undefined) });
  }
}

describe('closed loop', () => {
  it('keeps so many in flight and answers all', async () => {
    const server = new Server(2);
    const log = await closedLoop(server, {
      requests: 10,
      concurrency: 4,
      send: () => server.send(),
    });
    expect(log.map((entry) => entry.index).sort((a, b) => a - b)).toEqual([...Array(10).keys()]);
    expect(server.most).toBe(4);
    expect(server.round).toBe(5);
    expect(log.map(requestRounds)).toEqual([1, 1, 2, 2, 2, 2, 2, 2, 2, 2]);
  });

  it('gives up where nothing is answered', async () => {
    const server = new Server(0);
    const loop = { requests: 1, concurrency: 1, patience: 3, send: () => server.send() };
    await expect(closedLoop(server, loop)).rejects.toThrow('0 of 1 requests are answered');
  });
});

describe('percentile', () => {
  it('is the nearest rank', () => {
    const values = [5, 1, 4, 2, 3];
    expect(percentile(values, 0.5)).toBe(3);
    expect(percentile(values, 0.95)).toBe(5);
    expect(percentile([7], 0)).toBe(7);
    expect(percentile([], 0.5)).toBeNaN();
  });
});
