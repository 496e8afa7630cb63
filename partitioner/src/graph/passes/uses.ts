import type { Program, ProgramNode } from '../program.js';

/** Who reads and who writes each value of a program. Made anew after each change. */
export class ProgramUses {
  private readonly readers = new Map<string, ProgramNode[]>();
  private readonly producers = new Map<string, ProgramNode>();
  private readonly outputs: Set<string>;

  constructor(program: Program) {
    this.outputs = new Set(program.outputs);
    for (const node of program.nodes) {
      for (const input of new Set(node.inputs)) {
        const list = this.readers.get(input);
        if (list) list.push(node);
        else this.readers.set(input, [node]);
      }
      for (const output of node.outputs) this.producers.set(output, node);
    }
  }

  producer(value: string | undefined): ProgramNode | undefined {
    return value === undefined ? undefined : this.producers.get(value);
  }
  readersOf(value: string): readonly ProgramNode[] {
    return this.readers.get(value) ?? [];
  }
  isOutput(value: string): boolean {
    return this.outputs.has(value);
  }
  /** The one node that reads `value`, where there is exactly one and the value is no output. */
  onlyReader(value: string): ProgramNode | undefined {
    const readers = this.readersOf(value);
    return readers.length === 1 && !this.isOutput(value) ? readers[0] : undefined;
  }
}

/** Lets every node read `to` where it read `from`. */
export function replaceInputs(program: Program, from: string, to: string): void {
  for (const node of program.nodes) {
    node.inputs = node.inputs.map((input) => (input === from ? to : input));
  }
}
