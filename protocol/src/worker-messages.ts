/**
 * Messages to and between workers: raw little-endian bytes, no Candid, because azle and
 * AssemblyScript both handle bytes cheaply. Lengths are in bytes unless said otherwise. Every message
 * about runs begins with the epoch of the sender's configuration, u64; a worker refuses another one.
 *
 * | method | kind | argument | reply |
 * | --- | --- | --- | --- |
 * | configure | update | {@link WorkerConfig} | empty; refused while runs are under way, unless nothing changes |
 * | put_chunk | update | {@link Chunk} | empty |
 * | load | update | empty | empty; the worker calls itself until `status` says ready |
 * | status | query | empty | {@link WorkerStatus} |
 * | chunks | query | empty | bitmap, bit i of byte i/8 set where chunk i is held |
 * | enqueue | update, head | {@link EnqueueRequest} | mode wait: {@link Result} when done, or `pending` where many wait, it takes long, or results stay at the last stage; mode ticket: request id u64 at once |
 * | fetch | query, head; last stage where results stay | epoch u64, request id u64, offset u32, length u32 | {@link FetchReply} |
 * | release | update, head; last stage where results stay | epoch u64, request ids u64 | ids u64 of those not known here; the head forgets the results and cancels what still waits; the last stage forgets what it has of them, and gives ids of what was not complete |
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
export const listHeaderBytes = 24;

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

export const EnqueueMode = { wait: 0, ticket: 1 } as const;

/** Bytes that a principal takes in a message of fixed form: its length u8, its bytes, zeros. */
export const principalFieldBytes = 32;

function principalField(out: ByteWriter, principal: Uint8Array): ByteWriter {
  return out
    .shortBytes(principal)
    .bytes(new Uint8Array(principalFieldBytes - 1 - principal.length));
}

/**
 * One run for the head: epoch u64, mode u16, coordinator's load u16, deadline u32, owner (32 bytes, see
 * {@link principalFieldBytes}), task count u32, then per task its length u32 and its bundle. Tasks are
 * micro-batches in order.
 */
export interface EnqueueRequest {
  /** Of the configuration that the sender knows. */
  epoch: bigint;
  mode: number;
  /**
   * Instructions that the coordinator takes in a round, in millions: messages of work leave it room.
   * @default 0
   */
  coordinatorLoad?: number;
  /**
   * Seconds after which the run is given up; 0: as the worker is configured.
   * @default 0
   */
  deadlineSeconds?: number;
  /** Principal of the caller. Callers take turns, and limits count for each. */
  owner: Uint8Array;
  tasks: readonly Uint8Array[];
}

export function encodeEnqueue(request: EnqueueRequest): Uint8Array {
  const out = new ByteWriter();
  out
    .u64(request.epoch)
    .u16(request.mode)
    .u16(request.coordinatorLoad ?? 0);
  out.u32(request.deadlineSeconds ?? 0);
  principalField(out, request.owner).u32(request.tasks.length);
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
 * Argument of `run` and `done`: the epoch u64; the sender's time u64 in nanoseconds, which tells the receiver whether
 * it was sent in this round; the instructions u64 after which a message's work ends, as the head has
 * it (0: as configured); then for each task its length u32 and the {@link Task}.
 */
export function encodeTasks(
  epoch: bigint,
  tasks: readonly Task[],
  { sentAtNs = 0n, messageBudget = 0n } = {},
): Uint8Array {
  const out = new ByteWriter().u64(epoch).u64(sentAtNs).u64(messageBudget);
  for (const task of tasks) {
    const bytes = encodeTask(task);
    out.u32(bytes.length).bytes(bytes);
  }
  return out.finish();
}

/** Argument of `fail`, why a micro-batch came to nothing: epoch u64, request id u64, task index u32, stage u32, text. */
export interface Failure {
  requestId: bigint;
  taskIndex: number;
  stage: number;
  /** `[code] text` */
  text: string;
}

export function encodeFailure(epoch: bigint, failure: Failure): Uint8Array {
  const out = new ByteWriter().u64(epoch).u64(failure.requestId).u32(failure.taskIndex);
  return out.u32(failure.stage).text(failure.text).finish();
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
export function encodeFetch(
  epoch: bigint,
  requestId: bigint,
  offset: number,
  length: number,
): Uint8Array {
  return new ByteWriter().u64(epoch).u64(requestId).u32(offset).u32(length).finish();
}

/** Argument of `release`. */
export function encodeRelease(epoch: bigint, requestIds: readonly bigint[]): Uint8Array {
  const out = new ByteWriter().u64(epoch);
  for (const id of requestIds) out.u64(id);
  return out.finish();
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
