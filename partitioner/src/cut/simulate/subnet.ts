/**
 * How a subnet executes canisters, round by round: rules and figures of the replica's scheduler. A
 * round is a series of iterations; in each, canisters that have messages are dealt to the threads in
 * turn and work through all of them; what they send is delivered before the next.
 */
const threads = 4;
/** Instructions after which a thread begins no more messages in a round. */
const threadBudget = 2_000_000_000;
const perMessage = 2_000_000;
const perCanister = 8_000_000;
/** Heap that a canister may change in a round; what is more makes it sit out later ones. */
const heapPerRound = 75 * 1024 * 1024;

/** What a message took. */
export interface Execution {
  instructions: number;
  /** Bytes of heap pages that it changed. */
  heapChanged: number;
}

/** A canister: executes a message and sends others. */
export interface Actor<M> {
  execute(message: M, send: (to: number, message: M) => void): Execution;
}

interface Canister<M> {
  index: number;
  actor: Actor<M>;
  inbox: M[];
  /** Goes down with each full turn, so that others come first. */
  priority: number;
  /** Heap changed and not yet made up for by rounds. */
  heapChanged: number;
}

function hasTurn<M>({ inbox, heapChanged }: Canister<M>): boolean {
  return inbox.length > 0 && heapChanged < heapPerRound;
}

/** A subnet of nothing but these canisters. */
export class Subnet<M> {
  private readonly canisters: Canister<M>[];
  private outgoing: { to: number; message: M }[] = [];
  /** Rounds executed, the one under way included. */
  rounds = 0;
  /** Messages executed, and what they took. */
  messages = 0;
  instructions = 0;

  constructor(actors: readonly Actor<M>[]) {
    this.canisters = actors.map((actor, index) => ({
      index,
      actor,
      inbox: [],
      priority: 0,
      heapChanged: 0,
    }));
  }

  /** Puts a message in a canister's queue: from outside, before a round. */
  post(to: number, message: M): void {
    this.canisters[to]!.inbox.push(message);
  }

  private readonly send = (to: number, message: M): void => {
    this.outgoing.push({ to, message });
  };

  private runThread(
    canisters: readonly Canister<M>[],
    budget: number,
    firstIteration: boolean,
    full: Set<Canister<M>>,
  ): number {
    let left = budget;
    canisters.forEach((canister, rank) => {
      if (left <= 0) return;
      let used = 0;
      while (left > 0 && canister.inbox.length > 0) {
        const message = canister.inbox.shift()!;
        const { instructions, heapChanged } = canister.actor.execute(message, this.send);
        this.messages++;
        this.instructions += instructions;
        canister.heapChanged += heapChanged;
        used += instructions;
        left -= instructions + perMessage;
      }
      if (canister.inbox.length === 0 || (firstIteration && rank === 0)) full.add(canister);
      if (used > 0) left -= perCanister;
    });
    return budget - left;
  }

  /** Executes one round. */
  round(): void {
    this.rounds++;
    const order = [...this.canisters].sort((a, b) => b.priority - a.priority || a.index - b.index);
    const full = new Set<Canister<M>>();
    let left = threadBudget;
    for (let isFirst = true; left > 0; isFirst = false) {
      for (const canister of order) {
        if (canister.inbox.length > 0) break;
        full.add(canister);
      }
      const dealt: Canister<M>[][] = Array.from({ length: threads }, () => []);
      order.filter(hasTurn).forEach((canister, index) => dealt[index % threads]!.push(canister));
      const before = left;
      const used = dealt.map((canisters) => this.runThread(canisters, before, isFirst, full));
      left -= Math.max(...used);
      if (left === before) break;
      this.deliver();
    }
    this.deliver();
    const shared = full.size / this.canisters.length;
    for (const canister of this.canisters) {
      canister.priority += shared;
      canister.heapChanged = Math.max(0, canister.heapChanged - heapPerRound);
    }
    for (const canister of full) canister.priority--;
  }

  private deliver(): void {
    for (const { to, message } of this.outgoing.splice(0)) this.post(to, message);
  }
}
