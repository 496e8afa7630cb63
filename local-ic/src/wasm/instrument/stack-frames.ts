import { instructions, Op, OPCODE_COUNT } from '../opcodes.js';
import type { FlowAnalysis } from './flow-analysis.js';
import type { FunctionCode } from './function-code.js';

/**
 * Stack that the replica gives to WebAssembly (5 MiB), less what is on it before the first function
 * of the module; measured as the depth at which recursion traps.
 */
export const STACK_BYTES = 5 * 1024 * 1024 - 408;

/** What a call of a table entry takes more than that of an export. */
export const CALLBACK_BYTES = 32;

/** Frame of a function that keeps nothing across its calls, and what a kept value adds. */
const EMPTY_FRAME = 32;
const VALUE_BYTES = 8;
const ALIGNMENT = 16;

/** Calls and accesses to memory, globals and tables. */
const needsContext = new Uint8Array(OPCODE_COUNT);
instructions.forEach((instruction, id) => {
  if (!instruction) return;
  const { name } = instruction;
  needsContext[id] = /^(call|global|memory|table)|load|store/.test(name) ? 1 : 0;
});

/**
 * An estimate of a function's stack frame in the replica's compiled code: what must be kept while it
 * calls another function. Exact for small functions; of larger ones it tells the order of size.
 */
export function frameBytes(code: FunctionCode, parameters: number, flow: FlowAnalysis): number {
  const live = new Uint8Array(parameters + code.localCount);
  const atLoopStart = new Map<number, Uint8Array>();
  // The second time it is known what the start of each loop reads.
  keptAcrossCalls(code, flow, live.slice(), atLoopStart);
  const kept = keptAcrossCalls(code, flow, live, atLoopStart);
  return EMPTY_FRAME + Math.ceil((kept * VALUE_BYTES) / ALIGNMENT) * ALIGNMENT;
}

/**
 * The most values that are kept across a call. A local counts if what comes next in the text reads
 * it rather than sets it; paths that jump are not followed.
 */
function keptAcrossCalls(
  code: FunctionCode,
  flow: FlowAnalysis,
  live: Uint8Array,
  atLoopStart: Map<number, Uint8Array>,
): number {
  const { count, op, a } = code;
  const loops = loopsByEnd(code);
  let liveCount = 0;
  let most = 0;
  // The pointer to the instance is kept too, as long as something needs it; alone it costs nothing.
  let context = 0;
  const set = (local: number, isLive: 0 | 1): void => {
    liveCount += isLive - live[local]!;
    live[local] = isLive;
  };
  for (let row = count - 1; row >= 0; row--) {
    if (flow.dead[row]) continue;
    switch (op[row]) {
      case Op.localGet:
        set(a[row]!, 1);
        break;
      case Op.localSet:
      case Op.localTee:
        set(a[row]!, 0);
        break;
      case Op.call:
      case Op.callIndirect: {
        const values = liveCount + flow.keptBelow[row]!;
        most = Math.max(most, values === 0 ? 0 : values + context);
        break;
      }
      case Op.end:
        atLoopStart.get(loops.get(row) ?? -1)?.forEach((isLive, local) => {
          if (isLive) set(local, 1);
        });
        break;
      case Op.loop:
        atLoopStart.set(row, live.slice());
        break;
      default:
    }
    if (needsContext[op[row]!]) context = 1;
  }
  return most;
}

function loopsByEnd(code: FunctionCode): Map<number, number> {
  const loops = new Map<number, number>();
  for (let row = 0; row < code.count; row++) {
    if (code.op[row] === Op.loop) loops.set(code.partner[row]!, row);
  }
  return loops;
}
