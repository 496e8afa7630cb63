import { describe, expect, it } from 'vitest';
import type { Answer } from './round-ic.js';
import { roundTransport } from './round-transport.js';

/** An IC that answers each call with its method's name, so many rounds after it was sent. */
class SlowIc {
  round = 0;
  readonly log: string[] = [];

  constructor(private readonly delay: number) {}

  send(_sender: string, canister: string, method: string) {
    const due = this.round + this.delay;
    this.log.push(`${method} in round ${this.round}`);
    const answer: Answer =
      canister === 'rejects'
        ? { kind: 'reject', code: 4, message: 'because' }
        : { kind: 'reply', reply: new TextEncoder().encode(method) };
    return Promise.resolve({
      poll: () => Promise.resolve(this.round >= due ? answer : undefined),
    });
  }

  query(): Promise<Uint8Array> {
    return Promise.resolve(new Uint8Array());
  }

  tick(): Promise<void> {
    this.round++;
    return Promise.resolve();
  }
}

describe('a transport that drives rounds', () => {
  const none = new Uint8Array();

  it('waits for a call that takes more than 100 rounds', async () => {
    const ic = new SlowIc(150);
    const reply = await roundTransport(ic, 'me').update('a', 'slow', none);
    expect(new TextDecoder().decode(reply)).toBe('slow');
    expect(ic.round).toBe(150);
  });

  it('gives up a call that is never answered, and says which', async () => {
    await expect(
      roundTransport(new SlowIc(1e9), 'me').update('a', 'never', none),
    ).rejects.toMatchObject({
      code: 'no-answer',
      message: 'never of canister a was not answered in 2000 rounds',
    });
  });

  it('sends calls of one moment one after the other, also after one that was rejected', async () => {
    const ic = new SlowIc(2);
    const transport = roundTransport(ic, 'me');
    const [first, ...others] = await Promise.allSettled([
      transport.update('rejects', 'x', none),
      transport.update('a', 'y', none),
      transport.update('a', 'z', none),
    ]);
    expect(first).toMatchObject({ reason: { name: 'CallRejected', rejectCode: 4 } });
    expect(others.map(({ status }) => status)).toEqual(['fulfilled', 'fulfilled']);
    expect(ic.log).toEqual(['x in round 0', 'y in round 2', 'z in round 4']);
  });
});
