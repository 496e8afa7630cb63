/**
 * Messages to and between workers: raw little-endian bytes, no Candid, because azle and
 * AssemblyScript both handle bytes cheaply. Lengths are in bytes unless said otherwise.
 *
 * | method | kind | argument | reply |
 * | --- | --- | --- | --- |
 * | configure | update | {@link WorkerConfig} | empty |
 * | put_chunk | update | {@link Chunk} | empty |
 * | load | update | empty | empty; the worker calls itself until `status` says ready |
 * | status | query | empty | {@link WorkerStatus} |
 * | chunks | query | empty | bitmap, bit i of byte i/8 set where chunk i is held |
 * | enqueue | update, head | {@link EnqueueRequest} | mode wait: {@link Result} when done, or `pending` where many wait, it takes long, or results stay at the last stage; mode ticket: request id u64 at once |
 * | fetch | query, head; last stage where results stay | request id u64, offset u32, length u32 | {@link FetchReply} |
 * | release | update, head; last stage where results stay | request ids u64 | ids u64 of those not known here; the head forgets the results and cancels what still waits; the last stage forgets what it has of them, and gives ids of what was not complete |
 * | run | update, stage to stage | tasks, see {@link encodeTasks} | empty |
 * | done | update, last stage to head | tasks, see {@link encodeTasks}; where results stay without traces and bundles | ids u64 of requests whose results nobody wants, which the last stage forgets |
 * | fail | update, any stage to head | {@link Failure} | empty |
 * | step | update, self | empty | empty: goes on with the task under way or the next in the queue |
 * | wake | update, self | empty | empty: its reply runs in the waiting call's context |
 */
import { ByteReader, ByteWriter } from './bytes.js';

/** Bytes of one {@link StageTrace}. */
export const stageTraceBytes = 32;
/** Bytes of a {@link Task} before its traces, and where their number lies in it. */
export const taskHeaderBytes = 24;
export const traceCountAt = 20;
/** Most tasks of one run. */
export const maxTasksOfRun = 1024;
/** Bytes of the length in front of a task in a list, and of the header in front of the list. */
export const taskLengthBytes = 4;
export const listHeaderBytes = 16;

/** What a controller tells a worker about its place; may be sent again. */
export interface WorkerConfig {
  stageIndex: number;
  stageCount: number;
  /** Bytes of the shard, and of each chunk but the last. */
  shardBytes: number;
  chunkBytes: number;
  /** SHA-256 over the SHA-256 hashes of all chunks in order. */
  shardHash: Uint8Array;
  /** Instructions a message may use before the work goes on in a self-call. */
  instructionBudget: bigint;
  /** Most requests the head keeps waiting; more are refused as busy. */
  queueLimit: number;
  /** Most requests of one caller among them. */
  queueLimitPerCaller: number;
  /**
   * Most calls of `enqueue` that the head keeps open until their result is there; more are answered
   * with `pending`. Each costs a message in every iteration, and its answer makes the coordinator a
   * canister at work beside the stages.
   */
  openCalls: number;
  /**
   * Whether the head launches only so many tasks a message that every stage has some (what Canopy
   * does), or each request as soon as it comes (for comparison).
   */
  paced: boolean;
  /**
   * Whether the last stage keeps the results and is asked for them, instead of sending them to the
   * head. The same for all stages; no effect where there is one stage.
   */
  resultsStay: boolean;
  /** Pipelines of the model, this one included: how many workers share the threads of the subnet. */
  pipelines: number;
  coordinator: Uint8Array;
  /** Workers of all stages of this pipeline in order; [0] is the head. */
  workers: readonly Uint8Array[];
}

export function encodeWorkerConfig(config: WorkerConfig): Uint8Array {
  const out = new ByteWriter();
  out.u32(config.stageIndex).u32(config.stageCount).u32(config.shardBytes).u32(config.chunkBytes);
  out.bytes(config.shardHash).u64(config.instructionBudget);
  out
    .u32(config.queueLimit)
    .u32(config.queueLimitPerCaller)
    .u32(config.openCalls)
    .u32(config.paced ? 1 : 0)
    .u32(config.resultsStay ? 1 : 0);
  out.shortBytes(config.coordinator);
  for (const worker of config.workers) out.shortBytes(worker);
  return out.u32(config.pipelines).finish();
}

