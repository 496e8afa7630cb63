import {
  coordinatorPlace,
  smallMessage,
  type Message,
  type Request,
  type Send,
  type StageLoad,
  type Surroundings,
  type Task,
} from './messages.js';
import type { Actor } from './subnet.js';

/** Taking a request in at the head, for each byte. */
const headPerByte = 4;
/** What the worker's `limits.ts` says; a test compares them. */
export const workerLimits = {
  quietIterations: 3,
  threads: 4,
  roomOfOneStage: 1_900_000_000,
  roomOfSeveral: 1_800_000_000,
  shortestLongMessage: 1_000_000_000,
  coordinatorPerRequest: 26_000_000,
  coordinatorPerByte: 58,
  coordinatorPerRelease: 16_000_000,
} as const;
const { quietIterations, threads, shortestLongMessage } = workerLimits;
/** Rounds that the head looks back on; the worker's `budget.ts`. */
const roundsTaken = 4;
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
  /** What the coordinator took in the last rounds, as the head knows; and what a stage was told. */
  private readonly taken = new Array<number>(roundsTaken).fill(0);
  private told: number;

  constructor(
    private readonly pipeline: Surroundings,
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
    const most =
      stages.length <= threads ? workerLimits.roomOfOneStage : workerLimits.roomOfSeveral;
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
      this.taken[0]! += workerLimits.coordinatorPerRelease;
      if (!request.isOpen) continue;
      this.openCalls--;
      send(coordinatorPlace, { kind: 'answer', request });
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
    let used = smallMessage;
    switch (message.kind) {
      case 'enqueue': {
        const { microBatches, bytes } = this.pipeline.load;
        const isOpen = !this.pipeline.resultsStay && this.openCalls < openCalls;
        const request = { left: microBatches, isOpen, hasEnded: false };
        if (isOpen) this.openCalls++;
        else {
          this.pipeline.ticketed(request);
          send(coordinatorPlace, { kind: 'answer' });
        }
        this.line.push({ request, left: microBatches });
        this.waiting += microBatches;
        this.enterRound(this.stepOutstanding ? 1 : 2);
        this.taken[0]! +=
          workerLimits.coordinatorPerRequest + workerLimits.coordinatorPerByte * bytes;
        used += headPerByte * bytes;
        break;
      }
      case 'released':
        send(coordinatorPlace, { kind: 'answer' });
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
