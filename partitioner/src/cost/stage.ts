import {
  entryLengthBytes,
  partResultHeaderBytes,
  taskHeaderBytes,
  taskPartBytes,
} from '@canopy/protocol';
import { valueBytes, type Program } from '../graph/program.js';
import { pricesOf, type CostSchedule } from './model.js';
import type { Work } from './work/work.js';

/** Where a stage stands: what it does with messages depends on it. */
export type StagePlace = 'single' | 'first' | 'middle' | 'last';

export function placeOf(isFirst: boolean, isLast: boolean): StagePlace {
  if (isFirst) return isLast ? 'single' : 'first';
  return isLast ? 'last' : 'middle';
}

/** Cost of a stage for one micro-batch. Units: instructions and bytes. */
export interface StageCost {
  instructions: number;
  pageInstructions: number;
  messages: number;
  bytesReceived: number;
  bytesSent: number;
  scratchBytes: number;
}

/** What a stage does for one micro-batch, before pages and messages are counted. */
export interface StageWork {
  place: StagePlace;
  /** Instructions of all its nodes. */
  kernels: number;
  /** Bytes of weights that it reads: of a table that it looks rows up in, only those. */
  weightsRead: number;
  /** Of its activations: most bytes at once, bytes of heap touched, and bytes in use on average. */
  scratchBytes: number;
  touchedBytes: number;
  heldBytes: number;
  bytesReceived: number;
  bytesSent: number;
  /** Of the result that a single stage, or a last one, copies and keeps instead of sending it; else 0. */
  bytesKept: number;
}

/** What copying costs a byte: bulk memory operations pay for each. */
const byteCopied = 1;

/** Pages a message reads and writes whatever it does: stack, globals, tables, the program. */
const fixedPages = { head: { read: 3, written: 2 }, other: { read: 1, written: 1 } };
/**
 * Where activations begin in their first page, about: at the head in one that its tables lie on, which
 * the message writes in any case.
 */
const heapOffset = { head: 4 * 1024, other: 32 * 1024 };

/** What a stage does with the bytes of its messages, without their price. */
export function messageWork(place: StagePlace, bytesReceived: number, bytesSent: number): Work {
  const sent = place === 'single' ? 0 : bytesSent;
  return {
    kernel: `message.${place}`,
    counts: { message: 1, byteReceived: bytesReceived, byteSent: sent },
  };
}

const messagePrices = {
  single: pricesOf('message.single'),
  first: pricesOf('message.first'),
  middle: pricesOf('message.middle'),
  last: pricesOf('message.last'),
};

/** Instructions of {@link messageWork}. */
function messageCost(place: StagePlace, bytesReceived: number, bytesSent: number): number {
  const { message = 0, byteReceived = 0, byteSent = 0 } = messagePrices[place];
  const sent = place === 'single' ? 0 : bytesSent;
  return message + bytesReceived * byteReceived + sent * byteSent;
}

/**
 * Adds pages, bytes and messages to a stage's work.
 *
 * @param messageBudget instructions after which a message hands the work on to another
 */
export function stageCost(
  work: StageWork,
  schedule: CostSchedule,
  messageBudget: number,
): StageCost {
  const { place, bytesReceived, bytesSent, bytesKept, scratchBytes } = work;
  const pages = (bytes: number): number => Math.ceil(bytes / schedule.pageBytes);
  const isHead = place === 'single' || place === 'first';
  const price = (touches: { read: number; written: number }): number =>
    touches.read * schedule.pageRead + touches.written * schedule.pageWritten;
  const fixed = price(isHead ? fixedPages.head : fixedPages.other);

  const activations = isHead
    ? headPages(work.touchedBytes + bytesKept, bytesReceived, pages)
    : otherPages(work.touchedBytes, bytesKept, pages);
  const first = price(activations) + price({ read: pages(work.weightsRead), written: 0 }) + fixed;
  const sent = place === 'single' ? 0 : bytesSent;
  const transport =
    sent * schedule.byteSent +
    bytesKept * byteCopied +
    messageCost(place, bytesReceived, bytesSent);
  const messages = Math.max(1, Math.ceil((work.kernels + transport + first) / messageBudget));

  // A message that goes on with the work touches what is held anew, and weights as it gets to them.
  const held = pages(work.heldBytes);
  const again = (messages - 1) * (price({ read: held, written: held }) + fixed);
  return {
    instructions: work.kernels + transport + first + again,
    pageInstructions: first + again,
    messages,
    bytesReceived,
    bytesSent,
    scratchBytes,
  };
}

/** Measured: a request and activations of so few bytes lie between the head's tables, on pages touched anyway. */
const gapBytes = 16 * 1024;

/** Pages of activations at the head, which got its input in another message and only reads it in this. */
function headPages(
  touched: number,
  received: number,
  pages: (bytes: number) => number,
): { read: number; written: number } {
  const read = pages(touched + heapOffset.head);
  if (read > 1) return { read, written: pages(touched - received) };
  return { read: touched <= gapBytes ? 0 : 1, written: 0 };
}

/** Pages of activations at a later stage. */
function otherPages(
  touched: number,
  kept: number,
  pages: (bytes: number) => number,
): { read: number; written: number } {
  const written = pages(touched + heapOffset.other) + pages(kept);
  return { read: written, written };
}

/** Bytes of the report that a last stage sends to the head when it keeps the result. */
export const reportBytes = entryLengthBytes + partResultHeaderBytes;

/** Outputs of one row of more bytes stay at the last stage; others are cheap to send to the head. */
const largeOutputs = 64 * 1024;

/** Whether results stay at the last of so many stages. */
export function resultsStay(program: Program, stages: number): boolean {
  return stages > 1 && bundleBytes(program, program.outputs, 1) > largeOutputs;
}

/** Bytes a hop adds to a bundle, without traces: the task's length, header and table of one part. */
const hopBytes = entryLengthBytes + taskHeaderBytes + taskPartBytes;

/** Bytes of values in a bundle between stages, headers included. */
export function bundleBytes(program: Program, names: readonly string[], rows: number): number {
  let bytes = 8;
  for (const name of names) {
    const value = program.values.get(name)!;
    const header = 8 + 4 * value.shapes.rank;
    bytes += Math.ceil(header / 8) * 8 + Math.ceil(valueBytes(value, rows) / 8) * 8;
  }
  return bytes + hopBytes;
}
