import type { Epilogue } from '@canopy/protocol';
import { PartitionError } from '../error.js';
import { valueBytes, type Program, type ProgramNode } from '../graph/program.js';
import coefficients from './coefficients.json' with { type: 'json' };
import { nodeFeatures, type NodeFeatures } from './features.js';
import scheduleData from './schedules.json' with { type: 'json' };

/** What a message pays besides its kernels; instructions. */
export interface CostSchedule {
  pageBytes: number;
  pageRead: number;
  pageWritten: number;
  byteSent: number;
  byteReceived: number;
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

/** Prices of the worker's kernels. */
export interface Coefficients {
  /** Of the interpreter, for each node. */
  node: number;
  operations: Readonly<Record<string, Readonly<Record<string, number>>>>;
  epilogue: Readonly<Record<string, number>>;
}
export const workerCoefficients: Coefficients = coefficients;

function epilogueCost(epilogue: Epilogue, prices: Coefficients): number {
  const affine = epilogue.scale !== 1 || epilogue.shift !== 0;
  return (
    (prices.epilogue[epilogue.activation] ?? 0) + (affine ? (prices.epilogue['affine'] ?? 0) : 0)
  );
}

/** Instructions of a kernel from its features. */
export function featuresCost(features: NodeFeatures, prices: Coefficients): number {
  const operation = prices.operations[features.operation];
  if (!operation) throw new Error(`no coefficients for ${features.operation}`);
  let cost = prices.node + (operation['node'] ?? 0);
  for (const [name, count] of Object.entries(features.counts)) {
    cost += count * (operation[name] ?? 0);
  }
  if (features.epilogue) {
    cost += features.epilogue.elements * epilogueCost(features.epilogue.epilogue, prices);
  }
  return cost;
}

/** Instructions of a node on so many rows, without the pages it touches. */
export function nodeCost(
  program: Program,
  node: ProgramNode,
  rows: number,
  prices: Coefficients = workerCoefficients,
): number {
  return featuresCost(nodeFeatures(program, node, rows), prices);
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

/** Fixed instructions of a message: dispatch, decoding, the call to the next stage. */
export const messageInstructions = 60_000;
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
  const bytes = work.bytesSent * schedule.byteSent + work.bytesReceived * schedule.byteReceived;
  // A message that goes on in a self-call touches its activations anew, weights only as it gets there.
  const once = work.kernels + bytes + read * schedule.pageRead + written * schedule.pageWritten;
  const messages = Math.max(1, Math.ceil(once / instructionBudget));
  const again = (messages - 1) * written * (schedule.pageRead + schedule.pageWritten);
  const pageInstructions = read * schedule.pageRead + written * schedule.pageWritten + again;
  return {
    instructions: work.kernels + bytes + pageInstructions + messages * messageInstructions,
    pageInstructions,
    messages,
    bytesReceived: work.bytesReceived,
    bytesSent: work.bytesSent,
    scratchBytes: work.scratchBytes,
  };
}

/** Bytes of values in a bundle between stages, headers included. */
export function bundleBytes(program: Program, names: readonly string[], rows: number): number {
  let bytes = 8;
  for (const name of names) {
    const value = program.values.get(name)!;
    bytes += 8 + 4 * value.shapes.one.length + valueBytes(value, rows) + 8;
  }
  return bytes;
}
