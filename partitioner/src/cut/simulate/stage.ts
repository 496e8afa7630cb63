import { maxMessageBytes } from '@canopy/protocol';
import {
  coordinatorPlace,
  instructionsPerByteSent,
  smallMessage,
  workerPlace,
  type Message,
  type Request,
  type Send,
  type StageLoad,
  type Surroundings,
  type Task,
} from './messages.js';
import type { Actor, Execution } from './subnet.js';

/** Measured: taking a request in at the head, and a byte of what comes in any message. */
const enqueueing = 600_000;
const instructionsPerByteReceived = 4;
/** What the worker's `limits.ts` says; a test compares them. */
export const workerLimits = {
  quietIterations: 3,
  threads: 4,
  roomOfOneStage: 1_900_000_000,
  roomOfSeveral: 1_830_000_000,
  shortestLongMessage: 1_000_000_000,
  coordinatorPerRelease: 16_000_000,
  roundsOfLoad: 3,
} as const;
const { quietIterations, threads, shortestLongMessage } = workerLimits;
/** Rounds of which the head counts requests that ended; the worker's `budget.ts`. */
const roundsCounted = 4;
/** Part of the budget that only the end of a task may use; the worker's `work.ts`. */
const finishing = 128;
/** Requests that wait for their result by an open call; more hold tickets. */
const openCalls = 2;

/** A worker: the first stage is the head. */
export class Stage implements Actor<Message> {
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
  /** What requests take of the coordinator in a round, as it told the head, and for how many rounds. */
  private coordinatorLoad = 0;
  private loadHolds = 0;
  /** Requests that ended in the last rounds, this one first. */
  private readonly ended = new Array<number>(roundsCounted).fill(0);
  /** The budget that a later stage was told. */
  private told: number;

  constructor(
    private readonly around: Surroundings,
    private readonly pipeline: number,
    private readonly index: number,
  ) {
    this.told = around.instructionBudget;
  }

  /** Place of a stage of the same pipeline. */
  private place(stage: number): number {
    return workerPlace(this.around.stages.length, this.pipeline, stage);
  }
  /** Whether each worker has a thread of the subnet for itself. */
  private get hasOwnThread(): boolean {
    const { stages, pipelines } = this.around;
    return stages.length * pipelines <= threads;
  }
  private get isHead(): boolean {
    return this.index === 0;
  }
  private get isLast(): boolean {
    return this.index === this.around.stages.length - 1;
  }

  private enterRound(iterations: number): void {
    if (this.round !== this.around.round) {
      this.iterations = 0;
      this.loadHolds--;
      this.ended.pop();
      this.ended.unshift(0);
    }
    this.round = this.around.round;
    this.iterations = Math.max(this.iterations, iterations);
  }

  private get budget(): number {
    const { instructionBudget } = this.around;
    if (instructionBudget <= shortestLongMessage) return instructionBudget;
    if (!this.isHead) return Math.min(this.told, instructionBudget);
    const most = this.hasOwnThread ? workerLimits.roomOfOneStage : workerLimits.roomOfSeveral;
    return Math.min(Math.max(most - this.coordinatorTakes, shortestLongMessage), instructionBudget);
  }

  /** What the coordinator takes in a round. */
  private get coordinatorTakes(): number {
    const ended = this.ended.reduce((sum, count) => sum + count, 0) * this.around.pipelines;
    const releases = Math.ceil(ended / roundsCounted) * workerLimits.coordinatorPerRelease;
    return (this.loadHolds > 0 ? this.coordinatorLoad : 0) + releases;
  }

  private choose(): void {
    if (this.current) return;
    this.current = this.inbox.shift();
    if (this.current || !this.isHead) return;
    const { stages } = this.around;
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
    return this.around.stages[this.index]!;
  }
  private perTask(): number {
    const { work, pages } = this.load;
    return work + this.sending + pages;
  }
  /** What sending the outcome of a task takes; a single stage only does when its caller waits. */
  private get sending(): number {
    return this.isHead && this.isLast ? 0 : instructionsPerByteSent * this.load.bytesSent;
  }

  private tasksPerLaunch(): number {
    const { length } = this.around.stages;
    const messages = this.hasOwnThread ? 2 * length : length;
    return Math.max(1, Math.floor((this.waiting + this.underWay) / messages));
  }

