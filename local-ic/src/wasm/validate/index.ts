import { MalformedModule } from '../binary.js';
import { WasmError } from '../errors.js';
import { parseModule, type ParsedModule } from '../module-format.js';
import type { CustomSection } from '../types.js';
import { validateCustomSections } from './custom-sections.js';

/** A module that the IC accepts, taken apart. */
export interface ValidModule {
  parsed: ParsedModule;
  customSections: CustomSection[];
}

/** Checks a module against the rules of WebAssembly and of the replica. Throws `WasmError`. */
export function validateModule(bytes: Uint8Array): ValidModule {
  if (!WebAssembly.validate(bytes as BufferSource)) throw notValid(bytes);
  let parsed: ParsedModule;
  try {
    parsed = parseModule(bytes);
  } catch (error) {
    if (error instanceof MalformedModule) throw wasmtime(error.message);
    throw error;
  }
  return { parsed, customSections: validateCustomSections(parsed) };
}

function notValid(bytes: Uint8Array): WasmError {
  try {
    new WebAssembly.Module(bytes as BufferSource);
  } catch (error) {
    return wasmtime((error as Error).message);
  }
  return wasmtime('unknown reason');
}

function wasmtime(reason: string): WasmError {
  return new WasmError(
    'invalid',
    `Wasmtime failed to validate wasm module wasmtime::Module::validate() failed with ${reason}`,
  );
}
