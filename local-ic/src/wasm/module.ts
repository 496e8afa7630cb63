import { createHash } from 'node:crypto';
import { profileOf } from '../costs/index.js';
import { decodeUpload } from './decode-upload.js';
import { enableEngineFeatures } from './engine-features.js';
import { WasmError } from './errors.js';
import { instrumentModule, type InstrumentedModule } from './instrument/module.js';
import type { ParsedModule } from './module-format.js';
import { functionNames } from './names.js';
import { HOOKS, type CostSchedule, type CustomSection, type Hook } from './types.js';
import { validateModule } from './validate/index.js';
import { hookWithoutFunction } from './validate/sections.js';
import type { SystemApi } from './validate/signatures.js';

enableEngineFeatures();

/** A canister's module, ready to be instantiated. */
export interface CanisterModule {
  /** SHA-256 of the bytes as uploaded. */
  readonly hash: Uint8Array;
  readonly schedule: CostSchedule;
  readonly updates: ReadonlySet<string>;
  readonly queries: ReadonlySet<string>;
  readonly compositeQueries: ReadonlySet<string>;
  readonly hooks: ReadonlySet<Hook>;
  readonly hasStart: boolean;
  readonly hasMemory: boolean;
  readonly memory64: boolean;
  readonly customSections: readonly CustomSection[];
  /** Instructions compiled at installation: the basis of its charge. */
  readonly codeInstructions: number;
  /** Pages of 64 KiB that the heap starts with. */
  readonly initialPages: number;
  /** For this room alone. */
  readonly code: CompiledCode;
}

/** What instances of a module share. */
export interface CompiledCode extends InstrumentedModule {
  parsed: ParsedModule;
  engineModule: WebAssembly.Module;
  names: ReadonlyMap<number, string>;
}

type Described = Omit<CanisterModule, 'schedule'>;
const MAX_CACHED = 64;
const cache = new Map<string, Described>();

/**
 * Unzips a module if needed, checks it against the replica's rules, instruments and compiles it.
 * Compiled code is kept and shared by hash. Throws `WasmError` with the replica's text.
 */
export function compileModule(bytes: Uint8Array, schedule: CostSchedule): CanisterModule {
  const hash = createHash('sha256').update(bytes).digest();
  const api = profileOf(schedule).interface;
  const key = `${api} ${hash.toString('hex')}`;
  let described = cache.get(key);
  if (described) {
    cache.delete(key);
  } else {
    described = describe(bytes, new Uint8Array(hash), api);
    if (cache.size >= MAX_CACHED) cache.delete(cache.keys().next().value!);
  }
  cache.set(key, described);
  return { ...described, schedule };
}

function describe(upload: Uint8Array, hash: Uint8Array, api: SystemApi): Described {
  const { parsed, customSections } = validateModule(decodeUpload(upload), api);
  const instrumented = instrumentModule(parsed);
  if (hookWithoutFunction(parsed) !== undefined) {
    const { compiledInstructions } = instrumented;
    throw new WasmError('contract', 'export is not a function', undefined, compiledInstructions);
  }
  let engineModule: WebAssembly.Module;
  try {
    engineModule = new WebAssembly.Module(instrumented.bytes as BufferSource);
  } catch (error) {
    throw new WasmError('engine', `Failed to instantiate module: ${(error as Error).message}`);
  }
  const methods = (prefix: string): Set<string> =>
    new Set(
      parsed.exports
        .filter(({ name, kind }) => kind === 0 && name.startsWith(`${prefix} `))
        .map(({ name }) => name.slice(prefix.length + 1)),
    );
  const exports = new Set(parsed.exports.map(({ name }) => name));
  return {
    hash,
    updates: methods('canister_update'),
    queries: methods('canister_query'),
    compositeQueries: methods('canister_composite_query'),
    hooks: new Set(HOOKS.filter((hook) => exports.has(hook))),
    hasStart: parsed.start !== undefined,
    hasMemory: parsed.memories.length > 0,
    memory64: instrumented.memory.memory64,
    customSections,
    codeInstructions: instrumented.compiledInstructions,
    initialPages: parsed.memories[0]?.min ?? 0,
    code: { ...instrumented, parsed, engineModule, names: functionNames(parsed) },
  };
}
