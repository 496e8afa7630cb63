/**
 * A pipeline of workers under load, as the canisters behave: a coordinator takes requests, the head
 * launches micro-batches, stages work on one after the other within a message's budget and leave the
 * first iterations of a round to small messages.
 */
import { Subnet, type Actor } from './subnet.js';

/** What a stage takes for a micro-batch, in instructions. */
export interface StageLoad {
  /** The work itself, and reading what came. */
  work: number;
  /** Sending what comes of it. */
  sending: number;
  /** Pages that a message of it touches. */
  pages: number;
}

/** Requests that callers keep under way. */
export interface Load {
  requests: number;
  /** Requests in flight at a time. */
  concurrency: number;
  /** Micro-batches of a request. */
  microBatches: number;
  /** Bytes of a request's inputs. */
  bytes: number;
}

/** What becomes of a load. */
export interface LoadOutcome {
  /** Until all requests are answered. */
  rounds: number;
  /** Requests a round while the pipeline is full; undefined where it is not for three rounds. */
  steadyPerRound: number | undefined;
}

export interface PipelineSetting {
  stages: readonly StageLoad[];
  /** Instructions after which a message's work ends. */
  instructionBudget: number;
  /** Whether results stay at the last stage. */
  resultsStay: boolean;
}

/** Measured: what the coordinator takes for each of its messages (coordinator's message-costs.ts). */
const coordinatorCost = {
  request: 4_750_000,
  requestByte: 58,
  microBatch: 400_000,
  answer: 4_200_000,
  release: 4_400_000,
};

/** A message that does next to nothing, and taking a request in at the head, for each byte. */
const small = 300_000;
const headPerByte = 4;
/** What the worker's `limits.ts` and `budget.ts` say. */
const quietIterations = 3;
const threads = 4;
const room = { ofOneStage: 1_900_000_000, ofSeveral: 1_800_000_000 };
const shortestLongMessage = 1_000_000_000;
const coordinatorTaken = {
  perRequest: 26_000_000,
  perByte: 58,
  perRelease: 16_000_000,
  rounds: 4,
};
/** Requests that wait for their result by an open call; more hold tickets. */
const openCalls = 2;
/** A simulation that takes longer has gone wrong. */
const mostRounds = 100_000;
/** The benchmark's: a canister that spends so much in an iteration works, and the shortest steady window. */
const atWorkInstructions = 20_000_000;
const leastWindow = 3;
/** Bytes of update calls that enter a round (limits.json, ingress). */
const ingressBytes = 4 * 1024 * 1024;
/** */
/** Place of the coordinator; stages follow. */
const coordinator = 0;

interface Request {
  left: number;
  isOpen: boolean;
  hasEnded: boolean;
}
interface Task {
  request: Request;
  work: number;
}
type Message =
  | { kind: 'request' | 'release' | 'released' }
  | { kind: 'enqueue' }
  | { kind: 'answer'; request?: Request }
  | { kind: 'run'; tasks: Task[]; round: number; budget: number }
  | { kind: 'done'; tasks: Task[] }
  | { kind: 'step' }
  | { kind: 'small' };
/** Part of the budget that only the end of a task may use. */
const finishing = 128;
type Send = (to: number, message: Message) => void;

/** Takes requests in, hands them to the head, gives answers. */
class Coordinator implements Actor<Message> {
  /** Releases that workers have not been told of, and the round in which they last were. */
  private released = 0;
  private toldInRound = 0;

  constructor(private readonly pipeline: Pipeline) {}

  /** The first message of a round tells what was released before. */
  private tellReleased(send: Send): void {
    if (this.released === 0 || this.toldInRound === this.pipeline.round) return;
    this.toldInRound = this.pipeline.round;
    this.released = 0;
    const { stages, resultsStay } = this.pipeline;
    send(resultsStay ? stages.length : 1, { kind: 'released' });
  }

