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
import { guardsOf } from '../emit/branches.js';
import { stageHeapBytes } from './stage-heap.js';
import { lastReads, memorySteps, StageMemory, type MemoryStep } from './stage-memory.js';

/** What a stage may take. Bytes. */
export interface StageLimits {
  maxWeightsBytes: number;
  /** Weights, activations and the engine together. */
  maxHeapBytes: number;
  /** Tensors from one stage to the next. */
  maxMessageBytes: number;
  instructionBudget: number;
}

/** Heap the worker itself takes at least: program, tables, tasks that come, wait and are sent on. */
export const engineBytes = 16 * 1024 * 1024;
/** Of it program and tables, and tasks besides the one at work, each with what came and what is sent. */
const tableBytes = 1024 * 1024;
const tasksHeld = 2;

/** A program as a chain of costs for micro-batches of so many rows. */
export class ProgramChain implements Chain {
  readonly nodes: number;
  private readonly crossing: readonly (readonly string[])[];
  /** Instructions of the nodes before each cut. */
  private readonly kernelsBefore: number[] = [0];
  /** Cuts that a value passes which only a branch makes: it may not be there. */
  private readonly withinBranch: readonly boolean[];
  private readonly memorySteps: readonly MemoryStep[];
  private readonly cutBytes: number[];
  /** Weights each node reads, with their bytes in the shard. */
  private readonly weights: { name: string; bytes: number; read: number }[][];
  private readonly costs: (CostRow | undefined)[] = [];

