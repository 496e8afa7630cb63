import { shapeAt, valueBytes, type Program } from '../graph/program.js';
import { Heap, type HeapBlock } from './heap.js';
import { takenOver, temporaryBytes } from './node-memory.js';

/** Index of the last node that reads each value; outputs of the program are read after all nodes. */
export function lastReads(program: Program): Map<string, number> {
  const last = new Map<string, number>();
  program.nodes.forEach((node, index) => {
    for (const input of node.inputs) last.set(input, index);
  });
  for (const output of program.outputs) last.set(output, program.nodes.length);
  return last;
}

/** What a node does to memory, whatever stage it is in. Values are numbers. */
export interface MemoryStep {
  output: number;
  outputBytes: number;
  /** Values whose memory the output can take, the first choice first. */
  takes: readonly number[];
  /** Bytes of blocks that it takes while it runs. */
  temporaries: readonly number[];
  /** Values that nobody reads after it. */
  frees: readonly number[];
}

/**
 * The memory steps of a program's nodes on so many rows.
 *
 * @param last from {@link lastReads}
 */
export function memorySteps(
  program: Program,
  rows: number,
  last: ReadonlyMap<string, number>,
): MemoryStep[] {
  const numbers = new Map<string, number>();
  const numberOf = (name: string): number => {
    const known = numbers.get(name) ?? numbers.size;
    numbers.set(name, known);
    return known;
  };
  const shapeOf = (name: string): number[] => shapeAt(program.values.get(name)!.shapes, rows);
  return program.nodes.map((node, index) => {
    const output = node.outputs[0]!;
    const takes = takenOver(program, node, shapeOf).filter((name) => last.get(name) === index);
    const frees = [...new Set([...node.inputs, output])].filter(
      (name) => (last.get(name) ?? -1) <= index,
    );
    return {
      output: numberOf(output),
      outputBytes: valueBytes(program.values.get(output)!, rows),
      takes: takes.map(numberOf),
      temporaries: temporaryBytes(node, program, shapeOf),
      frees: frees.map(numberOf),
    };
  });
}

/**
 * Memory that the activations of a stage take, node by node from the stage's first. What it was given
 * stays in the message until the stage is done.
 */
export class StageMemory {
  private readonly received: HeapBlock;
  private readonly blocks = new Map<number, HeapBlock>();
  private weighed = 0;
  private weight = 0;

  /** @param receivedBytes of the message with the stage's inputs */
  constructor(
    receivedBytes: number,
    private readonly heap = new Heap(),
  ) {
    this.received = heap.alloc(receivedBytes);
  }

  /** Most bytes in use at once. */
  get scratchBytes(): number {
    return this.heap.peak;
  }
  /** Bytes of heap that were in use at some time. */
  get touchedBytes(): number {
    return this.heap.touched;
  }

  /** Bytes in use on average over the work: what a message finds that goes on with it. */
  get heldBytes(): number {
    return this.weight === 0 ? this.heap.used : this.weighed / this.weight;
  }

  /** The task is over: what is held of it is freed. */
  end(): void {
    for (const block of [this.received, ...this.blocks.values()]) this.heap.release(block);
    this.blocks.clear();
  }

  /** Runs the next node, which costs so many instructions. */
  step(step: MemoryStep, instructions: number): void {
    const { heap, blocks } = this;
    const taken = step.takes.find((value) => blocks.has(value));
    blocks.set(
      step.output,
      taken === undefined ? heap.alloc(step.outputBytes) : blocks.get(taken)!,
    );
    if (taken !== undefined) blocks.delete(taken);
    const temporaries = step.temporaries.map((bytes) => heap.alloc(bytes));
    this.weighed += heap.used * instructions;
    this.weight += instructions;
    for (const block of temporaries) heap.release(block);
    for (const value of step.frees) {
      const block = blocks.get(value);
      if (!block) continue;
      heap.release(block);
      blocks.delete(value);
    }
  }
}