  execute(message: Message, send: Send): number {
    const { load } = this.pipeline;
    const cost = coordinatorCost;
    if (message.kind === 'release') this.released++;
    if (message.kind !== 'answer') this.tellReleased(send);
    switch (message.kind) {
      case 'request':
        send(1, { kind: 'enqueue' });
        return cost.request + cost.requestByte * load.bytes + cost.microBatch * load.microBatches;
      case 'answer':
        if (message.request?.isOpen) this.pipeline.answered.push(message.request);
        return cost.answer;
      case 'release':
        return cost.release;
      default:
        return small;
    }
  }
}

class Stage implements Actor<Message> {
  private readonly inbox: Task[] = [];
  private current: Task | undefined;
  private stepOutstanding = false;
  private isWarm = false;
  private round = 0;
  private iterations = 0;
  /** Requests at the head with micro-batches to launch. */
  private readonly line: { request: Request; left: number }[] = [];
  private waiting = 0;
  private underWay = 0;
  private openCalls = 0;
  /** What the coordinator took in the last rounds, as the head knows; and what a stage was told. */
  private readonly taken = new Array<number>(coordinatorTaken.rounds).fill(0);
  private told: number;

  constructor(
    private readonly pipeline: Pipeline,
    private readonly index: number,
  ) {
    this.told = pipeline.instructionBudget;
  }

  private get isHead(): boolean {
    return this.index === 0;
  }
  private get isLast(): boolean {
    return this.index === this.pipeline.stages.length - 1;
  }

  private enterRound(iterations: number): void {
    if (this.round !== this.pipeline.round) {
      this.iterations = 0;
      this.taken.pop();
      this.taken.unshift(0);
    }
    this.round = this.pipeline.round;
    this.iterations = Math.max(this.iterations, iterations);
  }

  private get budget(): number {
    const { instructionBudget, stages } = this.pipeline;
    if (instructionBudget <= shortestLongMessage) return instructionBudget;
    if (!this.isHead) return Math.min(this.told, instructionBudget);
    const most = stages.length <= threads ? room.ofOneStage : room.ofSeveral;
    const taken = this.taken.filter((instructions) => instructions < most - shortestLongMessage);
    return Math.min(most - Math.max(0, ...taken), instructionBudget);
  }

  private choose(): void {
    if (this.current) return;
    this.current = this.inbox.shift();
    if (this.current || !this.isHead) return;
    const { stages } = this.pipeline;
    const perMessage = Math.max(1, Math.floor(this.budget / this.perTask()));
    if (this.underWay >= 2 * stages.length * perMessage + 4) return;
    // Requests are served one micro-batch each in turn.
    const next = this.line.shift();
    if (!next) return;
    if (--next.left > 0) this.line.push(next);
    this.waiting--;
    this.underWay++;
    this.current = { request: next.request, work: this.load.work };
  }

  private get load(): StageLoad {
    return this.pipeline.stages[this.index]!;
  }
  private perTask(): number {
    const { work, sending, pages } = this.load;
    return work + sending + pages;
  }

  private tasksPerLaunch(): number {
    const { length } = this.pipeline.stages;
    const messages = length <= threads ? 2 * length : length;
    return Math.max(1, Math.floor((this.waiting + this.underWay) / messages));
  }

  /** Works on tasks until the message's budget is used; gives what that takes. */
  private work(send: Send): number {
    const { budget } = this;
    const { sending, pages } = this.load;
    const finished: Task[] = [];
    let used = pages;
    for (let launched = 1; this.current; launched++) {
      const task = this.current;
      const collected = finished.length * sending;
      const most = budget - budget / finishing - Math.min(collected, budget / 2);
      const whole = used + task.work + collected + sending <= budget;
      const part = whole ? task.work : Math.min(task.work, Math.max(0, most - used));
      used += part;
      task.work -= part;
      if (task.work > 0) break;
      finished.push(task);
      this.current = undefined;
      if (used >= (most - sending) * (63 / 64)) break;
      if (this.isHead && launched >= this.tasksPerLaunch()) break;
      this.choose();
    }
    if (finished.length > 0) this.pass(finished, send);
    return used + finished.length * sending;
  }

