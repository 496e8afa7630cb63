import { PartitionError } from '../error.js';
import { valueBytes, type Program, type ProgramNode } from '../graph/program.js';
import coefficients from './coefficients.json' with { type: 'json' };
import scheduleData from './schedules.json' with { type: 'json' };
import { nodeWork } from './work/node-work.js';
import type { Work } from './work/work.js';

/** What a message pays besides its kernels; instructions. */
export interface CostSchedule {
  pageBytes: number;
  pageRead: number;
  pageWritten: number;
  byteSent: number;
}

/** Names of the schedules that predictions can be made for. */
export type CostScheduleName = '2026-07' | '2025-10';
export const defaultCostSchedule: CostScheduleName = '2026-07';

/** The schedule of that name. Throws {@link PartitionError} `bad-option`. */
export function costSchedule(name: string): CostSchedule {
  if (name !== '2026-07' && name !== '2025-10') {
    throw new PartitionError('bad-option', `costSchedule: "${name}" is not 2026-07 or 2025-10`);
  }
  return scheduleData[name];
}

/** Prices, in instructions, of what the worker's kernels count: `kernels[name][count]`. */
export interface Coefficients {
  kernels: Readonly<Record<string, Readonly<Record<string, number>>>>;
}
export const workerCoefficients: Coefficients = coefficients;

/** Prices of a kernel; of one that was not measured, those of a dear relative. */
function pricesOf(kernel: string, { kernels }: Coefficients): Readonly<Record<string, number>> {
  const [family] = kernel.split('.');
  const prices =
    kernels[kernel] ??
    (family === 'op' ? kernels['op.Linear'] : undefined) ??
    (family === 'binary' ? kernels['binary.pow'] : undefined) ??
    (family === 'unary' ? kernels['unary.gelu'] : undefined) ??
    (family === 'compare' ? kernels['compare.int64'] : undefined) ??
    (family === 'cast' ? kernels['cast.int64'] : undefined);
  if (!prices) throw new Error(`the coefficients have no kernel "${kernel}"`);
  return prices;
}

/** Instructions of work. */
export function workCost(
  work: readonly Work[],
  coefficients: Coefficients = workerCoefficients,
): number {
  let cost = 0;
  for (const { kernel, counts } of work) {
    const prices = pricesOf(kernel, coefficients);
    for (const [name, count] of Object.entries(counts)) cost += count * (prices[name] ?? 0);
  }
  return cost;
}

/** Instructions of a node on so many rows, without the pages it touches. */
export function nodeCost(
  program: Program,
  node: ProgramNode,
  rows: number,
  inPlace = true,
): number {
  return workCost(nodeWork(program, node, rows, inPlace));
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
  /** Instructions of all its nodes. */
  kernels: number;
  weightsBytes: number;
  scratchBytes: number;
  bytesReceived: number;
  bytesSent: number;
}

/** Pages a message touches whatever it does: stack, globals, program tables. */
const fixedPages = 6;

/** Adds pages, bytes and messages to a stage's work. */
export function stageCost(
  work: StageWork,
  schedule: CostSchedule,
  instructionBudget: number,
): StageCost {
  const pages = (bytes: number): number => Math.ceil(bytes / schedule.pageBytes);
  const written = pages(work.scratchBytes) + fixedPages;
  const read = pages(work.weightsBytes) + written;
  const transport = workCost([messageWork(work.bytesReceived, work.bytesSent)]);
  const bytes = work.bytesSent * schedule.byteSent + transport;
  // A message that goes on in a self-call touches its activations anew, weights only as it gets there.
  const once = work.kernels + bytes + read * schedule.pageRead + written * schedule.pageWritten;
  const messages = Math.max(1, Math.ceil(once / instructionBudget));
  const again = (messages - 1) * written * (schedule.pageRead + schedule.pageWritten);
  const pageInstructions = read * schedule.pageRead + written * schedule.pageWritten + again;
  return {
    instructions: work.kernels + bytes + pageInstructions,
    pageInstructions,
    messages,
    bytesReceived: work.bytesReceived,
    bytesSent: work.bytesSent,
    scratchBytes: work.scratchBytes,
  };
}

/** What a message does with its bytes, without their price. */
export function messageWork(bytesReceived: number, bytesSent: number): Work {
  return {
    kernel: 'message',
    counts: { message: 1, byteReceived: bytesReceived, byteSent: bytesSent },
  };
}

/** Bytes of values in a bundle between stages, headers included. */
export function bundleBytes(program: Program, names: readonly string[], rows: number): number {
  let bytes = 8;
  for (const name of names) {
    const value = program.values.get(name)!;
    const header = 8 + 4 * value.shapes.one.length;
    bytes += Math.ceil(header / 8) * 8 + Math.ceil(valueBytes(value, rows) / 8) * 8;
  }
  return bytes;
}
