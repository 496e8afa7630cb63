import type { SystemApi } from './signatures.js';
import { MalformedModule } from '../binary.js';
import { WasmError } from '../errors.js';
import { dataOffset } from '../instrument/module.js';
import { parseModule, type ParsedModule } from '../module-format.js';
import type { CustomSection } from '../types.js';
import { validateCodeSectionSize } from './code-section-size.js';
import { validateCode } from './code.js';
import { validateCustomSections } from './custom-sections.js';
import {
  validateExports,
  validateFunctions,
  validateGlobals,
  validateImports,
  validateInstantiation,
  validateMemory,
} from './sections.js';

const WASM_PAGE = 65536;

/** A module that the IC accepts, taken apart. */
export interface ValidModule {
  parsed: ParsedModule;
  customSections: CustomSection[];
}

/**
 * Checks a module against the rules of WebAssembly and of the replica, in the replica's order.
 * Throws `WasmError` with the replica's text; what WebAssembly itself forbids is worded by the
 * engine here, after the replica's "failed with".
 */
export function validateModule(bytes: Uint8Array, api: SystemApi): ValidModule {
  validateCodeSectionSize(bytes);
  try {
    const parsed = parseValid(bytes);
    validateImports(parsed, api);
    validateExports(parsed);
    validateGlobals(parsed);
    validateFunctions(parsed);
    validateMemory(parsed);
    validateCode(parsed);
    const customSections = validateCustomSections(parsed);
    validateData(parsed);
    validateInstantiation(parsed);
    return { parsed, customSections };
  } catch (error) {
    if (error instanceof MalformedModule) throw wasmtime(error.message);
    throw error;
  }
}

/** Features that the engine here has and the IC has not show as instructions unknown to it. */
function parseValid(bytes: Uint8Array): ParsedModule {
  if (!WebAssembly.validate(bytes as BufferSource)) throw notValid(bytes);
  const parsed = parseModule(bytes);
  if (parsed.forbidden !== undefined) throw wasmtime(parsed.forbidden);
  if (parsed.memories.some(({ shared }) => shared)) {
    throw wasmtime('threads must be enabled for shared memories');
  }
  return parsed;
}

function notValid(bytes: Uint8Array): WasmError {
  try {
    new WebAssembly.Module(bytes as BufferSource);
  } catch (error) {
    return wasmtime((error as Error).message);
  }
  return wasmtime('a reason that the engine does not tell');
}

function wasmtime(reason: string): WasmError {
  return new WasmError(
    'invalid',
    `Wasmtime failed to validate wasm module wasmtime::Module::validate() failed with ${reason}`,
  );
}

/** Active data segments must fit the initial memory. */
function validateData(module: ParsedModule): void {
  const size = (module.memories[0]?.min ?? 0) * WASM_PAGE;
  for (const { offset, content } of module.data) {
    if (!offset) continue;
    const length = content.end - content.start;
    const start = dataOffset(module, offset);
    if (start + length <= size) continue;
    const wide = module.bytes[offset.start] === 0x42;
    // The replica prints the offset as a sign-extended 64-bit number.
    const printed = wide ? BigInt(start) : BigInt.asUintN(64, BigInt(start | 0));
    throw new WasmError(
      'instrumentation',
      `Wasm module has invalid data segment of ${length} bytes at ${printed}`,
    );
  }
}
