import type { ParsedModule } from '../module-format.js';
import { Op } from '../opcodes.js';
import { FunctionCode } from './function-code.js';

/** What the stack of calls asks of a function. */
export const StackUse = {
  /** nothing it calls can lead back to itself or to a function that may recurse */
  none: 0,
  /** does not recurse, but calls what may */
  passesOn: 1,
  /** may be entered again before it returns */
  recursive: 2,
} as const;

/** What is known of a module as a whole before its functions are rewritten. */
export interface ModuleScan {
  /** Data segments that `memory.init` and `data.drop` name. */
  initialised: number[];
  dropped: number[];
  /** `StackUse` of each function, imported ones included. */
  stackUse: Uint8Array;
}

/** Reads all functions once. */
export function scanModule(module: ParsedModule): ModuleScan {
  const initialised = new Set<number>();
  const dropped = new Set<number>();
  const graph = new CallGraph(module);
  const code = new FunctionCode();
  module.bodies.forEach((range, i) => {
    const caller = module.importedFunctions + i;
    code.decode(module.bytes, range);
    for (let row = 0; row < code.count; row++) {
      const a = code.a[row]!;
      switch (code.op[row]) {
        case Op.call:
        case Op.returnCall:
          graph.call(caller, a);
          break;
        case Op.callIndirect:
        case Op.returnCallIndirect:
          graph.callIndirect(caller, a);
          break;
        case Op.memoryInit:
          initialised.add(a);
          break;
        case Op.dataDrop:
          dropped.add(a);
          break;
        default:
      }
    }
  });
  const sorted = (set: Set<number>): number[] => [...set].sort((x, y) => x - y);
  return {
    initialised: sorted(initialised),
    dropped: sorted(dropped),
    stackUse: graph.stackUse(),
  };
}

/**
 * Which function may call which. An indirect call goes to a node that stands for all functions of
 * its type in tables, which never change on the IC.
 */
class CallGraph {
  private readonly edges: number[][];
  private readonly typeNodes = new Map<string, number>();

  constructor(private readonly module: ParsedModule) {
    this.edges = module.functionTypes.map(() => []);
    for (const { mode, functions } of module.elements) {
      if (mode !== 'active') continue;
      for (const index of functions) {
        if (index >= 0) this.edges[this.typeNode(module.functionTypes[index]!)]!.push(index);
      }
    }
  }

  private typeNode(typeIndex: number): number {
    const { params, results } = this.module.types[typeIndex]!;
    const key = `${params.join()}>${results.join()}`;
    let node = this.typeNodes.get(key);
    if (node === undefined) {
      node = this.edges.length;
      this.edges.push([]);
      this.typeNodes.set(key, node);
    }
    return node;
  }

  call(caller: number, callee: number): void {
    if (callee >= this.module.importedFunctions) this.edges[caller]!.push(callee);
  }

  callIndirect(caller: number, typeIndex: number): void {
    this.edges[caller]!.push(this.typeNode(typeIndex));
  }

  stackUse(): Uint8Array {
    const use = new Uint8Array(this.edges.length);
    // Components come callees first, so that what they pass on is known.
    for (const component of stronglyConnected(this.edges)) {
      const first = component[0]!;
      const recursive = component.length > 1 || this.edges[first]!.includes(first);
      for (const node of component) {
        if (recursive) use[node] = StackUse.recursive;
        else if (this.edges[node]!.some((callee) => use[callee] !== StackUse.none)) {
          use[node] = StackUse.passesOn;
        }
      }
    }
    return use;
  }
}

/** The strongly connected components of a graph, callees before callers (Tarjan). */
function stronglyConnected(edges: readonly (readonly number[])[]): number[][] {
  const order = new Int32Array(edges.length);
  const low = new Int32Array(edges.length);
  const onStack = new Uint8Array(edges.length);
  const nextEdge = new Int32Array(edges.length);
  const components: number[][] = [];
  const stack: number[] = [];
  let counter = 0;
  for (let root = 0; root < edges.length; root++) {
    if (order[root] !== 0) continue;
    const path = [root];
    while (path.length > 0) {
      const node = path.at(-1)!;
      if (order[node] === 0) {
        order[node] = low[node] = ++counter;
        stack.push(node);
        onStack[node] = 1;
      }
      const callee = edges[node]![nextEdge[node]!];
      if (callee !== undefined) {
        nextEdge[node]!++;
        if (order[callee] === 0) path.push(callee);
        else if (onStack[callee]) low[node] = Math.min(low[node]!, order[callee]!);
        continue;
      }
      path.pop();
      const caller = path.at(-1);
      if (caller !== undefined) low[caller] = Math.min(low[caller]!, low[node]!);
      if (low[node] !== order[node]) continue;
      const component: number[] = [];
      let member: number;
      do {
        member = stack.pop()!;
        onStack[member] = 0;
        component.push(member);
      } while (member !== node);
      components.push(component);
    }
  }
  return components;
}
