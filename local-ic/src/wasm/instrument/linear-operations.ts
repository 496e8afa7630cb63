import { instructions, OPCODE_COUNT } from '../opcodes.js';

/** 1 where an operation adds, subtracts or shifts left, by its number. */
export const addition = integerOperation('add');
export const subtraction = integerOperation('sub');
const shift = integerOperation('shl');

function integerOperation(name: string): Uint8Array {
  const is = new Uint8Array(OPCODE_COUNT);
  instructions.forEach((instruction, id) => {
    if (instruction?.name === `i32.${name}` || instruction?.name === `i64.${name}`) is[id] = 1;
  });
  return is;
}

/** Whether a loop may compute addresses with the operation. */
export function isLinear(id: number): boolean {
  return addition[id] === 1 || subtraction[id] === 1 || shift[id] === 1;
}
