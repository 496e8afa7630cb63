/**
 * A pipeline of workers under load, as the canisters behave: a coordinator takes requests, the head
 * launches micro-batches, stages work on one after the other within a message's budget and leave the
 * first iterations of a round to small messages.
 */
import { Coordinator } from './coordinator.js';
import {
  coordinatorPlace,
  type Load,
  type LoadOutcome,
  type Message,
  type PipelineSetting,
  type Request,
  type StageLoad,
  type Surroundings,
} from './messages.js';
import { Stage } from './stage.js';
import { Subnet } from './subnet.js';

/** A simulation that takes longer has gone wrong. */
const mostRounds = 100_000;
/** The benchmark's: a canister that spends so much in an iteration works, and the shortest steady window. */
const atWorkInstructions = 20_000_000;
const leastWindow = 3;
/** Bytes of update calls that enter a round (limits.json, ingress). */
const ingressBytes = 4 * 1024 * 1024;

class Pipeline implements Surroundings {
  readonly stages: readonly StageLoad[];
  readonly instructionBudget: number;
  readonly resultsStay: boolean;
  /** Requests whose ticket was given and whose result is not there. */
  private readonly tickets = new Set<Request>();
  /** Requests whose callers have their result, or can have it, after this round. */
  private answered: Request[] = [];
  private readonly subnet: Subnet<Message>;
  /** Instructions of all stages, and of the head, by round. */
  private readonly used: number[] = [];
  private readonly usedByHead: number[] = [];

  constructor(
    setting: PipelineSetting,
    readonly load: Load,
  ) {
    ({
      stages: this.stages,
      instructionBudget: this.instructionBudget,
      resultsStay: this.resultsStay,
    } = setting);
    this.subnet = new Subnet<Message>([
      new Coordinator(this),
      ...this.stages.map((_, index) => new Stage(this, index)),
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

  spent(stage: number, instructions: number): void {
    this.used[this.round] = (this.used[this.round] ?? 0) + instructions;
    if (stage === 0)
      this.usedByHead[this.round] = (this.usedByHead[this.round] ?? 0) + instructions;
  }

  /** Callers that send the next request when the last is answered, until all are answered. */
  run(): LoadOutcome {
    const { requests, concurrency, bytes } = this.load;
    let unsent = requests;
    let wanting = Math.min(concurrency, requests);
    let releases = 0;
    let firstAnswer = 0;
    for (let done = 0; done < requests;) {
      for (; releases > 0; releases--) this.subnet.post(coordinatorPlace, { kind: 'release' });
      const most = Math.max(1, Math.floor(ingressBytes / Math.max(1, bytes)));
      const entering = Math.min(wanting, unsent, most);
      for (let index = 0; index < entering; index++) {
        this.subnet.post(coordinatorPlace, { kind: 'request' });
      }
      unsent -= entering;
      wanting -= entering;
      this.subnet.round();
      const answered = this.answered.splice(0);
      if (done === 0 && answered.length > 0) firstAnswer = this.round;
      done += answered.length;
      wanting += answered.length;
      releases += answered.filter(({ isOpen }) => !isOpen).length;
      if (this.round > mostRounds) throw new Error('the pipeline does not come to an end');
    }
    return { rounds: this.round, steadyPerRound: this.steady(firstAnswer + 1) };
  }

  /** Requests a round while the pipeline is full, as the benchmark measures it (METHODOLOGY.md). */
  private steady(first: number): number | undefined {
    const last = this.usedByHead.findLastIndex((used) => used > atWorkInstructions) - 1;
    const rounds = last - first + 1;
    if (rounds < leastWindow) return undefined;
    const sum = (values: readonly number[]): number => values.reduce((a, b) => a + b, 0);
    const share = sum(this.used.slice(first, last + 1)) / sum(this.used);
    return (share * this.load.requests) / rounds;
  }
}

/** Simulates a load on a pipeline whose subnet does nothing else. */
export function simulateLoad(setting: PipelineSetting, load: Load): LoadOutcome {
  return new Pipeline(setting, load).run();
}
