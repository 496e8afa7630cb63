import {
  encodeList,
  encodePartResult,
  encodeTask,
  listHeaderBytes,
  taskHeaderBytes,
  taskPartBytes,
  principalFieldBytes,
  type ListHeader,
} from '@canopy/protocol';
import { epoch } from './pipeline.js';

/** A micro-batch of a run, and what a task or a result of it carries. */
export interface Carried {
  requestId: bigint;
  /** Default: the number of the request. */
  taskId?: bigint;
  index?: number;
  count?: number;
  bundle: Uint8Array;
}

/** Argument of `run` with a task for each. `owner` where results stay. */
export function runList(
  carried: readonly Carried[],
  { owner, ...header }: ListHeader & { owner?: Uint8Array } = {},
): Uint8Array {
  const tasks = carried.map(({ requestId, taskId = requestId, index = 0, count = 1, bundle }) => {
    const part = { requestId, index, count, rows: 0, ...(owner && { owner }) };
    return encodeTask({ id: taskId, parts: [part], traces: [], bundle });
  });
  return encodeList(epoch, tasks, header);
}

/** Argument of `done` with a result of each. */
export function doneList(carried: readonly Carried[]): Uint8Array {
  const results = carried.map(({ requestId, taskId = requestId, index = 0, count = 1, bundle }) =>
    encodePartResult({ taskId, requestId, index, count, traces: [], bundle }),
  );
  return encodeList(epoch, results);
}

/** What a message `run` or `done` carries of one micro-batch. */
export interface SentPart {
  taskId: bigint;
  id: bigint;
  taskIndex: number;
  isUrgent: boolean;
}

function entriesOf(arg: Uint8Array): DataView[] {
  const view = new DataView(arg.buffer, arg.byteOffset, arg.byteLength);
  const entries = [];
  for (let at = listHeaderBytes + 8 * view.getUint32(24, true); at < arg.length;) {
    const length = view.getUint32(at, true);
    entries.push(new DataView(arg.buffer, arg.byteOffset + at + 4, length));
    at += 4 + length;
  }
  return entries;
}

/** Micro-batches in a message `run`, or results in a message `done`, in order. */
export function partsIn(method: 'run' | 'done', arg: Uint8Array, resultsStay = false): SentPart[] {
  return entriesOf(arg).flatMap((entry) => {
    const taskId = entry.getBigUint64(0, true);
    if (method === 'done') {
      const id = entry.getBigUint64(8, true);
      return [{ taskId, id, taskIndex: entry.getUint32(16, true), isUrgent: false }];
    }
    const partBytes = taskPartBytes + (resultsStay ? principalFieldBytes : 0);
    return Array.from({ length: entry.getUint32(12, true) }, (_, index) => {
      const at = taskHeaderBytes + index * partBytes;
      return {
        taskId,
        id: entry.getBigUint64(at, true),
        taskIndex: entry.getUint32(at + 8, true),
        isUrgent: entry.getUint32(8, true) !== 0,
      };
    });
  });
}

/** Tasks in a message `run`. */
export const taskCount = (arg: Uint8Array): number => entriesOf(arg).length;
