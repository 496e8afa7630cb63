import { expect, it } from 'vitest';
import { Subnet, type Actor, type Execution } from './subnet.js';

/** A message that does next to nothing: a reply, or the word that a task is done. */
const small = 100_000;

type Message = 'launch' | 'run' | 'done' | 'reply';

/**
 * A scripted canister of a chain: works on each task in one message and hands it on; the first calls
 * itself for the next task.
 */
class Link implements Actor<Message> {
  private launched = 0;
  done = 0;

  constructor(
    private readonly index: number,
    private readonly chain: { length: number; tasks: number; instructions: number },
  ) {}

  execute(message: Message, send: (to: number, message: Message) => void): Execution {
    return { instructions: this.handle(message, send), heapChanged: 0 };
  }

  private handle(message: Message, send: (to: number, message: Message) => void): number {
    const { length, tasks, instructions } = this.chain;
    if (message === 'done') this.done++;
    if (message === 'done' || message === 'reply') return small;
    if (message === 'launch') {
      if (this.launched === tasks) {
        if (this.done < tasks) send(0, 'launch');
        return small;
      }
      this.launched++;
      send(0, 'launch');
    }
    if (this.index + 1 < length) send(this.index + 1, 'run');
    else send(0, 'done');
    send(this.index, 'reply');
    return instructions;
  }
}

// Counted on a PocketIC server: chains of scripted canisters, forward only, paced by the head.
it.each([
  [2, 48, 0.95, 17],
  [3, 48, 0.95, 17],
  [4, 8, 0.25, 2],
  [4, 64, 0.25, 9],
  [4, 48, 0.6, 13],
  [4, 48, 0.95, 18],
  [4, 8, 1.9, 6],
  [4, 64, 1.9, 34],
  [5, 32, 1.9, 33],
  [5, 48, 0.95, 33],
  [6, 32, 1.9, 34],
  [7, 32, 1.9, 35],
  [8, 32, 0.95, 30],
  [8, 32, 1.9, 36],
  [16, 32, 1.9, 72],
])('a chain of %i canisters, %i tasks of %d B each', (length, tasks, billions, counted) => {
  const chain = { length, tasks, instructions: billions * 1e9 };
  const links = Array.from({ length }, (_, index) => new Link(index, chain));
  const subnet = new Subnet<Message>(links);
  subnet.post(0, 'launch');
  while (links[0]!.done < tasks) subnet.round();
  expect(Math.abs(subnet.rounds - counted)).toBeLessThanOrEqual(counted * 0.02);
});
