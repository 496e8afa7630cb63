import { instructions, Op, opcodeOf, OPCODE_COUNT } from '../opcodes.js';

/**
 * What is known of the bits of a float or vector on its way through a function.
 *
 * The replica makes every NaN that an operation yields canonical. Here a value may stay "raw" (its
 * NaNs as the engine made them) while it goes from one floating-point operation to the next, and is
 * made canonical where its bits can be seen.
 */
export const Bits = {
  /** as the program means them: loads, constants, canonical results */
  exact: 0,
  /** a floating-point result whose NaNs are not canonical yet, by shape */
  rawF32: 1,
  rawF64: 2,
  rawF32x4: 3,
  rawF64x2: 4,
  /** has no NaN but canonical ones: making it canonical changes nothing */
  noNan: 5,
  /** exact on one path, raw on another (5 + shape); a flag tells at run time */
  eitherF32: 6,
  eitherF64: 7,
  eitherF32x4: 8,
  eitherF64x2: 9,
} as const;

/** The raw shape of `Bits.raw…` and `Bits.either…`, 0 of others. */
export function rawShape(bits: number): number {
  if (bits <= Bits.rawF64x2) return bits;
  return bits === Bits.noNan ? 0 : bits - 5;
}

export const isEither = (bits: number): boolean => bits > Bits.noNan;

/** What a value may be where two paths meet; -1 if no single shape covers both. */
export function joinBits(x: number, y: number): number {
  if (x === y) return x;
  if (x === Bits.noNan) return y;
  if (y === Bits.noNan) return x;
  const shapeX = rawShape(x);
  const shapeY = rawShape(y);
  if (shapeX !== 0 && shapeY !== 0 && shapeX !== shapeY) return -1;
  return 5 + (shapeX || shapeY);
}

/** Raw shape that an instruction yields whatever its operands, by id. */
export const yields = new Uint8Array(OPCODE_COUNT);
/** Raw shape whose NaNs' bits do not matter to an instruction's operands, by id. */
export const tolerates = new Uint8Array(OPCODE_COUNT);
/** Raw shape of the result of an instruction that only moves numbers, if its operand is raw. */
export const passes = new Uint8Array(OPCODE_COUNT);

const arithmetic = 'add sub mul div min max sqrt ceil floor trunc nearest'.split(' ');
const comparisons = 'eq ne lt gt le ge'.split(' ');
const shapes = [
  ['f32', Bits.rawF32],
  ['f64', Bits.rawF64],
  ['f32x4', Bits.rawF32x4],
  ['f64x2', Bits.rawF64x2],
] as const;
for (const [prefix, shape] of shapes) {
  for (const operation of arithmetic) {
    yields[opcodeOf(`${prefix}.${operation}`)] = shape;
    tolerates[opcodeOf(`${prefix}.${operation}`)] = shape;
  }
  for (const operation of comparisons) tolerates[opcodeOf(`${prefix}.${operation}`)] = shape;
}

const conversions: readonly (readonly [name: string, from: number, to: number])[] = [
  ['f32.demote_f64', Bits.rawF64, Bits.rawF32],
  ['f64.promote_f32', Bits.rawF32, Bits.rawF64],
  ['f32x4.demote_f64x2_zero', Bits.rawF64x2, Bits.rawF32x4],
  ['f64x2.promote_low_f32x4', Bits.rawF32x4, Bits.rawF64x2],
  ['i32x4.trunc_sat_f32x4_s', Bits.rawF32x4, 0],
  ['i32x4.trunc_sat_f32x4_u', Bits.rawF32x4, 0],
  ['i32x4.trunc_sat_f64x2_s_zero', Bits.rawF64x2, 0],
  ['i32x4.trunc_sat_f64x2_u_zero', Bits.rawF64x2, 0],
];
for (const [name, from, to] of conversions) {
  tolerates[opcodeOf(name)] = from;
  yields[opcodeOf(name)] = to;
}
instructions.forEach((instruction, id) => {
  if (!instruction || !/\.trunc_(sat_)?f/.test(instruction.name)) return;
  if (instruction.params === 'f') tolerates[id] = Bits.rawF32;
  if (instruction.params === 'F') tolerates[id] = Bits.rawF64;
});

const moves: readonly (readonly [id: number, from: number, to: number])[] = [
  [Op.f32x4Splat, Bits.rawF32, Bits.rawF32x4],
  [Op.f64x2Splat, Bits.rawF64, Bits.rawF64x2],
  [Op.f32x4ExtractLane, Bits.rawF32x4, Bits.rawF32],
  [Op.f64x2ExtractLane, Bits.rawF64x2, Bits.rawF64],
];
for (const [id, from, to] of moves) {
  tolerates[id] = from;
  passes[id] = to;
}
