/**
 * How a subnet executes a pipeline of workers, round by round: rules and figures of the replica's
 * scheduler (a round is a series of iterations; in each, canisters that have messages are dealt to the
 * threads in turn and work through all of them; what they send is delivered before the next).
 */
const threads = 4;
/** Instructions after which a thread begins no more messages in a round. */
const threadBudget = 2_000_000_000;
const perMessage = 2_000_000;
const perCanister = 8_000_000;
/** A message that does next to nothing: a reply, the word that a micro-batch is done, a wake-up. */
const smallMessage = 100_000;

/** A pipeline at work. */
export interface PipelineLoad {
  /** For each stage, the instructions of each message of a micro-batch. */
  stages: readonly (readonly number[])[];
  /** Micro-batches that wait at the head. */
  tasks: number;
}

type Message =
  | { kind: 'work'; part: number }
  /** The head begins the next micro-batch. */
  | { kind: 'launch' }
  | { kind: 'small' }
  | { kind: 'done' };

interface Canister {
  stage: number;
  inbox: Message[];
  /** Goes down with each full turn, so that others come first. */
  priority: number;
}

class Subnet {
  private readonly canisters: Canister[];
  private outgoing: { to: number; message: Message }[] = [];
  private launched = 0;
  done = 0;
  rounds = 0;

  constructor(private readonly load: PipelineLoad) {
    this.canisters = load.stages.map((_, stage) => ({ stage, inbox: [], priority: 0 }));
    this.canisters[0]!.inbox.push({ kind: 'launch' });
  }

  private send(to: number, message: Message): void {
    this.outgoing.push({ to, message });
  }

  /** Executes a message and gives its instructions. */
  private execute(stage: number, message: Message): number {
    const last = this.load.stages.length - 1;
    if (message.kind === 'small') return smallMessage;
    if (message.kind === 'done') {
      this.done++;
      return smallMessage;
    }
    const part = message.kind === 'work' ? message.part : 0;
    const parts = this.load.stages[stage]!;
    if (message.kind === 'launch') {
      // The head calls itself for the next one, and when all are under way to see whether they are done.
      if (this.launched === this.load.tasks) {
        if (this.done < this.load.tasks) this.send(0, { kind: 'launch' });
        return smallMessage;
      }
      if (parts.length === 1) {
        this.launched++;
        this.send(0, { kind: 'launch' });
      }
    }
    if (part + 1 < parts.length) this.send(stage, { kind: 'work', part: part + 1 });
    else {
      if (stage === 0 && parts.length > 1) {
        this.launched++;
        this.send(0, { kind: 'launch' });
      }
      if (stage < last) {
        this.send(stage + 1, { kind: 'work', part: 0 });
        this.send(stage, { kind: 'small' });
      } else if (stage === 0) this.done++;
      else {
        this.send(0, { kind: 'done' });
        this.send(stage, { kind: 'small' });
      }
    }
    return parts[part]!;
  }

  private runThread(canisters: readonly Canister[], budget: number, full: Set<Canister>): number {
    let left = budget;
    canisters.forEach((canister, rank) => {
      if (left <= 0) return;
      let used = 0;
      while (left > 0 && canister.inbox.length > 0) {
        const instructions = this.execute(canister.stage, canister.inbox.shift()!);
        used += instructions;
        left -= instructions + perMessage;
      }
      if (canister.inbox.length === 0 || rank === 0) full.add(canister);
      if (used > 0) left -= perCanister;
    });
    return budget - left;
  }

  round(): void {
    this.rounds++;
    const order = [...this.canisters].sort((a, b) => b.priority - a.priority || a.stage - b.stage);
    const full = new Set<Canister>();
    for (let left = threadBudget; left > 0;) {
      const dealt: Canister[][] = Array.from({ length: threads }, () => []);
      order
        .filter(({ inbox }) => inbox.length > 0)
        .forEach((canister, index) => dealt[index % threads]!.push(canister));
      const used = Math.max(...dealt.map((canisters) => this.runThread(canisters, left, full)));
      if (used === 0) break;
      left -= used;
      for (const { to, message } of this.outgoing.splice(0))
        this.canisters[to]!.inbox.push(message);
    }
    for (const canister of full) canister.priority--;
    const shared = full.size / this.canisters.length;
    for (const canister of this.canisters) canister.priority += shared;
  }
}

/** Rounds until all micro-batches of a load are done, one subnet for all stages. */
export function simulateRounds(load: PipelineLoad): number {
  const subnet = new Subnet(load);
  while (subnet.done < load.tasks) subnet.round();
  return subnet.rounds;
}