/** Part `index` of a shard: `chunkBytes` long, the last one shorter. Any order, repeatable. */
export interface Chunk {
  index: number;
  /** SHA-256 of `bytes`. */
  hash: Uint8Array;
  bytes: Uint8Array;
}

export function encodeChunk(chunk: Chunk): Uint8Array {
  return new ByteWriter().u32(chunk.index).bytes(chunk.hash).bytes(chunk.bytes).finish();
}

export const WorkerState = { empty: 0, configured: 1, loading: 2, ready: 3 } as const;

export interface WorkerStatus {
  state: number;
  stageIndex: number;
  stageCount: number;
  chunksHeld: number;
  chunkCount: number;
  /** Hash of what is held, zeros until ready. */
  shardHash: Uint8Array;
  weightsBytes: number;
  nodes: number;
  /** Requests waiting in the queue and tasks under way. */
  waiting: number;
  tasksDone: bigint;
  instructions: bigint;
  heapBytes: number;
  stableBytes: bigint;
  /** Bytes of the heap that weights, activations, queue and results take. */
  heapUsedBytes: number;
  /** Instructions spent in the program since the canister was started, and of them in operators. */
  programInstructions: bigint;
  operatorInstructions: bigint;
}

/** A status as a worker sends it; what is left out is zero. For those who stand in for a worker. */
export function encodeWorkerStatus(status: Partial<WorkerStatus>): Uint8Array {
  const out = new ByteWriter();
  out
    .u32(status.state ?? 0)
    .u32(status.stageIndex ?? 0)
    .u32(status.stageCount ?? 0);
  out.u32(status.chunksHeld ?? 0).u32(status.chunkCount ?? 0);
  out.bytes(status.shardHash ?? new Uint8Array(32));
  out
    .u32(status.weightsBytes ?? 0)
    .u32(status.nodes ?? 0)
    .u32(status.waiting ?? 0);
  out.u64(status.tasksDone ?? 0n).u64(status.instructions ?? 0n);
  out
    .u32(status.heapBytes ?? 0)
    .u64(status.stableBytes ?? 0n)
    .u32(status.heapUsedBytes ?? 0);
  out.u64(status.programInstructions ?? 0n).u64(status.operatorInstructions ?? 0n);
  return out.finish();
}

export function decodeWorkerStatus(bytes: Uint8Array): WorkerStatus {
  const input = new ByteReader(bytes, 'worker status');
  return {
    state: input.u32(),
    stageIndex: input.u32(),
    stageCount: input.u32(),
    chunksHeld: input.u32(),
    chunkCount: input.u32(),
    shardHash: input.bytes(32),
    weightsBytes: input.u32(),
    nodes: input.u32(),
    waiting: input.u32(),
    tasksDone: input.u64(),
    instructions: input.u64(),
    heapBytes: input.u32(),
    stableBytes: input.u64(),
    heapUsedBytes: input.u32(),
    programInstructions: input.u64(),
    operatorInstructions: input.u64(),
  };
}

export const EnqueueMode = { wait: 0, ticket: 1 } as const;

/**
 * One request for the head: mode u16, coordinator's load u16, caller key u64 (requests of different
 * callers take turns), task count u32, then per task its length u32 and its bundle. Tasks are
 * micro-batches in order.
 */
export interface EnqueueRequest {
  mode: number;
  /**
   * Instructions that the coordinator takes in a round, in millions: messages of work leave it room.
   * @default 0
   */
  coordinatorLoad?: number;
  callerKey: bigint;
  tasks: readonly Uint8Array[];
}

export function encodeEnqueue(request: EnqueueRequest): Uint8Array {
  const out = new ByteWriter();
  out
    .u16(request.mode)
    .u16(request.coordinatorLoad ?? 0)
    .u64(request.callerKey)
    .u32(request.tasks.length);
  for (const task of request.tasks) out.u32(task.length).bytes(task);
  return out.finish();
}

/** What one stage did for one micro-batch. 32 bytes: u64, u32 x 5, zeros. */
export interface StageTrace {
  /** `performance_counter(0)` over all messages the micro-batch took in this stage. */
  instructions: bigint;
  messages: number;
  bytesReceived: number;
  bytesSent: number;
  /** Most heap its activations took at once. */
  scratchBytes: number;
}

/**
 * A micro-batch on its way: request id u64, task index u32, number of the request's tasks u32,
 * urgent u32, trace count u32, the traces of the stages it has passed, and the bundle of tensors for the next
 * stage.
 */
