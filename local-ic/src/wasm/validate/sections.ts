import { limits } from '../../costs/index.js';
import { WasmError } from '../errors.js';
import { ExternalKind, ValType, type FunctionType, type ParsedModule } from '../module-format.js';
import { HOOKS } from '../types.js';
import {
  systemApiSignature,
  typeList,
  typeName,
  type Signature,
  type SystemApi,
} from './signatures.js';

/** Names that the replica's own instrumentation takes. */
const RESERVED = new Set([
  'canister counter_instructions',
  'canister_start',
  'canister counter_dirty_pages',
  'canister counter_accessed_pages',
  'stable_memory',
  'stable_memory_bytemap',
]);

const METHOD_PREFIXES = ['canister_query ', 'canister_composite_query ', 'canister_update '];
const METHOD_EXPORTS =
  '`canister_update <name>`, `canister_query <name>`, or `canister_composite_query <name>`';
const WASM_PAGE = 65536;
const MAX_TABLE_ELEMENTS = 1_000_000;

function invalid(message: string, hint?: string): WasmError {
  return new WasmError('invalid', message, hint);
}

/** Advice with a link, as the replica appends it to some errors. */
export function advice(text: string, section: string): string {
  return (
    `${text} See documentation: ` +
    `https://internetcomputer.org/docs/current/references/execution-errors#${section}`
  );
}

function checkSignature(expected: Signature, name: string, actual: FunctionType): void {
  const differs = (x: readonly number[], y: Uint8Array): boolean => String(x) !== String([...y]);
  const text = 'Wasm module has an invalid function signature. ';
  if (differs(expected.params, actual.params)) {
    throw invalid(
      `${text}Expected input params ${typeList(expected.params)} for '${name}', ` +
        `got ${typeList(actual.params)}.`,
    );
  }
  if (differs(expected.results, actual.results)) {
    throw invalid(
      `${text}Expected return type ${typeList(expected.results)} for '${name}', ` +
        `got ${typeList(actual.results)}.`,
    );
  }
}

/** Only functions of `ic0`, with their signatures. */
export function validateImports(module: ParsedModule, api: SystemApi): void {
  const memory64 = module.memories[0]?.memory64 ?? false;
  const text = 'Wasm module has an invalid import section. ';
  for (const { module: from, name, kind, typeIndex } of module.imports) {
    if (kind === ExternalKind.function) {
      const expected = systemApiSignature(name, memory64, api);
      if (!expected) {
        throw invalid(
          `${text}Module imports function '${name}' from '${from}' that is not exported by the runtime.`,
        );
      }
      if (from !== 'ic0') {
        throw invalid(
          `${text}Module imports function "${name}" from "${from}", ` +
            `expected to be imported from one of ["ic0"] instead.`,
        );
      }
      checkSignature(expected, name, module.types[typeIndex]!);
    } else if (kind === ExternalKind.table && name === 'table' && from !== 'env') {
      throw invalid(`${text}Only tables imported from env.table are allowed.`);
    } else if (kind === ExternalKind.memory && name === 'memory' && from !== 'env') {
      throw invalid(`${text}Only memory imported from env.memory is allowed.`);
    } else if (kind === ExternalKind.global) {
      throw invalid(`${text}Importing globals is not allowed.`);
    }
  }
}

