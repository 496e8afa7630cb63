import type { Program, ProgramNode } from '../program.js';

/** Who reads and who writes each value of a program. Told of each change, or made anew after it. */
export class ProgramUses {
  private readonly readers = new Map<string, ProgramNode[]>();
  private readonly producers = new Map<string, ProgramNode>();
  private readonly outputs: Set<string>;

  constructor(program: Program) {
    this.outputs = new Set(program.outputs);
    for (const node of program.nodes) this.add(node);
  }

  private add(node: ProgramNode): void {
    for (const input of new Set(node.inputs)) {
      const list = this.readers.get(input);
      if (list) list.push(node);
      else this.readers.set(input, [node]);
    }
    for (const output of node.outputs) this.producers.set(output, node);
  }

  /** Nodes came in the place of one, and write all that it wrote. */
  replaced(node: ProgramNode, ...nodes: ProgramNode[]): void {
    for (const input of new Set(node.inputs)) {
      const list = this.readers.get(input)!;
      list.splice(list.indexOf(node), 1);
    }
    for (const other of nodes) this.add(other);
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
    if (!node.inputs.includes(from)) continue;
    node.inputs = node.inputs.map((input) => (input === from ? to : input));
  }
}
