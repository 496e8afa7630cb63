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
 * | enqueue | update, head | one or several runs, see {@link encodeEnqueueAll} | mode wait: {@link Result} when done, or `pending` where many wait, it takes long, or results stay at the last stage; mode ticket: request id u64 at once; several runs: for each {@link Taken} |
 * | fetch | query, head; last stage where results stay | epoch u64, request id u64, offset u32, length u32 | {@link FetchReply} |
 * | release | update, head; last stage where results stay | epoch u64, request ids u64 | {@link EndedRun} of each, in order, then of runs that ended here unasked; the head forgets the results and cancels what still waits; the last stage forgets what it has of them, and knows nothing of what was not complete |
 * | held | query, head; last stage where results stay | epoch u64 | ids u64 of the runs of which results are kept, whole or in part |
 * | run | update, stage to stage | list of {@link Task}, see {@link encodeList} | empty |
 * | done | update, last stage to head | list of {@link PartResult} | ids u64 of runs whose results nobody wants, which the last stage forgets |
 * | fail | update, any stage to head | {@link Failure} | empty |
 * | news | update, any stage to head | ids of the tasks it has, see {@link encodeNews} | empty |
 * | step | update, self | empty | empty: goes on with the task under way or the next in the queue |
 * | wake | update, self | empty | empty: its reply runs in the waiting call's context |
 */
import { ByteReader, ByteWriter } from './bytes.js';

/** Bytes of one {@link StageTrace}. */
export const stageTraceBytes = 32;
/** Bytes of a {@link Task} before its table of parts, of an entry of the table, and of its owner. */
export const taskHeaderBytes = 24;
export const taskPartBytes = 24;
/** Bytes of a {@link PartResult} before its traces, and where their number lies in it. */
export const partResultHeaderBytes = 32;
export const traceCountAt = 28;
/** Most micro-batches of one run. */
export const maxBatchesOfRun = 1024;
/** Most parts of one task. */
export const maxPartsOfTask = 256;
/** Bytes of the length in front of an entry of a list, and of the header in front of the list. */
export const entryLengthBytes = 4;
export const listHeaderBytes = 32;

/** Part `index` of a shard: `chunkBytes` long, the last one shorter. Any order, repeatable. */
export interface Chunk {
  index: number;
  /** SHA-256 of `bytes`. */
  hash: Uint8Array;
  bytes: Uint8Array;
}