export interface Task {
  requestId: bigint;
  taskIndex: number;
  taskCount: number;
  /** Goes before tasks that wait at a stage: its caller has no other request. Default false. */
  isUrgent?: boolean;
  traces: readonly StageTrace[];
  bundle: Uint8Array;
}

function decodeTrace(input: ByteReader): StageTrace {
  const trace = {
    instructions: input.u64(),
    messages: input.u32(),
    bytesReceived: input.u32(),
    bytesSent: input.u32(),
    scratchBytes: input.u32(),
  };
  input.bytes(8);
  return trace;
}

export function encodeTask(task: Task): Uint8Array {
  const out = new ByteWriter();
  out.u64(task.requestId).u32(task.taskIndex).u32(task.taskCount);
  out.u32(task.isUrgent ? 1 : 0).u32(task.traces.length);
  for (const trace of task.traces) {
    out.u64(trace.instructions).u32(trace.messages).u32(trace.bytesReceived);
    out.u32(trace.bytesSent).u32(trace.scratchBytes).u64(0n);
  }
  return out.bytes(task.bundle).finish();
}

/**
 * Argument of `run` and `done`: the sender's time u64 in nanoseconds, which tells the receiver whether
 * it was sent in this round; the instructions u64 after which a message's work ends, as the head has
 * it (0: as configured); then for each task its length u32 and the {@link Task}.
 */
export function encodeTasks(
  tasks: readonly Task[],
  { sentAtNs = 0n, messageBudget = 0n } = {},
): Uint8Array {
  const out = new ByteWriter().u64(sentAtNs).u64(messageBudget);
  for (const task of tasks) {
    const bytes = encodeTask(task);
    out.u32(bytes.length).bytes(bytes);
  }
  return out.finish();
}

/** Why a micro-batch came to nothing: request id u64, task index u32, stage u32, text. */
export interface Failure {
  requestId: bigint;
  taskIndex: number;
  stage: number;
  /** `[code] text` */
  text: string;
}

export const ResultStatus = { done: 0, failed: 1, moved: 2, pending: 3 } as const;

/**
 * What became of a request: status u32, request id u64, then
 * - done: task count u32, per task: trace count u32, traces, bundle length u32, bundle
 * - failed: stage u32, text
 * - moved: the result does not fit a reply; its length u32, 0 where it stays at the last stage: fetch
 *   it in parts
 * - pending: tasks done u32, tasks in all u32; at a last stage those it has, 0 of 0 where it has none
 */
export type Result =
  | { status: 'done'; requestId: bigint; tasks: { traces: StageTrace[]; bundle: Uint8Array }[] }
  | { status: 'failed'; requestId: bigint; stage: number; text: string }
  | { status: 'moved'; requestId: bigint; byteLength: number }
  | { status: 'pending'; requestId: bigint; tasksDone: number; taskCount: number };

export function decodeResult(bytes: Uint8Array): Result {
  const input = new ByteReader(bytes, 'result');
  const status = input.u32();
  const requestId = input.u64();
  switch (status) {
    case ResultStatus.done: {
      const tasks = Array.from({ length: input.u32() }, () => {
        const traces = Array.from({ length: input.u32() }, () => decodeTrace(input));
        return { traces, bundle: input.bytes(input.u32()) };
      });
      return { status: 'done', requestId, tasks };
    }
    case ResultStatus.failed:
      return { status: 'failed', requestId, stage: input.u32(), text: input.text() };
    case ResultStatus.moved:
      return { status: 'moved', requestId, byteLength: input.u32() };
    default:
      return { status: 'pending', requestId, tasksDone: input.u32(), taskCount: input.u32() };
  }
}

/** Argument of `fetch`: part `[offset, offset + length)` of a finished result. */
export function encodeFetch(requestId: bigint, offset: number, length: number): Uint8Array {
  return new ByteWriter().u64(requestId).u32(offset).u32(length).finish();
}

/**
 * Reply of `fetch`: finished u32 (1 or 0), total length u32, then the part of the encoded
 * {@link Result}; where it is not finished, a whole `pending` result.
 */
export interface FetchReply {
  finished: boolean;
  byteLength: number;
  part: Uint8Array;
}

export function decodeFetchReply(bytes: Uint8Array): FetchReply {
  const input = new ByteReader(bytes, 'fetch reply');
  const finished = input.u32() === 1;
  const byteLength = input.u32();
  return { finished, byteLength, part: input.bytes(input.remaining) };
}
