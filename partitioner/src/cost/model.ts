import { PartitionError } from '../error.js';
import type { Program, ProgramNode } from '../graph/program.js';
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

type Prices = Readonly<Record<string, number>>;

/** Prices that were looked up before. */
const known = new WeakMap<Coefficients, Map<string, Prices>>();

/** Prices of a kernel; of one that was not measured, those of a dear relative. */
export function pricesOf(kernel: string, coefficients = workerCoefficients): Prices {
  const found = known.get(coefficients) ?? new Map<string, Prices>();
  known.set(coefficients, found);
  let prices = found.get(kernel);
  if (!prices) found.set(kernel, (prices = lookUp(kernel, coefficients)));
  return prices;
}

function lookUp(kernel: string, { kernels }: Coefficients): Prices {
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
    for (const name in counts) cost += counts[name]! * (prices[name] ?? 0);
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