  private pass(tasks: Task[], send: Send): void {
    if (!this.isLast) {
      const { stages } = this.pipeline;
      for (const task of tasks) task.work = stages[this.index + 1]!.work;
      const { round } = this.pipeline;
      send(this.index + 2, { kind: 'run', tasks, round, budget: this.budget });
    } else {
      if (this.pipeline.resultsStay) for (const { request } of tasks) this.pipeline.made(request);
      if (this.isHead) this.report(tasks, send);
      else send(1, { kind: 'done', tasks });
    }
    send(this.index + 1, { kind: 'small' });
  }

  private report(tasks: readonly Task[], send: Send): void {
    for (const { request } of tasks) {
      this.underWay--;
      if (!this.pipeline.resultsStay) this.pipeline.made(request);
      if (request.left > 0 || request.hasEnded) continue;
      request.hasEnded = true;
      this.enterRound(0);
      this.taken[0]! += coordinatorTaken.perRelease;
      if (!request.isOpen) continue;
      this.openCalls--;
      send(coordinator, { kind: 'answer', request });
    }
  }

  private schedule(send: Send): void {
    this.choose();
    if (this.stepOutstanding || !(this.current ?? this.isWarm)) return;
    this.stepOutstanding = true;
    send(this.index + 1, { kind: 'step' });
  }

  execute(message: Message, send: Send): number {
    const used = this.handle(message, send);
    this.pipeline.spent(this.index, used);
    return used;
  }

  private handle(message: Message, send: Send): number {
    let used = small;
    switch (message.kind) {
      case 'enqueue': {
        const { microBatches, bytes } = this.pipeline.load;
        const isOpen = !this.pipeline.resultsStay && this.openCalls < openCalls;
        const request = { left: microBatches, isOpen, hasEnded: false };
        if (isOpen) this.openCalls++;
        else {
          this.pipeline.tickets.add(request);
          send(coordinator, { kind: 'answer' });
        }
        this.line.push({ request, left: microBatches });
        this.waiting += microBatches;
        this.enterRound(this.stepOutstanding ? 1 : 2);
        this.taken[0]! += coordinatorTaken.perRequest + coordinatorTaken.perByte * bytes;
        used += headPerByte * bytes;
        break;
      }
      case 'released':
        send(coordinator, { kind: 'answer' });
        break;
      case 'run': {
        this.inbox.push(...message.tasks);
        this.told = message.budget;
        const isNow = message.round === this.pipeline.round;
        this.enterRound(isNow ? quietIterations : this.stepOutstanding ? 0 : 1);
        if (!this.stepOutstanding && this.iterations >= quietIterations) {
          this.choose();
          used += this.work(send);
        }
        break;
      }
      case 'done':
        this.report(message.tasks, send);
        break;
      case 'step': {
        this.stepOutstanding = false;
        this.enterRound(0);
        if (this.iterations++ < quietIterations) break;
        this.choose();
        this.isWarm = this.current !== undefined;
        if (this.isWarm) used += this.work(send);
        break;
      }
      default:
        return used;
    }
    this.schedule(send);
    return used;
  }
}

class Pipeline {
  readonly stages: readonly StageLoad[];
  readonly instructionBudget: number;
  readonly resultsStay: boolean;
  /** Requests whose ticket was given and whose result is not there. */
  readonly tickets = new Set<Request>();
  /** Requests whose callers have their result, or can have it, after this round. */
  answered: Request[] = [];
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

  /** A micro-batch of a request is done, where its result is kept. */
  made(request: Request): void {
    if (--request.left === 0 && this.tickets.delete(request)) this.answered.push(request);
  }

  /** Notes what a stage spent in this round. */
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
      for (; releases > 0; releases--) this.subnet.post(coordinator, { kind: 'release' });
      const most = Math.max(1, Math.floor(ingressBytes / Math.max(1, bytes)));
      const entering = Math.min(wanting, unsent, most);
      for (let index = 0; index < entering; index++) {
        this.subnet.post(coordinator, { kind: 'request' });
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