/** Methods and hooks, their names, number and signatures. */
export function validateExports(module: ParsedModule): void {
  const text = 'Wasm module has an invalid export section. ';
  const noValues: Signature = { params: [], results: [] };
  const methods = new Set<string>();
  let nameBytes = 0;
  for (const { name, kind, index } of module.exports) {
    if (RESERVED.has(name)) throw invalid(`${text}Exporting reserved symbol ${name} not allowed.`);
    if (kind !== ExternalKind.function) continue;
    const prefix = METHOD_PREFIXES.find((candidate) => name.startsWith(candidate));
    const isHook = (HOOKS as readonly string[]).includes(name);
    if (prefix !== undefined) {
      const method = name.slice(prefix.length);
      if (methods.has(method)) throw duplicate(method);
      methods.add(method);
      nameBytes += Buffer.byteLength(method);
    } else if (name.startsWith('canister_') && !isHook) {
      throw invalid(`${text}Exporting reserved function '${name}' with "canister_" prefix`);
    }
    if (prefix !== undefined || isHook) {
      checkSignature(noValues, name, module.types[module.functionTypes[index]!]!);
    }
  }
  const { exportedMethods, exportedMethodNameBytes } = limits.modules;
  if (methods.size > exportedMethods) {
    throw invalid(
      `The number of exported functions called ${METHOD_EXPORTS} is ${methods.size} ` +
        `which exceeds ${exportedMethods}.`,
      advice(
        'Try combining multiple endpoints into a single endpoint.',
        'wasm-module-exports-too-many-methods',
      ),
    );
  }
  if (nameBytes > exportedMethodNameBytes) {
    throw invalid(
      `The sum of \`<name>\` lengths in exported functions called ${METHOD_EXPORTS} is ` +
        `${nameBytes} which exceeds the allowed limit of ${exportedMethodNameBytes}.`,
      advice(
        'Try using shorter method names.',
        'wasm-module-sum-of-exported-name-lengths-too-large',
      ),
    );
  }
}

function duplicate(method: string): WasmError {
  return invalid(
    `Duplicate function '${method}' exported multiple times ` +
      `with different call types: update, query, or composite_query.`,
    advice(
      'Try defining different versions of the function for each call type, ' +
        `e.g. \`${method}_update\`, \`${method}_query\`, etc.`,
      'wasm-module-duplicate-exports',
    ),
  );
}

/** Number and types of globals. */
export function validateGlobals(module: ParsedModule): void {
  const { length } = module.globals;
  const allowed = limits.modules.globals;
  if (length > allowed) {
    throw invalid(
      `Wasm module defined ${length} globals which exceeds the maximum number allowed ${allowed}.`,
      advice(
        'Try collecting multiple globals into a single structured which can be stored on the heap.',
        'wasm-module-too-many-globals',
      ),
    );
  }
  const numeric: number[] = [ValType.i32, ValType.i64, ValType.f32, ValType.f64, ValType.v128];
  for (const { type } of module.globals) {
    if (numeric.includes(type)) continue;
    throw invalid(
      `Wasm module has an invalid global section. Unsupported global type: ${typeName(type)}`,
    );
  }
}

/** Number of functions. */
export function validateFunctions(module: ParsedModule): void {
  const defined = module.functionTypes.length - module.importedFunctions;
  const allowed = limits.modules.functions;
  if (defined > allowed) {
    throw invalid(
      `Wasm module defined ${defined} functions which exceeds the maximum number allowed ${allowed}.`,
      advice(
        'Try spliting this canister into multiple canisters.',
        'wasm-module-too-many-functions',
      ),
    );
  }
}

/** Size of a 64-bit memory; that of a 32-bit one is limited by WebAssembly itself. */
export function validateMemory(module: ParsedModule): void {
  const memory = module.memories[0];
  if (!memory?.memory64) return;
  const allowed = limits.memory.wasm64HeapBytes / WASM_PAGE;
  if (memory.min <= allowed) return;
  throw invalid(
    `Wasm module declares an initial Wasm64 heap memory size of ${memory.min} pages ` +
      `which exceeds the maximum allowed size of ${allowed} pages.`,
    advice(
      'Try reducing the initial Wasm64 heap memory size.',
      'wasm-module-initial-wasm64-memory-too-large',
    ),
  );
}

/** What keeps the replica's engine from making an instance. */
export function validateInstantiation(module: ParsedModule): void {
  for (const { module: from, name, kind } of module.imports) {
    if (kind === ExternalKind.function) continue;
    throw new WasmError(
      'engine',
      `Failed to instantiate module: unknown import: \`${from}::${name}\` has not been defined`,
    );
  }
  for (const { min } of module.tables) {
    if (min <= MAX_TABLE_ELEMENTS) continue;
    throw new WasmError(
      'engine',
      `Failed to instantiate module: table minimum size of ${min} elements exceeds table limits`,
    );
  }
}

/** The name of a hook that is exported but is no function, which shows when it is to be called. */
export function hookWithoutFunction(module: ParsedModule): string | undefined {
  const hooks: readonly string[] = HOOKS;
  return module.exports.find(
    ({ name, kind }) => kind !== ExternalKind.function && hooks.includes(name),
  )?.name;
}
