/**
 * Pipelines of workers under load, as the canisters behave: a coordinator takes requests and shares
 * them out, each head launches micro-batches, stages work on one after the other within a message's budget and leave the
 * first iterations of a round to small messages.
 */
import { Coordinator } from './coordinator.js';
import {
  coordinatorPlace,
  ingressBytes,
  type Load,
  type LoadOutcome,
  type Message,
  type PipelineSetting,
  type Request,
  type StageLoad,
  type Surroundings,
  type Traffic,
} from './messages.js';
import { Stage } from './stage.js';
import { Subnet } from './subnet.js';

/** A simulation that takes longer has gone wrong. */
const mostRounds = 100_000;
/** The benchmark's: a canister that spends so much in an iteration works, and the shortest steady window. */
const atWorkInstructions = 20_000_000;
const leastWindow = 3;
/** Of a message from outside besides inputs: ids, names, Candid. */
const envelopeBytes = 200;

class Pipelines implements Surroundings {
  readonly stages: readonly StageLoad[];
  readonly instructionBudget: number;
  readonly resultsStay: boolean;
  readonly pipelines: number;
  /** Requests whose ticket was given and whose result is not there. */
  private readonly tickets = new Set<Request>();
  /** Requests whose callers have their result, or can have it, after this round. */
  private answered: Request[] = [];
  private readonly subnet: Subnet<Message>;
  /** Instructions of all workers, and of the heads, by round. */
  private readonly used: number[] = [];
  private readonly usedByHeads: number[] = [];
  private readonly calls = { count: 0, bytes: 0, steps: 0, joined: 0 };
  private releases = 0;

  constructor(
    setting: PipelineSetting,
    readonly load: Load,
  ) {
    ({
      stages: this.stages,
      instructionBudget: this.instructionBudget,
      resultsStay: this.resultsStay,
      pipelines: this.pipelines,
    } = setting);
    this.subnet = new Subnet<Message>([
      new Coordinator(this),
      ...Array.from({ length: this.pipelines }).flatMap((_, pipeline) =>
        this.stages.map((_, index) => new Stage(this, pipeline, index)),
      ),
    ]);
  }

  get round(): number {
    return this.subnet.rounds;
  }

  ticketed(request: Request): void {
    this.tickets.add(request);
  }

  made(request: Request): void {
    if (--request.left === 0 && this.tickets.delete(request)) this.answered.push(request);
  }

  answer(request: Request): void {
    this.answered.push(request);
  }

  called(bytes: number): void {
    this.calls.count++;
    this.calls.bytes += bytes;
  }

  joined(bytes: number): void {
    this.calls.joined++;
    this.calls.bytes += bytes;
  }

  stepped(): void {
    this.calls.steps++;
  }

  spent(isHead: boolean, instructions: number): void {
    this.used[this.round] = (this.used[this.round] ?? 0) + instructions;
    if (!isHead) return;
    this.usedByHeads[this.round] = (this.usedByHeads[this.round] ?? 0) + instructions;
  }

  /** Callers that send the next request when the last is answered, until all are answered. */
  run(): LoadOutcome {
    const { requests, concurrency, bytes } = this.load;
    let unsent = requests;
    let wanting = Math.min(concurrency, requests);
    const releases: number[] = [];
    let firstAnswer = 0;
    for (let done = 0; done < requests;) {
      const most = Math.max(1, Math.floor(ingressBytes / Math.max(1, bytes)));
      const entering = Math.min(wanting, unsent, most);
      this.enter(releases.splice(0), entering);
      unsent -= entering;
      wanting -= entering;
      this.subnet.round();
      const answered = this.answered.splice(0);
      if (done === 0 && answered.length > 0) firstAnswer = this.round;
      done += answered.length;
      wanting += answered.length;
      releases.push(...answered.filter(({ isOpen }) => !isOpen).map(({ pipeline }) => pipeline));
      if (this.round > mostRounds) throw new Error('the load does not come to an end');
    }
    const { rounds, messages } = this.subnet;
    const steadyPerRound = this.steady(firstAnswer + 1);
    return { rounds, steadyPerRound, messages, traffic: this.traffic(releases.length) };
  }

  /** @param unsent releases that come after the last answer */
  private traffic(unsent: number): Traffic {
    const { calls, subnet, load } = this;
    const releases = this.releases + unsent;
    return {
      instructions: subnet.instructions,
      // A request that joins a call of others is neither a message of the head nor an answer of its own.
      executions: subnet.messages + calls.steps + unsent - 2 * calls.joined,
      calls: calls.count,
      callBytes: calls.bytes,
      ingress: load.requests + releases,
      ingressBytes: load.requests * load.bytes + (load.requests + releases) * envelopeBytes,
    };
  }

  /** Messages enter in the order of their ids, which are hashes: both kinds evenly mixed. */
  private enter(releases: readonly number[], requests: number): void {
    const total = releases.length + requests;
    this.releases += releases.length;
    let released = 0;
    for (let index = 0; index < total; index++) {
      const isRelease = (index + 1) * releases.length >= (released + 1) * total;
      this.subnet.post(
        coordinatorPlace,
        isRelease ? { kind: 'release', pipeline: releases[released++]! } : { kind: 'request' },
      );
    }
  }

  /**
   * Requests a round while the pipelines are full, as the benchmark measures it (METHODOLOGY.md); undefined
   * where they are not for long, or where all workers are idle in a round between.
   */
  private steady(first: number): number | undefined {
    const last = this.usedByHeads.findLastIndex((used) => used > atWorkInstructions) - 1;
    const rounds = last - first + 1;
    const work = Array.from({ length: rounds }, (_, index) => this.used[first + index] ?? 0);
    if (rounds < leastWindow || work.some((used) => used <= atWorkInstructions)) return undefined;
    const sum = (values: readonly number[]): number => values.reduce((a, b) => a + b, 0);
    const share = sum(work) / sum(this.used);
    return (share * this.load.requests) / rounds;
  }
}

/** Simulates a load on pipelines whose subnet does nothing else. */
export function simulateLoad(setting: PipelineSetting, load: Load): LoadOutcome {
  return new Pipelines(setting, load).run();
}
