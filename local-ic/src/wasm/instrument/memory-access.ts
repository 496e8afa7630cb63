import { Imm, instructions, OPCODE_COUNT } from '../opcodes.js';

/** How instructions access memory: kind by id. */
export const Access = { none: 0, load: 1, store: 2, loadLane: 3 } as const;

export const accessKind = new Uint8Array(OPCODE_COUNT);
/** Bytes accessed, by id. */
export const accessWidth = new Uint8Array(OPCODE_COUNT);
/** Type of the operand above the address (`i`, `I`, `f`, `F`, `v`), by id, as a character code. */
export const valueAbove = new Uint8Array(OPCODE_COUNT);

const fullWidth: Record<string, number> = { i32: 4, f32: 4, i64: 8, f64: 8, v128: 16 };

instructions.forEach((instruction, id) => {
  if (!instruction) return;
  const { name, imm, params, results } = instruction;
  if (imm !== Imm.memarg && imm !== Imm.memargLane) return;
  if (results === '') accessKind[id] = Access.store;
  else accessKind[id] = params === 'a' ? Access.load : Access.loadLane;
  // `load16_u`, `store8_lane`, `load32_splat` tell their width; `load8x8_s` reads 8 bytes.
  const part = /(?:load|store)(\d+)(x\d)?/.exec(name);
  const type = name.slice(0, name.indexOf('.'));
  accessWidth[id] = !part ? fullWidth[type]! : part[2] ? 8 : Number(part[1]) / 8;
  valueAbove[id] = params.length > 1 ? params.charCodeAt(1) : 0;
});
