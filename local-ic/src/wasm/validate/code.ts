import { WasmError } from '../errors.js';
import { FunctionCode } from '../instrument/function-code.js';
import type { ParsedModule } from '../module-format.js';
import { instructions, Op, opcodeOf, OPCODE_COUNT } from '../opcodes.js';
import { advice } from './sections.js';

/** Limits of the replica's `wasm_utils/validation.rs`. */
const MAX_COMPLEXITY = 1_000_000;
const MAX_INSTRUCTIONS = 1_000_000;

const unsupported = new Set<number>([
  Op.tableGrow,
  Op.tableSet,
  Op.tableFill,
  Op.tableCopy,
  Op.tableInit,
]);

/** How much an instruction adds to a function's complexity, by id. */
const complexity = complexityTable();

function complexityTable(): Uint8Array {
  const table = new Uint8Array(OPCODE_COUNT).fill(1);
  const put = (value: number, names: string): void => {
    for (const name of names.trim().split(/\s+/)) table[opcodeOf(name)] = value;
  };
  put(50, 'block loop if br br_if br_table call call_indirect memory.grow');
  put(14, 'table.get');
  put(8, 'ref.func');
  put(6, 'ref.is_null');
  put(
    5,
    `i32.trunc_f32_s i32.trunc_f32_u i32.trunc_f64_s i32.trunc_f64_u i64.extend_i32_s
     i64.extend_i32_u i64.trunc_f32_s i64.trunc_f32_u i64.trunc_f64_s i64.trunc_f64_u
     f32.convert_i32_s f32.convert_i32_u f32.convert_i64_s f32.convert_i64_u f32.demote_f64
     f64.convert_i32_s f64.convert_i32_u f64.convert_i64_s f64.convert_i64_u`,
  );
  put(4, 'f32.neg f32.abs f64.neg f64.abs memory.copy');
  put(
    3,
    `f32.copysign f64.copysign f64.eq i32.rem_u i32.rem_s i64.rem_u i64.rem_s i32.div_u i32.div_s
     i64.div_u i64.div_s memory.fill i32.load i64.load f32.load f64.load i32.load8_s i32.load8_u
     i32.load16_s i32.load16_u i64.load8_s i64.load8_u i64.load16_s i64.load16_u i64.load32_s
     i64.load32_u i32.trunc_sat_f32_s i32.trunc_sat_f32_u i32.trunc_sat_f64_s i32.trunc_sat_f64_u
     i64.trunc_sat_f32_s i64.trunc_sat_f32_u i64.trunc_sat_f64_s i64.trunc_sat_f64_u`,
  );
  put(
    2,
    `global.get i32.popcnt i64.popcnt select memory.size i32.store i32.store16 i32.store8 i64.store
     i64.store32 i64.store16 i64.store8 f64.store f32.store i32.eqz i32.eq i32.ne i32.lt_s i32.lt_u
     i32.gt_s i32.gt_u i32.le_s i32.le_u i32.ge_s i32.ge_u i64.eqz i64.eq i64.ne i64.lt_s i64.lt_u
     i64.gt_s i64.gt_u i64.le_s i64.le_u i64.ge_s i64.ge_u f32.eq f32.ne f32.lt f32.gt f32.le f32.ge
     f64.ne f64.lt f64.gt f64.le f64.ge f32.ceil f64.ceil f32.floor f64.floor f32.sqrt f64.sqrt
     f32.trunc f64.trunc i32.reinterpret_f32 i64.reinterpret_f64 f32.reinterpret_i32
     f64.reinterpret_i64 i32.wrap_i64 i32.extend8_s i32.extend16_s i64.extend8_s i64.extend16_s
     i64.extend32_s f64.promote_f32`,
  );
  return table;
}

/** Size, complexity and instructions of each function. Throws `WasmError` or `MalformedModule`. */
export function validateCode(module: ParsedModule): void {
  const code = new FunctionCode();
  module.bodies.forEach((range, index) => {
    code.decode(module.bytes, range);
    let sum = 0;
    for (let row = 0; row < code.count; row++) {
      const id = code.op[row]!;
      sum += complexity[id]!;
      if (id > Op.tableGet && unsupported.has(id)) {
        throw new WasmError(
          'invalid',
          `Wasm module contains a function at index ${index} ` +
            `with unsupported instruction ${instructions[id]!.name}.`,
        );
      }
    }
    if (sum > MAX_COMPLEXITY) {
      throw new WasmError(
        'invalid',
        `Wasm module contains a function at index ${index} with complexity ${sum} ` +
          `which exceeds the maximum complexity allowed ${MAX_COMPLEXITY}.`,
        advice(
          'Try breaking large functions up into multiple smaller functions.',
          'wasm-module-function-complexity-too-high',
        ),
      );
    }
    if (code.count > MAX_INSTRUCTIONS) {
      throw new WasmError(
        'invalid',
        `Wasm module contains a function at index ${index} of size ${code.count} ` +
          `that exceeds the maximum allowed size of ${MAX_INSTRUCTIONS}.`,
        advice(
          'Try breaking large functions up into multiple smaller functions.',
          'wasm-module-function-too-large',
        ),
      );
    }
  });
}