  constructor(
    private readonly program: Program,
    readonly rows: number,
    private readonly schedule: CostSchedule,
    private readonly limits: StageLimits,
  ) {
    this.nodes = program.nodes.length;
    this.crossing = liveness(program).crossing;
    const guards = guardsOf(program.nodes, program.outputs);
    const guarded = new Set(
      program.nodes.flatMap(({ outputs }, index) => (guards[index]!.length > 0 ? outputs : [])),
    );
    this.withinBranch = this.crossing.map((names) => names.some((name) => guarded.has(name)));
    this.cutBytes = this.crossing.map((names) => bundleBytes(program, names, rows));
    const last = lastReads(program);
    this.memorySteps = memorySteps(program, rows, last);
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
      const dies = last.get(node.inputs[0] ?? '') === index;
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

  /** Whether some cuts are not allowed because a branch, which runs on one worker, lies across them. */
  get hasBranches(): boolean {
    return this.withinBranch.includes(true);
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
  /** Heap for all but weights and the activations of the task at work, in the worker of nodes `[start, end)`. */
  reservedBytes(start: number, end: number): number {
    return Math.max(engineBytes, tableBytes + tasksHeld * (this.bytes(start) + this.bytes(end)));
  }
  /** Whether heap and messages hold nodes `[start, end)`. */
  private holds(start: number, end: number, weights: number, scratch: number): boolean {
    const { maxHeapBytes, maxMessageBytes } = this.limits;
    return (
      !this.withinBranch[start] &&
      !this.withinBranch[end] &&
      this.crossing[start]!.length <= maxStageInputs &&
      weights + scratch + this.reservedBytes(start, end) <= maxHeapBytes &&
      (start === 0 || this.bytes(start) <= maxMessageBytes) &&
      (end === this.nodes || this.bytes(end) <= maxMessageBytes)
    );
  }

  /** The stage `[start, end)` for an `end` that moves on. */
  private grow(stage: GrowingStage): void {
    for (const { name, bytes, read } of this.weights[stage.end]!) {
      const before = stage.held.get(name);
      const after = Math.min(bytes, (before ?? 0) + read);
      if (before === undefined) stage.weightsBytes += bytes;
      stage.weightsRead += after - (before ?? 0);
      stage.held.set(name, after);
    }
    stage.memory.step(this.memorySteps[stage.end]!, this.leastCost(stage.end, stage.end + 1));
    stage.end++;
  }

  private grown(start: number, end: number): GrowingStage {
    const stage = new GrowingStage(start, this.bytes(start));
    while (stage.end < end) this.grow(stage);
    return stage;
  }

  /** Weights and activations of nodes `[start, end)`. */
  memory(start: number, end: number): { weightsBytes: number; scratchBytes: number } {
    const { weightsBytes, memory } = this.grown(start, end);
    return { weightsBytes, scratchBytes: memory.scratchBytes };
  }

  /**
   * Weights of the stages `[start, end)` for each `end`, whatever a worker may hold; Infinity where its
   * heap or a message does not hold the stage.
   */
  weightsFrom(start: number): Float64Array {
    const row = new Float64Array(this.nodes + 1).fill(Infinity);
    const stage = new GrowingStage(start, this.bytes(start));
    while (stage.end < this.nodes) {
      this.grow(stage);
      const { end, weightsBytes, memory } = stage;
      if (weightsBytes > this.limits.maxHeapBytes) break;
      if (this.holds(start, end, weightsBytes, memory.scratchBytes)) row[end] = weightsBytes;
    }
    return row;
  }

  /** Full cost of nodes `[start, end)` as one stage, whether it is allowed or not. */
  stage(start: number, end: number): StageCost {
    return this.costOf(this.grown(start, end));
  }
  /** The same; undefined where nodes `[start, end)` may not be a stage. */
  allowedStage(start: number, end: number): StageCost | undefined {
    const stage = this.grown(start, end);
    return this.allows(stage) ? this.costOf(stage) : undefined;
  }
  /**
   * Heap that the worker of nodes `[start, end)` has after a task of these rows, in bytes.
   *
   * @param chunkBytes largest piece in which its shard comes
   */
  heapBytes(start: number, end: number, chunkBytes: number): number {
    const { weightsBytes, weightsRead, memory } = this.grown(start, end);
    const work = this.workOf(start, end, weightsRead, memory);
    const returns = work.place === 'first' && !resultsStay(this.program, 2);
    const resultBytes = returns ? this.bytes(this.nodes) : 0;
    const contents = { weightsBytes, nodes: end - start, chunkBytes, resultBytes };
    return stageHeapBytes(this.memorySteps.slice(start, end), work, contents);
  }

  private costOf({ start, end, weightsRead, memory }: GrowingStage): StageCost {
    const work = this.workOf(start, end, weightsRead, memory);
    return stageCost(work, this.schedule, this.limits.instructionBudget);
  }
  private allows({ start, end, weightsBytes, memory }: GrowingStage): boolean {
    return (
      weightsBytes <= this.limits.maxWeightsBytes &&
      this.holds(start, end, weightsBytes, memory.scratchBytes)
    );
  }

  leastCost(start: number, end: number): number {
    return this.kernelsBefore[end]! - this.kernelsBefore[start]!;
  }

  /** Stages from `start` are looked at as far as they are asked for. */
  cost(start: number, end: number): number {
    const row = (this.costs[start] ??= {
      stage: new GrowingStage(start, this.bytes(start)),
      costs: new Float64Array(this.nodes + 1).fill(Infinity),
    });
    const { stage, costs } = row;
    while (stage.end < end && stage.weightsBytes <= this.limits.maxWeightsBytes) {
      this.grow(stage);
      if (this.allows(stage)) costs[stage.end] = this.costOf(stage).instructions;
    }
    return costs[end]!;
  }
}

/** A stage that takes in node after node: its weights and its memory so far. */
class GrowingStage {
  end: number;
  weightsBytes = 0;
  weightsRead = 0;
  /** Bytes read of each weight that is held. */
  readonly held = new Map<string, number>();
  readonly memory: StageMemory;

  constructor(
    readonly start: number,
    bytesReceived: number,
  ) {
    this.end = start;
    this.memory = new StageMemory(bytesReceived);
  }
}

/** Costs of the stages from one node, as far as its stage has grown. */
interface CostRow {
  stage: GrowingStage;
  costs: Float64Array;
}