  /** Works on tasks until the message's budget is used; gives what that takes. */
  private work(send: Send): number {
    const { budget } = this;
    const { sending } = this;
    const { pages } = this.load;
    const finished: Task[] = [];
    let used = pages;
    const isGoingOn = this.current !== undefined && this.current.work < this.load.work;
    for (let launched = isGoingOn ? 0 : 1; this.current; launched++) {
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
      // A single stage has the result at once, before it launches more.
      if (this.isHead && this.isLast) this.underWay--;
      if (used >= (most - sending) * (63 / 64)) break;
      if (this.isHead && launched >= this.tasksPerLaunch()) break;
      this.choose();
    }
    const replies = finished.length > 0 ? this.pass(finished, send) : 0;
    return used + finished.length * sending + replies;
  }

  /** Hands finished tasks on; gives what replies to callers that wait take. */
  private pass(tasks: Task[], send: Send): number {
    let replies = 0;
    if (!this.isHead || !this.isLast) this.around.called(tasks.length * this.load.bytesSent);
    if (!this.isLast) {
      const { stages } = this.around;
      for (const task of tasks) task.work = stages[this.index + 1]!.work;
      const { round } = this.around;
      send(this.place(this.index + 1), { kind: 'run', tasks, round, budget: this.budget });
    } else {
      if (this.around.resultsStay) for (const { request } of tasks) this.around.made(request);
      if (this.isHead) replies = this.report(tasks, send);
      else send(this.place(0), { kind: 'done', tasks });
    }
    send(this.place(this.index), { kind: 'small' });
    return replies;
  }

  /** What taking in tasks of another stage takes. */
  private receiving(tasks: readonly Task[], from: number): number {
    return instructionsPerByteReceived * tasks.length * this.around.stages[from]!.bytesSent;
  }

  private report(tasks: readonly Task[], send: Send): number {
    const { load, stages } = this.around;
    const bytes = load.microBatches * stages.at(-1)!.bytesSent;
    let used = 0;
    if (!this.isLast) this.underWay -= tasks.length;
    for (const { request } of tasks) {
      if (!this.around.resultsStay) this.around.made(request);
      if (request.left > 0 || request.hasEnded) continue;
      request.hasEnded = true;
      this.enterRound(0);
      this.ended[0]!++;
      if (!request.isOpen) continue;
      this.openCalls--;
      send(coordinatorPlace, { kind: 'answer', request });
      if (bytes <= maxMessageBytes) used += instructionsPerByteSent * bytes;
    }
    return used;
  }

  private schedule(send: Send): void {
    this.choose();
    if (this.stepOutstanding || !(this.current ?? this.isWarm)) return;
    this.stepOutstanding = true;
    this.around.called(0);
    this.around.stepped();
    send(this.place(this.index), { kind: 'step' });
  }

  execute(message: Message, send: Send): Execution {
    const instructions = this.handle(message, send);
    this.around.spent(this.isHead, instructions);
    // The planner keeps activations so small that what they change never counts.
    return { instructions, heapChanged: 0 };
  }

  private handle(message: Message, send: Send): number {
    let used = smallMessage;
    switch (message.kind) {
      case 'enqueue': {
        const { microBatches, bytes } = this.around.load;
        const isOpen = !this.around.resultsStay && this.openCalls < openCalls;
        const { pipeline } = this;
        const request = { pipeline, left: microBatches, isOpen, hasEnded: false };
        if (isOpen) this.openCalls++;
        else {
          this.around.ticketed(request);
          send(coordinatorPlace, { kind: 'answer' });
        }
        this.line.push({ request, left: microBatches });
        this.waiting += microBatches;
        this.enterRound(this.stepOutstanding ? 1 : 2);
        this.coordinatorLoad = message.coordinatorLoad;
        this.loadHolds = workerLimits.roundsOfLoad + this.around.pipelines;
        used = enqueueing + instructionsPerByteReceived * bytes;
        break;
      }
      case 'released':
        send(coordinatorPlace, { kind: 'answer' });
        break;
      case 'run': {
        used += this.receiving(message.tasks, this.index - 1);
        this.inbox.push(...message.tasks);
        this.told = message.budget;
        const isNow = message.round === this.around.round;
        this.enterRound(isNow ? quietIterations : this.stepOutstanding ? 0 : 1);
        if (!this.stepOutstanding && this.iterations >= quietIterations) {
          this.choose();
          used += this.work(send);
        }
        break;
      }
      case 'done':
        used += this.receiving(message.tasks, this.around.stages.length - 1);
        used += this.report(message.tasks, send);
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