export function encodeChunk(chunk: Chunk): Uint8Array {
  const out = new ByteWriter().u32(chunk.index, 'index of a chunk');
  return out.exactly(32, chunk.hash, 'hash of a chunk').bytes(chunk.bytes).finish();
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
 * A run for the head: mode u32, deadline u32, owner (32 bytes, see {@link principalFieldBytes}), count of
 * micro-batches u32, then for each its length u32 and its bundle, in order. The head puts micro-batches of
 * one or several runs together into tasks.
 */
export interface RunRequest {
  mode: number;
  /**
   * Seconds after which the run is given up; 0: as the worker is configured.
   * @default 0
   */
  deadlineSeconds?: number;
  /** Principal of the caller. Callers take turns, and limits count for each. */
  owner: Uint8Array;
  tasks: readonly Uint8Array[];
}

/** What comes before the runs of an `enqueue`. */
export interface EnqueueHeader {
  /** Of the configuration that the sender knows. */
  epoch: bigint;
  /**
   * Instructions that the coordinator takes in a round, in millions: messages of work leave it room.
   * @default 0
   */
  coordinatorLoad?: number;
}

/** Bytes of an {@link EnqueueHeader} with the count of runs behind it, and of a run before its micro-batches. */
export const enqueueHeaderBytes = 16;
export const runHeaderBytes = 44;
/** Most runs of one `enqueue`. */
export const maxRunsOfCall = 256;

/** An `enqueue` of one run. */
export type EnqueueRequest = EnqueueHeader & RunRequest;

export function encodeEnqueue(request: EnqueueRequest): Uint8Array {
  return encodeEnqueueAll(request, [request]);
}

/**
 * Argument of `enqueue`, one or several runs: epoch u64, coordinator's load u16, zero u16, count of
 * runs u32, then each {@link RunRequest} behind its length u32. Only a run that comes alone may wait for its result.
 */
export function encodeEnqueueAll(header: EnqueueHeader, runs: readonly RunRequest[]): Uint8Array {
  const out = new ByteWriter().u64(header.epoch, 'epoch');
  out
    .u16(header.coordinatorLoad ?? 0, "the coordinator's load")
    .u16(0)
    .u32(runs.length);
  for (const { mode, deadlineSeconds = 0, owner, tasks } of runs) {
    const bytes = tasks.reduce((sum, task) => sum + 4 + task.length, runHeaderBytes);
    out.u32(bytes).u32(mode, 'mode').u32(deadlineSeconds, 'deadline');
    principalField(out, owner).u32(tasks.length);
    for (const task of tasks) out.u32(task.length, 'bytes of a task').bytes(task);
  }
  return out.finish();
}

/**
 * What the head says of a run that came with others: its id u64; or 0, then why it was refused, `[code]
 * text`, behind its length u32. A run that came alone is refused by rejecting the call.
 */
export type Taken = { requestId: bigint } | { refusal: string };

/**
 * Reads what an `enqueue` of runs that do not wait is answered, in their order; {@link EndedRun}s follow.
 * Throws `ProtocolError`.
 */
export function decodeTaken(input: ByteReader, runs: number): Taken[] {
  return Array.from({ length: runs }, () => {
    const requestId = input.u64();
    return requestId === 0n ? { refusal: input.text() } : { requestId };
  });
}

/** What one stage did for one micro-batch. 32 bytes: u64, u32 x 5, zeros. */
export interface StageTrace {
  /** `performance_counter(0)` over all messages the micro-batch took in this stage. */
  instructions: bigint;
  messages: number;
  bytesReceived: number;
  bytesSent: number;
  /** Most heap its activations took at once, with what kernels took while they ran. */
  scratchBytes: number;
}

/** A micro-batch of a run that a task carries. */
export interface TaskPart {
  requestId: bigint;
  /** Which of how many micro-batches of the run. */
  index: number;
  count: number;
  /** Rows of the task that are its own; the parts' rows follow one another. */
  rows: number;
  /** Principal of the run's caller; only where results stay at the last stage. */
  owner?: Uint8Array;
}

/**
 * What travels the pipeline in one message, rows of one or several runs: task id u64, urgent u32, part
 * count u32, trace count u32, rows u32 (0 where they are not to be told apart: one part); for each part
 * request id u64, index u32, count u32, rows u32, zero u32, and where results stay its owner (32 bytes,
 * see {@link principalFieldBytes}); the traces of the stages it has passed; the bundle of tensors for the
 * next stage.
 */
export interface Task {
  id: bigint;
  /** Goes before tasks that wait at a stage: a caller of it has no other request. Default false. */
  isUrgent?: boolean;
  /** Rows of all parts. */
  rows?: number;
  parts: readonly TaskPart[];
  traces: readonly StageTrace[];
  bundle: Uint8Array;
}

/**
 * What came of a part of a task, from the last stage to the head: task id u64, request id u64, index u32,
 * count u32, zero u32, trace count u32, traces, bundle of the part's rows. Of each trace, instructions
 * and bytes are the part's share by rows. Where results stay, without traces and bundle.
 */
export interface PartResult {
  taskId: bigint;
  requestId: bigint;
  index: number;
  count: number;
  traces: readonly StageTrace[];
  bundle: Uint8Array;
}

/** Reads one trace. */
export function decodeTrace(input: ByteReader): StageTrace {
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

function encodeTraces(out: ByteWriter, traces: readonly StageTrace[]): void {
  for (const trace of traces) {
    out.u64(trace.instructions).u32(trace.messages).u32(trace.bytesReceived);
    out.u32(trace.bytesSent).u32(trace.scratchBytes).u64(0n);
  }
}

export function encodeTask(task: Task): Uint8Array {
  const out = new ByteWriter()
    .u64(task.id)
    .u32(task.isUrgent ? 1 : 0)
    .u32(task.parts.length);
  out.u32(task.traces.length).u32(task.rows ?? 0);
  for (const { requestId, index, count, rows, owner } of task.parts) {
    out.u64(requestId).u32(index).u32(count).u32(rows).u32(0);
    if (owner) principalField(out, owner);
  }
  encodeTraces(out, task.traces);
  return out.bytes(task.bundle).finish();
}

export function encodePartResult(part: PartResult): Uint8Array {
  const out = new ByteWriter().u64(part.taskId).u64(part.requestId).u32(part.index);
  out.u32(part.count).u32(0).u32(part.traces.length);
  encodeTraces(out, part.traces);
  return out.bytes(part.bundle).finish();
}

/** What the lists of `run` and `done` tell besides their entries. */
export interface ListHeader {
  /** The sender's time in nanoseconds, which tells the receiver whether it was sent in this round. */
  sentAtNs?: bigint;
  /** Instructions after which a message's work ends, as the head has it; 0: as configured. */
  messageBudget?: bigint;
  /** Ids of tasks that nobody waits for any more; only in `run`. */
  cancelled?: readonly bigint[];
}

/**
 * Argument of `run` and `done`: epoch u64, time u64, message budget u64, count of cancelled tasks u32,
 * zero u32, ids of cancelled tasks u64 each, then the entries, each behind its length u32: {@link Task}
 * in `run`, {@link PartResult} in `done`.
 */
export function encodeList(
  epoch: bigint,
  entries: readonly Uint8Array[],
  { sentAtNs = 0n, messageBudget = 0n, cancelled = [] }: ListHeader = {},
): Uint8Array {
  const out = new ByteWriter().u64(epoch).u64(sentAtNs).u64(messageBudget);
  out.u32(cancelled.length).u32(0);
  for (const id of cancelled) out.u64(id);
  for (const bytes of entries) out.u32(bytes.length).bytes(bytes);
  return out.finish();
}

/** Argument of `fail`, why a task came to nothing: epoch u64, task id u64, stage u32, text. */
export interface Failure {
  taskId: bigint;
  stage: number;
  /** `[code] text` */
  text: string;
}

export function encodeFailure(epoch: bigint, { taskId, stage, text }: Failure): Uint8Array {
  return new ByteWriter().u64(epoch).u64(taskId).u32(stage).text(text).finish();
}

/** Argument of `news`: ids of the tasks that a stage still has; 2^64 - 1 says that it is low on cycles. */
export function encodeNews(epoch: bigint, taskIds: readonly bigint[]): Uint8Array {
  const out = new ByteWriter().u64(epoch);
  for (const id of taskIds) out.u64(id);
  return out.finish();
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
  const out = new ByteWriter().u64(epoch, 'epoch').u64(requestId, 'request id');
  return out.u32(offset, 'offset of a part').u32(length, 'length of a part').finish();
}

/** How a run ended. */
export const RunEnd = {
  /** It is not known here: its result was pushed out, or it is at another stage. */
  unknown: 0,
  done: 1,
  failed: 2,
  /** It was taken back before it was done. */
  cancelled: 3,
} as const;

/** Bytes of an {@link EndedRun} but for its text and its traces. */
export const endedRunBytes = 28;

/**
 * How a run ended and what it cost: request id u64, end u32, bytes of its result u32, stage that failed
 * u32, `[code] text` behind its length u32, count of traces u32, traces.
 */
export interface EndedRun {
  requestId: bigint;
  /** {@link RunEnd} */
  end: number;
  byteLength: number;
  stage: number;
  text: string;
  /** What each stage did for it, over all its micro-batches that are known. */
  traces: StageTrace[];
}

/** Reads the rest of a reply, inverse of {@link encodeEndedRuns}. Throws `ProtocolError`. */
export function decodeEndedRuns(input: ByteReader): EndedRun[] {
  const runs: EndedRun[] = [];
  while (input.remaining > 0) {
    const requestId = input.u64();
    const [end, byteLength, stage] = [input.u32(), input.u32(), input.u32()];
    const text = input.text();
    const traces = Array.from({ length: input.u32() }, () => decodeTrace(input));
    runs.push({ requestId, end, byteLength, stage, text, traces });
  }
  return runs;
}

/** Reply of `release`. For those who stand in for a worker. */
export function encodeEndedRuns(runs: readonly EndedRun[]): Uint8Array {
  const out = new ByteWriter();
  for (const { requestId, end, byteLength, stage, text, traces } of runs) {
    out.u64(requestId).u32(end).u32(byteLength).u32(stage).text(text).u32(traces.length);
    encodeTraces(out, traces);
  }
  return out.finish();
}

/** Argument of `held`. */
export function encodeHeld(epoch: bigint): Uint8Array {
  return new ByteWriter().u64(epoch, 'epoch').finish();
}

/** Ids as `held` answers with them, u64 each. */
export function decodeIds(bytes: Uint8Array): bigint[] {
  const input = new ByteReader(bytes, 'ids of requests');
  const ids: bigint[] = [];
  while (input.remaining > 0) ids.push(input.u64());
  return ids;
}

/** Argument of `release`. */
export function encodeRelease(epoch: bigint, requestIds: readonly bigint[]): Uint8Array {
  const out = new ByteWriter().u64(epoch, 'epoch');
  for (const id of requestIds) out.u64(id, 'request id');
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
