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

/**
 * Memory that the activations of a stage take, node by node from the stage's first. What it was given
 * stays in the message until the stage is done.
 */
export class StageMemory {
  private readonly heap = new Heap();
  private readonly blocks = new Map<string, HeapBlock>();
  private weighed = 0;
  private weight = 0;

  /**
   * @param receivedBytes of the message with the stage's inputs
   * @param last from {@link lastReads}
   */
  constructor(
    private readonly program: Program,
    private readonly rows: number,
    private readonly last: ReadonlyMap<string, number>,
    receivedBytes: number,
  ) {
    this.heap.alloc(receivedBytes);
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

  private bytes(name: string): number {
    return valueBytes(this.program.values.get(name)!, this.rows);
  }
  private shape(name: string): number[] {
    return shapeAt(this.program.values.get(name)!.shapes, this.rows);
  }

  /** Runs node `index`, which costs so many instructions. */
  step(index: number, instructions: number): void {
    const node = this.program.nodes[index]!;
    const dies = (name: string | undefined): name is string =>
      name !== undefined && this.blocks.has(name) && this.last.get(name) === index;
    const [output, ...others] = node.outputs as [string, ...string[]];
    const shapeOf = (name: string): number[] => this.shape(name);
    const taken = takenOver(this.program, node, shapeOf).find((name) => dies(name));
    if (taken !== undefined) {
      this.blocks.set(output, this.blocks.get(taken)!);
      this.blocks.delete(taken);
    } else this.blocks.set(output, this.heap.alloc(this.bytes(output)));
    for (const other of others) {
      if (other !== '') this.blocks.set(other, this.heap.alloc(this.bytes(other)));
    }
    const temporaries = temporaryBytes(node, this.program, this.rows).map((bytes) =>
      this.heap.alloc(bytes),
    );
    this.weighed += this.heap.used * instructions;
    this.weight += instructions;
    for (const block of temporaries) this.heap.release(block);
    for (const name of new Set([...node.inputs, ...node.outputs])) {
      const block = this.blocks.get(name);
      if (!block || (this.last.get(name) ?? -1) > index) continue;
      this.heap.release(block);
      this.blocks.delete(name);
    }
  }
}
