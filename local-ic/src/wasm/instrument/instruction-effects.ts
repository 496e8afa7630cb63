import { instructions, Op, OPCODE_COUNT } from '../opcodes.js';
import type { FunctionCode } from './function-code.js';
import { Bits } from './numeric-shapes.js';

/** Operands and results of each instruction, by id, where they do not depend on context. */
export const popCount = new Uint8Array(OPCODE_COUNT);
export const pushCount = new Uint8Array(OPCODE_COUNT);
/** Instructions on integers whose result depends on nothing but their operands. */
export const isPure = new Uint8Array(OPCODE_COUNT);
/** Instructions that may trap, besides memory accesses. */
export const mayTrap = new Uint8Array(OPCODE_COUNT);
/** Bits of the results that are no raw numbers: integers converted to floats are never NaN. */
export const resultBits = new Uint8Array(OPCODE_COUNT);

instructions.forEach((instruction, id) => {
  if (!instruction) return;
  const { name, params, results } = instruction;
  popCount[id] = params.length;
  pushCount[id] = results.length;
  if (/^i(32|64)\.((div|rem)_|trunc_f)/.test(name)) mayTrap[id] = 1;
  else if (/^[iI]{1,2}$/.test(params) && /^[iI]$/.test(results)) isPure[id] = 1;
  if (/^f(32|64)\.convert_/.test(name)) resultBits[id] = Bits.noNan;
});

/** What is known of the bits of a float or vector constant: whether it holds a NaN to be kept. */
export function constantBits(bytes: Uint8Array, code: FunctionCode, row: number): number {
  const id = code.op[row];
  const size = id === Op.f32Const ? 4 : id === Op.f64Const ? 8 : 16;
  const view = new DataView(bytes.buffer, bytes.byteOffset + code.pos[row + 1]! - size, size);
  if (id !== Op.f64Const) {
    for (let at = 0; at < size; at += 4) {
      const value = view.getUint32(at, true);
      if ((value & 0x7fffffff) > 0x7f800000 && value !== 0x7fc00000) return Bits.exact;
    }
  }
  if (id !== Op.f32Const) {
    for (let at = 0; at < size; at += 8) {
      const value = view.getBigUint64(at, true);
      const magnitude = value & 0x7fffffffffffffffn;
      if (magnitude > 0x7ff0000000000000n && value !== 0x7ff8000000000000n) return Bits.exact;
    }
  }
  return Bits.noNan;
}
