/** What simulated pipelines are made of, and what their canisters send each other. */

/** What a stage takes for a micro-batch, in instructions. */
export interface StageLoad {
  /** The work itself, and reading what came. */
  work: number;
  /** Bytes sent to the next stage, of a last stage to the head, of a single one to the caller. */
  bytesSent: number;
  /** Pages that a message of it touches. */
  pages: number;
}

/** Bytes of update calls that enter a round (limits.json, ingress). */
export const ingressBytes = 4 * 1024 * 1024;
/** system-api-costs.json: a byte of a call's argument, or of a reply. */
export const instructionsPerByteSent = 50;

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
  /** Requests a round while the pipelines are full; undefined where they are not for three rounds on end. */
  steadyPerRound: number | undefined;
  /** Messages that were simulated. */
  messages: number;
  traffic: Traffic;
}

/** What canisters are charged for, over a whole load. */
export interface Traffic {
  instructions: number;
  /** Messages executed, answers included. */
  executions: number;
  /** Calls between canisters, and the bytes of their arguments. */
  calls: number;
  callBytes: number;
  /** Messages from outside, and their bytes. */
  ingress: number;
  ingressBytes: number;
}

export interface PipelineSetting {
  stages: readonly StageLoad[];
  /** Pipelines of these stages, which share the requests. */
  pipelines: number;
  /** Instructions after which a message's work ends. */
  instructionBudget: number;
  /** Whether results stay at the last stage. */
  resultsStay: boolean;
}

/** A request on its way. */
export interface Request {
  /** Pipeline that works on it. */
  pipeline: number;
  /** Micro-batches whose results are not there. */
  left: number;
  /** Whether a call waits for it; else its caller holds a ticket. */
  isOpen: boolean;
  /** Whether the head knows that it is done. */
  hasEnded: boolean;
}

/** A micro-batch at a stage. */
export interface Task {
  request: Request;
  /** Instructions of work that are left. */
  work: number;
  /** Instructions of the messages so far, as the worker counts them. */
  done: number;
}

export type Message =
  | { kind: 'release'; pipeline: number }
  | { kind: 'request' | 'released' | 'step' | 'small' }
  | { kind: 'enqueue'; coordinatorLoad: number }
  | { kind: 'answer'; request?: Request }
  | { kind: 'run'; tasks: Task[]; round: number; budget: number }
  | { kind: 'done'; tasks: Task[] };
export type Send = (to: number, message: Message) => void;

/** Place of the coordinator on the subnet. */
export const coordinatorPlace = 0;

/** Place of a worker: behind the coordinator stand the pipelines, each with its head first. */
export function workerPlace(stages: number, pipeline: number, stage: number): number {
  return 1 + pipeline * stages + stage;
}

/** A message that does next to nothing. */
export const smallMessage = 300_000;

/** What the canisters see of the pipelines they are part of. */
export interface Surroundings extends PipelineSetting {
  readonly load: Load;
  readonly round: number;
  /** A ticket was given for a request. */
  ticketed(request: Request): void;
  /** A micro-batch of a request is done, where its result is kept. */
  made(request: Request): void;
  /** A caller has its answer. */
  answer(request: Request): void;
  /** A canister calls another, or itself, with so many bytes. */
  called(bytes: number): void;
  /** So many bytes more go with a call that was made already. */
  joined(bytes: number): void;
  /** A worker calls itself: the answer, which takes nothing, is no message of the simulation. */
  stepped(): void;
  /** A worker spent so many instructions in this round. */
  spent(isHead: boolean, instructions: number): void;
}
