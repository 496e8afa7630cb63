import { elementCount, maxStageInputs } from '@canopy/protocol';
import { nodeCost, type CostSchedule } from '../cost/model.js';
import {
  bundleBytes,
  placeOf,
  reportBytes,
  resultsStay,
  stageCost,
  type StageCost,
  type StageWork,
} from '../cost/stage.js';
import {
  shapeAt,
  valueBytes,
  storedBytes,
  type Program,
  type ProgramNode,
} from '../graph/program.js';
import type { Chain } from './chain.js';
import { liveness } from './liveness.js';
import { lastReads, StageMemory } from './stage-memory.js';

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
  private readonly last: ReadonlyMap<string, number>;
  private readonly cutBytes: number[];
  /** Weights each node reads, with their bytes in the shard. */
  private readonly weights: { name: string; bytes: number; read: number }[][];
  private readonly costs = new Map<number, Float64Array>();

  constructor(
    private readonly program: Program,
    readonly rows: number,
    private readonly schedule: CostSchedule,
    private readonly limits: StageLimits,
  ) {
    this.nodes = program.nodes.length;
    this.crossing = liveness(program).crossing;
    this.cutBytes = this.crossing.map((names) => bundleBytes(program, names, rows));
    this.last = lastReads(program);
    this.weights = program.nodes.map((node) =>
      [...new Set(node.inputs)].flatMap((name) => {
        const weight = program.values.get(name)?.weight;
        if (!weight) return [];
        const bytes = storedBytes(weight);
        const looksUp = node.op === 'Gather' && name === node.inputs[0];
        return [{ name, bytes, read: looksUp ? this.lookedUp(node, bytes) : bytes }];
      }),
    );
    program.nodes.forEach((node, index) => {
      const dies = this.last.get(node.inputs[0] ?? '') === index;
      const given = program.inputs.includes(node.inputs[0] ?? '');
      const cost = nodeCost(program, node, rows, dies && !given);
      this.kernelsBefore.push(this.kernelsBefore.at(-1)! + cost);
    });
  }

  /** Bytes of the pages that rows looked up in a table lie on, each on one of its own. */
  private lookedUp(node: Extract<ProgramNode, { op: 'Gather' }>, tableBytes: number): number {
    const value = (name: string) => this.program.values.get(name)!;
    const rows = elementCount(shapeAt(value(node.inputs[1]!).shapes, this.rows));
    const rowBytes =
      valueBytes(value(node.inputs[0]!), 1) / (value(node.inputs[0]!).shapes.at(1)[0] ?? 1);
    const { pageBytes } = this.schedule;
    return Math.min(tableBytes, rows * Math.ceil(rowBytes / pageBytes) * pageBytes);
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
    weightsRead: number,
    memory: Pick<StageMemory, 'scratchBytes' | 'touchedBytes' | 'heldBytes'>,
  ): StageWork {
    const isLast = end === this.nodes;
    const reports = start > 0 && isLast && resultsStay(this.program, 2);
    const keeps = isLast && (start === 0 || reports);
    return {
      place: placeOf(start === 0, isLast),
      kernels: this.kernelsBefore[end]! - this.kernelsBefore[start]!,
      weightsRead,
      scratchBytes: memory.scratchBytes,
      touchedBytes: memory.touchedBytes,
      heldBytes: memory.heldBytes,
      bytesReceived: this.bytes(start),
      bytesSent: reports ? reportBytes : this.bytes(end),
      bytesKept: keeps ? this.bytes(end) : 0,
    };
  }
  /** Whether heap and messages hold nodes `[start, end)`. */
  private holds(start: number, end: number, weights: number, scratch: number): boolean {
    const { maxHeapBytes, maxMessageBytes } = this.limits;
    return (
      this.crossing[start]!.length <= maxStageInputs &&
      weights + scratch + engineBytes <= maxHeapBytes &&
      (start === 0 || this.bytes(start) <= maxMessageBytes) &&
      (end === this.nodes || this.bytes(end) <= maxMessageBytes)
    );
  }

  /** Goes through stages `[start, start + 1)`, `[start, start + 2)`, …: their weights and their memory. */
  private *stagesFrom(
    start: number,
  ): Generator<{ end: number; weightsBytes: number; weightsRead: number; memory: StageMemory }> {
    /** Bytes read of each weight that is held. */
    const held = new Map<string, number>();
    const memory = new StageMemory(this.program, this.rows, this.last, this.bytes(start));
    let weightsBytes = 0;
    let weightsRead = 0;
    for (let index = start; index < this.nodes; index++) {
      for (const { name, bytes, read } of this.weights[index]!) {
        const before = held.get(name);
        const after = Math.min(bytes, (before ?? 0) + read);
        if (before === undefined) weightsBytes += bytes;
        weightsRead += after - (before ?? 0);
        held.set(name, after);
      }
      memory.step(index, this.kernelsBefore[index + 1]! - this.kernelsBefore[index]!);
      yield { end: index + 1, weightsBytes, weightsRead, memory };
    }
  }

  /** Weights and activations of nodes `[start, end)`. */
  memory(start: number, end: number): { weightsBytes: number; scratchBytes: number } {
    for (const stage of this.stagesFrom(start)) {
      if (stage.end < end) continue;
      return { weightsBytes: stage.weightsBytes, scratchBytes: stage.memory.scratchBytes };
    }
    return { weightsBytes: 0, scratchBytes: 0 };
  }

  /**
   * Weights of the stages `[start, end)` for each `end`, whatever a worker may hold; Infinity where its
   * heap or a message does not hold the stage.
   */
  weightsFrom(start: number): Float64Array {
    const row = new Float64Array(this.nodes + 1).fill(Infinity);
    for (const { end, weightsBytes, memory } of this.stagesFrom(start)) {
      if (weightsBytes > this.limits.maxHeapBytes) break;
      if (this.holds(start, end, weightsBytes, memory.scratchBytes)) row[end] = weightsBytes;
    }
    return row;
  }

  /** Whether nodes `[start, end)` may be a stage. */
  isAllowed(start: number, end: number): boolean {
    const { weightsBytes, scratchBytes } = this.memory(start, end);
    return (
      weightsBytes <= this.limits.maxWeightsBytes &&
      this.holds(start, end, weightsBytes, scratchBytes)
    );
  }

  /** Full cost of nodes `[start, end)` as one stage. */
  stage(start: number, end: number): StageCost {
    for (const { end: reached, weightsRead, memory } of this.stagesFrom(start)) {
      if (reached < end) continue;
      const work = this.workOf(start, end, weightsRead, memory);
      return stageCost(work, this.schedule, this.limits.instructionBudget);
    }
    throw new Error(`no stage [${start}, ${end}) of ${this.nodes} nodes`);
  }

  cost(start: number, end: number): number {
    let row = this.costs.get(start);
    if (!row) {
      row = this.costsFrom(start);
      this.costs.set(start, row);
    }
    return row[end]!;
  }

  private costsFrom(start: number): Float64Array {
    const row = new Float64Array(this.nodes + 1).fill(Infinity);
    for (const { end, weightsBytes, weightsRead, memory } of this.stagesFrom(start)) {
      if (weightsBytes > this.limits.maxWeightsBytes) break;
      if (!this.holds(start, end, weightsBytes, memory.scratchBytes)) continue;
      const work = this.workOf(start, end, weightsRead, memory);
      row[end] = stageCost(work, this.schedule, this.limits.instructionBudget).instructions;
    }
    return row;
  }
}
