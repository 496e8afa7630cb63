import { policyWasm } from '@canopy/worker';

/**
 * The worker's pacing, compiled as a module of its own: `worker/assembly/policy.ts` has the same functions.
 * Instructions and times are whole numbers; what is no whole number is rounded down. A `now` is the same
 * within a round. Booleans come as 0 and 1.
 */
export interface Policy {
  /** A new worker in this place of `pipelines` pipelines of `stages` stages. */
  begin(stage: number, stages: number, pipelines: number, instructionBudget: number): void;

  runCame(now: number, isStepOutstanding: boolean): void;
  tasksCame(now: number, sentAt: number, isStepOutstanding: boolean): void;
  newsCame(now: number): void;
  isQuiet(now: number): number;
  /** {@link isQuiet} for a `step`, whose iteration it counts. */
  isQuietStep(now: number): number;

  setCoordinatorLoad(instructions: number): void;
  setMessageBudget(instructions: number): void;
  /** A run has ended, in the round that was told of last. */
  noteEnd(): void;
  messageBudget(): number;

  tasksPerMessage(perTask: number): number;
  isFull(underWay: number, perMessage: number): number;
  tasksPerLaunch(waiting: number, underWay: number): number;
  hasRoom(used: number, collected: number): number;
  /** Instructions after which a message's work on a task ends. */
  taskBudget(used: number, usual: number, done: number, collected: number, sending: number): number;
}

let module: WebAssembly.Module | undefined;
const instances: Policy[] = [];

/** The policy of a simulated worker, to begin with. Simulations use them one after the other. */
export function policyOf(worker: number): Policy {
  module ??= new WebAssembly.Module(policyWasm().slice());
  return (instances[worker] ??= new WebAssembly.Instance(module).exports as unknown as Policy);
}
