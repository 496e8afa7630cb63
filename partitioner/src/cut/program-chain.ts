import { weightAlignment } from '@canopy/protocol';
import {
  bundleBytes,
  nodeCost,
  stageCost,
  type CostSchedule,
  type StageCost,
  type StageWork,
} from '../cost/model.js';
import { valueBytes, weightBytes, type Program } from '../graph/program.js';
import type { Chain } from './chain.js';
import { liveness } from './liveness.js';

/** What a stage may take. Bytes. */
export interface StageLimits {
  maxWeightsBytes: number;
  /** Weights, activations and the engine together. */
  maxHeapBytes: number;
  /** Tensors from one stage to the next. */
  maxMessageBytes: number;
  instructionBudget: number;
}

/** Heap the worker itself takes: program, tables, messages being read and written. */
export const engineBytes = 16 * 1024 * 1024;

/** A program as a chain of costs for micro-batches of so many rows. */
export class ProgramChain implements Chain {
  readonly nodes: number;
  private readonly crossing: readonly (readonly string[])[];
  /** Instructions of the nodes before each cut. */
  private readonly kernelsBefore: number[] = [0];
  private readonly liveBytes: number[];
  private readonly cutBytes: number[];
  /** Weights each node reads, with their bytes in the shard. */
  private readonly weights: { name: string; bytes: number }[][];
  private readonly costs = new Map<number, Float64Array>();

  constructor(
    private readonly program: Program,
    readonly rows: number,
    private readonly schedule: CostSchedule,
    private readonly limits: StageLimits,
  ) {
    this.nodes = program.nodes.length;
    this.crossing = liveness(program).crossing;
    const bytesOf = (name: string): number => valueBytes(program.values.get(name)!, rows);
    this.cutBytes = this.crossing.map((names) => bundleBytes(program, names, rows));
    this.liveBytes = program.nodes.map((node, index) => {
      const alive = new Set([...this.crossing[index]!, ...node.outputs]);
      alive.delete('');
      return [...alive].reduce((sum, name) => sum + bytesOf(name), 0);
    });
    this.weights = program.nodes.map((node) =>
      [...new Set(node.inputs)].flatMap((name) => {
        const weight = program.values.get(name)?.weight;
        const bytes = weight
          ? Math.ceil(weightBytes(weight) / weightAlignment) * weightAlignment
          : 0;
        return weight ? [{ name, bytes }] : [];
      }),
    );
    for (const node of program.nodes) {
      this.kernelsBefore.push(this.kernelsBefore.at(-1)! + nodeCost(program, node, rows));
    }
  }

  /** Values that pass a cut. */
  valuesAt(cut: number): readonly string[] {
    return this.crossing[cut]!;
  }
  bytes(cut: number): number {
    return this.cutBytes[cut]!;
  }

  private workOf(
    start: number,
    end: number,
    weightsBytes: number,
    scratchBytes: number,
  ): StageWork {
    return {
      kernels: this.kernelsBefore[end]! - this.kernelsBefore[start]!,
      weightsBytes,
      scratchBytes,
      bytesReceived: this.bytes(start),
      bytesSent: this.bytes(end),
    };
  }
  private allowed(start: number, end: number, weights: number, scratch: number): boolean {
    const { maxWeightsBytes, maxHeapBytes, maxMessageBytes } = this.limits;
    return (
      weights <= maxWeightsBytes &&
      weights + scratch + engineBytes <= maxHeapBytes &&
      (start === 0 || this.bytes(start) <= maxMessageBytes) &&
      (end === this.nodes || this.bytes(end) <= maxMessageBytes)
    );
  }

  /** Weights and scratch of nodes `[start, end)`. */
  memory(start: number, end: number): { weightsBytes: number; scratchBytes: number } {
    const held = new Set<string>();
    let weightsBytes = 0;
    let scratchBytes = 0;
    for (let index = start; index < end; index++) {
      for (const { name, bytes } of this.weights[index]!) {
        if (!held.has(name)) weightsBytes += bytes;
        held.add(name);
      }
      scratchBytes = Math.max(scratchBytes, this.liveBytes[index]!);
    }
    return { weightsBytes, scratchBytes };
  }

  /** Full cost of nodes `[start, end)` as one stage. */
  stage(start: number, end: number): StageCost {
    const { weightsBytes, scratchBytes } = this.memory(start, end);
    return stageCost(
      this.workOf(start, end, weightsBytes, scratchBytes),
      this.schedule,
      this.limits.instructionBudget,
    );
  }

  cost(start: number, end: number): number {
    let row = this.costs.get(start);
    if (!row) {
      row = this.costsFrom(start);
      this.costs.set(start, row);
    }
    return row[end]!;
  }

  /** Costs of all stages that begin at `start`, in one pass. */
  private costsFrom(start: number): Float64Array {
    const row = new Float64Array(this.nodes + 1).fill(Infinity);
    const held = new Set<string>();
    let weights = 0;
    let scratch = 0;
    for (let end = start + 1; end <= this.nodes; end++) {
      for (const { name, bytes } of this.weights[end - 1]!) {
        if (!held.has(name)) weights += bytes;
        held.add(name);
      }
      scratch = Math.max(scratch, this.liveBytes[end - 1]!);
      if (weights > this.limits.maxWeightsBytes) break;
      if (!this.allowed(start, end, weights, scratch)) continue;
      const work = this.workOf(start, end, weights, scratch);
      row[end] = stageCost(work, this.schedule, this.limits.instructionBudget).instructions;
    }
    return row;
  }
}
