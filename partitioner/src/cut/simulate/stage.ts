import { defaultOpenCalls, maxMessageBytes } from '@canopy/protocol';
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
import { policyOf, type Policy } from './policy.js';
import type { Actor, Execution } from './subnet.js';

/** Measured: taking a request in at the head, and a byte of what comes in any message. */
const enqueueing = 600_000;
const instructionsPerByteReceived = 4;

/** A worker: the first stage is the head. How it paces is the worker's own policy. */
export class Stage implements Actor<Message> {
  private readonly inbox: Task[] = [];
  private current: Task | undefined;
  private stepOutstanding = false;
  private isWarm = false;
  /** Requests at the head with micro-batches to launch. */
  private readonly line: { request: Request; left: number }[] = [];
  private waiting = 0;
  private underWay = 0;
  private openCalls = 0;
  private readonly policy: Policy;
  /** Tasks finished, and what they and those under way took. */
  private finished = 0;
  private spent = 0;

  constructor(
    private readonly around: Surroundings,
    private readonly pipeline: number,
    private readonly index: number,
  ) {
    const { stages, pipelines, instructionBudget } = around;
    this.policy = policyOf(pipeline * stages.length + index);
    this.policy.begin(index, stages.length, pipelines, instructionBudget);
  }

  /** Place of a stage of the same pipeline. */
  private place(stage: number): number {
    return workerPlace(this.around.stages.length, this.pipeline, stage);
  }
  private get isHead(): boolean {
    return this.index === 0;
  }
  private get isLast(): boolean {
    return this.index === this.around.stages.length - 1;
  }

  /** What a task takes by experience; 0 before the first is finished. */
  private get usual(): number {
    return this.finished === 0 ? 0 : this.spent / this.finished;
  }

  /** Gives the task that is next, where there is one. */
  private choose(): Task | undefined {
    this.current ??= this.inbox.shift();
    if (this.current || !this.isHead) return this.current;
    if (this.policy.isFull(this.underWay, this.policy.tasksPerMessage(this.usual)))
      return undefined;
    // Requests are served one micro-batch each in turn.
    const next = this.line.shift();
    if (!next) return undefined;
    if (--next.left > 0) this.line.push(next);
    this.waiting--;
    this.underWay++;
    this.current = { request: next.request, work: this.load.work, done: 0 };
    return this.current;
  }

  private get load(): StageLoad {
    return this.around.stages[this.index]!;
  }
  /** What sending the outcome of a task takes; a single stage only does when its caller waits. */
  private get sending(): number {
    return this.isHead && this.isLast ? 0 : instructionsPerByteSent * this.load.bytesSent;
  }

  /** Works on the current task and those after it, within a message; gives what that takes. */
  private work(first: Task, send: Send): number {
    const { policy, sending } = this;
    const finished: Task[] = [];
    let used = this.load.pages;
    let launched = first.done > 0 ? 0 : 1;
    let task = first;
    for (let startedAt = 0; ; startedAt = used) {
      const collected = finished.length * sending;
      const end = policy.taskBudget(used, this.usual, task.done, collected, collected + sending);
      const part = Math.min(task.work, Math.max(0, end - used));
      used += part;
      task.work -= part;
      task.done += used - startedAt;
      this.spent += used - startedAt;
      if (task.work > 0) break;
      this.spent += sending;
      this.finished++;
      finished.push(task);
      this.current = undefined;
      // A single stage has the result at once, before it launches more.
      if (this.isHead && this.isLast) this.underWay--;
      if (!policy.hasRoom(used, collected + sending)) break;
      if (this.isHead && launched >= policy.tasksPerLaunch(this.waiting, this.underWay)) break;
      const next = this.choose();
      if (!next) break;
      task = next;
      launched++;
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
      for (const task of tasks) {
        task.work = stages[this.index + 1]!.work;
        task.done = 0;
      }
      const { round } = this.around;
      const budget = this.policy.messageBudget();
      send(this.place(this.index + 1), { kind: 'run', tasks, round, budget });
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
      this.policy.newsCame(this.around.round);
      this.policy.noteEnd();
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
        const isOpen = !this.around.resultsStay && this.openCalls < defaultOpenCalls;
        const { pipeline } = this;
        const request = { pipeline, left: microBatches, isOpen, hasEnded: false };
        if (isOpen) this.openCalls++;
        else {
          this.around.ticketed(request);
          send(coordinatorPlace, { kind: 'answer' });
        }
        this.line.push({ request, left: microBatches });
        this.waiting += microBatches;
        this.policy.runCame(this.around.round, this.stepOutstanding);
        this.policy.setCoordinatorLoad(message.coordinatorLoad);
        used = enqueueing + instructionsPerByteReceived * bytes;
        break;
      }
      case 'released':
        send(coordinatorPlace, { kind: 'answer' });
        break;
      case 'run': {
        used += this.receiving(message.tasks, this.index - 1);
        this.inbox.push(...message.tasks);
        this.policy.setMessageBudget(message.budget);
        const { round } = this.around;
        this.policy.tasksCame(round, message.round, this.stepOutstanding);
        if (!this.stepOutstanding && !this.policy.isQuiet(round)) {
          const next = this.choose();
          if (next) used += this.work(next, send);
        }
        break;
      }
      case 'done':
        used += this.receiving(message.tasks, this.around.stages.length - 1);
        used += this.report(message.tasks, send);
        break;
      case 'step': {
        this.stepOutstanding = false;
        if (this.policy.isQuietStep(this.around.round)) break;
        const next = this.choose();
        this.isWarm = next !== undefined;
        if (next) used += this.work(next, send);
        break;
      }
      default:
        return used;
    }
    this.schedule(send);
    return used;
  }
}
