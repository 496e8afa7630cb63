import type { Call, Network, Outcome } from './network.js';

/** What a program asks the driver for. */
export type Command =
  | { kind: 'update'; call: Call; sender: string; bound: number }
  | { kind: 'query'; call: Call; sender: string }
  | { kind: 'pause'; rounds: number }
  | { kind: 'pass'; ms: number };

/**
 * Something that goes on over many rounds: a caller, or a fault. It is a generator, so that the order in
 * which programs act is always the same.
 */
export type Program<T = void> = Generator<Command, T, Outcome | undefined>;

/** Rounds after which an update call that has no answer is given up. */
const longestUpdate = 400;
/** Milliseconds between rounds. */
export const roundMs = 1000;

/** Sends an update call and waits for its answer; gives it up after `bound` rounds. */
export function* update(call: Call, sender: string, bound = longestUpdate): Program<Outcome> {
  return (yield { kind: 'update', call, sender, bound })!;
}
export function* query(call: Call, sender: string): Program<Outcome> {
  return (yield { kind: 'query', call, sender })!;
}
/** Waits for so many rounds. */
export function* pause(rounds: number): Program {
  if (rounds > 0) yield { kind: 'pause', rounds };
}
/** Lets time pass in which no round is executed. */
export function* pass(ms: number): Program {
  yield { kind: 'pass', ms };
}

class Running {
  private pausedFor = 0;
  private next: Outcome | undefined;
  private message: { id: unknown; until: number } | undefined;
  isDone = false;

  constructor(
    private readonly network: Network,
    private readonly program: Program,
  ) {}

  /** Goes on as far as possible without a round. */
  async advance(): Promise<void> {
    while (!this.isDone && this.pausedFor <= 0 && this.message === undefined) {
      const step = this.program.next(this.next);
      this.next = undefined;
      if (step.done === true) this.isDone = true;
      else await this.perform(step.value);
    }
  }

  private async perform(command: Command): Promise<void> {
    switch (command.kind) {
      case 'pause':
        this.pausedFor = command.rounds;
        return;
      case 'pass':
        await this.network.pass(command.ms);
        return;
      case 'query':
        this.next = await this.network.query(command.call, command.sender);
        return;
      case 'update': {
        const sent = await this.network.submit(command.call, command.sender);
        if ('error' in sent) this.next = sent;
        else this.message = { id: sent.id, until: this.network.rounds + command.bound };
      }
    }
  }

  /** Looks for the answer it waits for; a round is over. */
  async look(): Promise<void> {
    if (this.pausedFor > 0) this.pausedFor--;
    if (this.message === undefined) return;
    this.next = await this.network.answered(this.message.id);
    if (this.next === undefined && this.network.rounds > this.message.until) {
      this.next = { error: 'no answer' };
    }
    if (this.next !== undefined) this.message = undefined;
  }
}

/** Runs programs side by side, round by round, always in the order in which they were added. */
export class Driver {
  private running: Running[] = [];

  constructor(readonly network: Network) {}

  add(program: Program): void {
    this.running.push(new Running(this.network, program));
  }

  /**
   * Executes rounds until all programs are done, at most so many.
   * @returns how many programs are not done; they stay
   */
  async run(rounds: number, msPerRound = roundMs): Promise<number> {
    for (let round = 0; ; round++) {
      for (const program of this.running) await program.advance();
      this.running = this.running.filter(({ isDone }) => !isDone);
      if (this.running.length === 0 || round === rounds) return this.running.length;
      await this.network.round(msPerRound);
      await Promise.all(this.running.map((program) => program.look()));
    }
  }

  /** Runs a program alone, and gives what it returns; undefined where it is not done in time. */
  async finish<T>(program: Program<T>, rounds = 200, msPerRound = roundMs): Promise<T | undefined> {
    const others = this.running;
    this.running = [];
    let value: T | undefined;
    this.add(
      (function* (): Program {
        value = yield* program;
      })(),
    );
    await this.run(rounds, msPerRound);
    this.running = others;
    return value;
  }

  /** Stops programs that are not done. */
  drop(): void {
    this.running = [];
  }
}
