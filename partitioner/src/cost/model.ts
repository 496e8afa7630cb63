import { PartitionError } from '../error.js';
import type { Program, ProgramNode } from '../graph/program.js';
import coefficients from './coefficients.json' with { type: 'json' };
import scheduleData from './schedules.json' with { type: 'json' };
import { nodeWork } from './work/node-work.js';
import { plainKernel, type Work } from './work/work.js';

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

const plainPrices = { instruction: 1 };

/** Prices of a kernel; of one that was not measured, those of a dear relative. */
function pricesOf(kernel: string, { kernels }: Coefficients): Readonly<Record<string, number>> {
  if (kernel === plainKernel) return plainPrices;
  const [family] = kernel.split('.');
  const prices =
    kernels[kernel] ??
    (family === 'op' ? kernels['op.Linear'] : undefined) ??
    (family === 'binary' ? kernels['binary.pow'] : undefined) ??
    (family === 'unary' ? kernels['unary.gelu'] : undefined) ??
    (family === 'message' ? { message: 0 } : undefined) ??
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
