import { instructionCosts } from '../../costs/index.js';
import { instructions, Op, OPCODE_COUNT } from '../opcodes.js';
import type { FunctionCode } from './function-code.js';

/** Cost of each instruction by id, for 32-bit and for 64-bit memories. */
export const costs32 = costTable('wasm32');
export const costs64 = costTable('wasm64');

function costTable(width: 'wasm32' | 'wasm64'): Int32Array {
  const table = new Int32Array(OPCODE_COUNT);
  instructions.forEach((instruction, id) => {
    if (!instruction) return;
    const cost = instructionCosts[instruction.name];
    if (cost === undefined) throw new Error(`no cost is known for ${instruction.name}`);
    table[id] = typeof cost === 'number' ? cost : cost[width];
  });
  return table;
}

/** What a row of a function pays on entry. */
export const Charge = {
  none: 0,
  /** subtract the block's cost */
  block: 1,
  /** subtract and check for exhaustion: function and loop starts */
  checked: 2,
} as const;

const effects = new Uint8Array(OPCODE_COUNT);
const CLOSES_BLOCK = 1;
const STARTS_LOOP = 2;
const CHARGED_BY_SIZE = 4;
for (const id of [
  Op.if,
  Op.else,
  Op.end,
  Op.br,
  Op.brIf,
  Op.brTable,
  Op.return,
  Op.unreachable,
  Op.returnCall,
  Op.returnCallIndirect,
]) {
  effects[id] = CLOSES_BLOCK;
}
effects[Op.loop] = CLOSES_BLOCK | STARTS_LOOP;
for (const id of [Op.memoryFill, Op.memoryCopy, Op.memoryInit]) effects[id] = CHARGED_BY_SIZE;

/** The charges of one function, by row; overwritten from function to function. */
export class Metering {
  charge = new Uint8Array(1024);
  cost = new Int32Array(1024);

  /**
   * Divides a function into blocks as the replica does: a function starts at cost 1; a block ends
   * with an instruction that may leave it and is paid whole where it starts.
   *
   * Returns how many instructions the replica's own instrumented form of the function has, the
   * basis of its charge for compilation: a block's charge is 4 of them, a check for exhaustion 6
   * more, a charge by size 3, the growth of memory 3.
   */
  measure(code: FunctionCode, costs: Int32Array): number {
    const { count, op } = code;
    if (this.charge.length <= count) {
      this.charge = new Uint8Array(count * 2);
      this.cost = new Int32Array(count * 2);
    }
    const { charge, cost } = this;
    charge.fill(0, 0, count + 1);
    let blockStart = 0;
    let blockCost = 1;
    let checked = true;
    let instrumented = count;
    for (let row = 0; row < count; row++) {
      const id = op[row]!;
      blockCost += costs[id]!;
      const effect = effects[id]!;
      if (effect === 0) {
        if (id === Op.memoryGrow) instrumented += 3;
        continue;
      }
      if (effect === CHARGED_BY_SIZE) {
        instrumented += 3;
        continue;
      }
      if (checked || blockCost > 0) {
        charge[blockStart] = checked ? Charge.checked : Charge.block;
        cost[blockStart] = blockCost;
        instrumented += checked ? 10 : 4;
      }
      blockStart = row + 1;
      blockCost = 0;
      checked = (effect & STARTS_LOOP) !== 0;
    }
    return instrumented;
  }
}
