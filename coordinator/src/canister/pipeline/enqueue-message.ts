import {
  EnqueueMode,
  dtypeBytes,
  elementCount,
  principalFieldBytes,
  rowCount,
  runHeaderBytes,
  type BundleTensor,
} from '@canopy/protocol';
import { bundleBytes, writeBundle } from '../bytes/bundle-writer.js';
import { GatherWriter } from '../bytes/gather-writer.js';

/** Rows `[start, end)` of a tensor, without its name; the data are a view. */
function rowsOf({ dtype, dims, data }: BundleTensor, start: number, end: number): BundleTensor {
  const rowDims = dims.slice(1);
  const rowBytes = elementCount(rowDims) * dtypeBytes(dtype);
  return {
    name: '',
    dtype,
    dims: [end - start, ...rowDims],
    data: data.subarray(start * rowBytes, end * rowBytes),
  };
}

function nameless({ dtype, dims, data }: BundleTensor): BundleTensor {
  return { name: '', dtype, dims, data };
}

/**
 * Cuts tensors into micro-batches of `rowsPerTask` rows, the last one smaller; into one of all rows
 * where it is undefined. Throws `ProtocolError` where the tensors have no rows in common.
 */
export function cutTasks(
  tensors: readonly BundleTensor[],
  rowsPerTask: number | undefined,
): BundleTensor[][] {
  if (rowsPerTask === undefined) return [tensors.map(nameless)];
  const rows = rowCount(tensors);
  if (rows <= rowsPerTask) return [tensors.map(nameless)];
  const tasks: BundleTensor[][] = [];
  for (let start = 0; start < rows; start += rowsPerTask) {
    const end = Math.min(rows, start + rowsPerTask);
    tasks.push(tensors.map((tensor) => rowsOf(tensor, start, end)));
  }
  return tasks;
}

/** What a request tells the head besides its tasks. */
export interface RunHeader {
  mode: keyof typeof EnqueueMode;
  /** The caller's principal. */
  owner: Uint8Array;
  /** Seconds after which the request is given up; 0: as the workers are configured. */
  deadlineSeconds: number;
}

/** What a message tells the head besides its requests. */
export interface MessageHeader {
  /** Of the workers' configuration. */
  epoch: bigint;
  /** Instructions that the coordinator takes in a round. */
  coordinatorLoad: number;
}

/** Epoch, load, what is not used, count of requests. */
const messageHeaderBytes = 16;

function writeHeader(
  out: GatherWriter,
  { epoch, coordinatorLoad }: MessageHeader,
  runs: number,
): void {
  out.u64(epoch);
  out
    .u16(Math.ceil(coordinatorLoad / 1e6), "the coordinator's load")
    .u16(0)
    .u32(runs);
}

/** Bytes of a request in a message, but for its length. */
export function runBytes(tasks: readonly (readonly BundleTensor[])[]): number {
  return tasks.reduce((sum, tensors) => sum + 4 + bundleBytes(tensors), runHeaderBytes);
}

function writeRun(
  out: GatherWriter,
  tasks: readonly (readonly BundleTensor[])[],
  { mode, owner, deadlineSeconds }: RunHeader,
): void {
  const field = new Uint8Array(principalFieldBytes);
  field[0] = owner.length;
  field.set(owner, 1);
  out.u32(runBytes(tasks)).u32(EnqueueMode[mode]).u32(deadlineSeconds, 'deadline');
  out.bytes(field).u32(tasks.length);
  for (const tensors of tasks) {
    out.u32(bundleBytes(tensors), 'bytes of a task');
    writeBundle(out, tensors);
  }
}

/**
 * Gives the memory of bytes back that were copied. The frames of a call that waits hold what it was given
 * until its answer, and objects that lie between such bytes are spread over many pages of the heap.
 */
function letGo(buffer: ArrayBufferLike): void {
  (buffer as Partial<Transferable>).transfer?.(0);
}

/** ES2024; not in Node 20, where tests run. */
interface Transferable {
  transfer(bytes: number): ArrayBuffer;
}

/**
 * Argument of `enqueue` for one request, as `encodeEnqueue` of the tasks' bundles, but copying the data
 * once at most. The tensors must not be used afterwards: the data of a single one are sent from where they
 * lie in the caller's message, of which the bytes before them are overwritten.
 */
export function encodeTasksForHead(
  tasks: readonly (readonly BundleTensor[])[],
  header: MessageHeader & RunHeader,
): Uint8Array {
  const out = new GatherWriter();
  writeHeader(out, header, 1);
  writeRun(out, tasks, header);
  const sent = out.finishInPlace();
  const given = new Set(tasks.flat().map(({ data }) => data.buffer));
  given.delete(sent.buffer);
  given.forEach(letGo);
  return sent;
}

/** A request as {@link encodeTogether} takes it. */
export function encodeRun(
  tasks: readonly (readonly BundleTensor[])[],
  header: RunHeader,
): Uint8Array {
  const out = new GatherWriter();
  writeRun(out, tasks, header);
  return out.finish();
}

/** Where the mode and the deadline stand in a request of {@link encodeRun}: behind its length. */
const modeAt = 4;
const deadlineAt = 8;
const secondNs = 1_000_000_000n;

/** The request in a message of {@link encodeTasksForHead}, as {@link encodeRun} gives it for a caller with a ticket. */
export function runWithTicket(message: Uint8Array): Uint8Array {
  const run = message.slice(messageHeaderBytes);
  new DataView(run.buffer).setUint32(modeAt, EnqueueMode.ticket, true);
  return run;
}

/** Tells a request, as {@link encodeRun} gave it, how long it may still take, where it has a deadline. */
export function withDeadline(
  { run, deadlineNs }: { run: Uint8Array; deadlineNs?: bigint | undefined },
  nowNs: bigint,
): void {
  if (deadlineNs === undefined) return;
  const left = (deadlineNs - nowNs + secondNs - 1n) / secondNs;
  const seconds = Math.max(1, Number(left));
  new DataView(run.buffer, run.byteOffset).setUint32(deadlineAt, seconds, true);
}

/** Argument of `enqueue` for requests that go together. */
export function encodeTogether(runs: readonly Uint8Array[], header: MessageHeader): Uint8Array {
  const out = new GatherWriter();
  writeHeader(out, header, runs.length);
  for (const run of runs) out.bytes(run);
  return out.finish();
}
