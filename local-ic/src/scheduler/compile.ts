import { ErrorCode, UserError } from '../errors.js';
import { idKey } from '../principal.js';
import type { Canister, Code, StableSnapshot, Subnet } from '../state/index.js';
import { HypervisorError } from '../system-api/index.js';
import { compileModule, WasmError, type CanisterModule, type CostSchedule } from '../wasm/index.js';
import { makeCode } from './run.js';

/** Instructions for compiling one unit of code. */
const COMPILATION_COST = 6000;
/** Share of the compilation cost for a module that the subnet has compiled before. */
const KNOWN_MODULE_DIVISOR = 100;

const ERRORS: Record<WasmError['code'], { code: ErrorCode; prefix: string }> = {
  invalid: { code: ErrorCode.CanisterInvalidWasm, prefix: "Canister's Wasm module is not valid: " },
  instrumentation: {
    code: ErrorCode.CanisterInvalidWasm,
    prefix: 'Could not instrument wasm module of canister: ',
  },
  contract: { code: ErrorCode.CanisterContractViolation, prefix: 'Canister violated contract: ' },
  engine: {
    code: ErrorCode.CanisterWasmEngineError,
    prefix: 'Canister encountered a Wasm engine error: ',
  },
};

function hypervisorErrorOf(error: WasmError): HypervisorError {
  const { code, prefix } = ERRORS[error.code];
  if (error.hint !== undefined) {
    return new HypervisorError(code, prefix + error.message, {
      suggestion: error.hint,
      anchor: '',
    });
  }
  return new HypervisorError(
    code,
    prefix + error.message,
    error.code === 'engine' ? undefined : 'toolchain',
  );
}

/** The UserError for a module that is refused, with the WasmError as its cause; else the error itself. */
function refusalOf(error: unknown, canister: Canister): unknown {
  if (!(error instanceof WasmError)) return error;
  const refusal = hypervisorErrorOf(error).toUserError(canister.id);
  refusal.cause = error;
  return refusal;
}

/** Compiles a module. Throws UserError when the IC refuses it. */
function compile(canister: Canister, bytes: Uint8Array, schedule: CostSchedule): CanisterModule {
  try {
    return compileModule(bytes, schedule);
  } catch (error) {
    throw refusalOf(error, canister);
  }
}

/** Instructions for compiling a module on a subnet. */
function compilationCost(subnet: Subnet, module: CanisterModule): number {
  const cost = module.codeInstructions * COMPILATION_COST;
  return subnet.compiledModules.has(idKey(module.hash))
    ? Math.floor(cost / KNOWN_MODULE_DIVISOR)
    : cost;
}

/** Instructions for an upload that was refused with `error`: for its bytes, or its code if it was compiled. */
export function refusalCost(
  error: unknown,
  upload: Uint8Array,
  decodes: boolean,
  limit: number,
): number {
  if (!decodes) return limit;
  const cause = error instanceof UserError ? error.cause : undefined;
  const compiled = cause instanceof WasmError ? cause.codeInstructions : undefined;
  return Math.min(limit, (compiled ?? upload.length) * COMPILATION_COST);
}

/** Remembers a module as one that the subnet has compiled. */
export function rememberModule(subnet: Subnet, module: CanisterModule): void {
  subnet.compiledModules.add(idKey(module.hash));
}

/** A module with what compiling it costs. */
export interface Compiled {
  readonly module: CanisterModule;
  readonly instructions: number;
}

/** Compiles a module for a subnet. Throws UserError when the IC refuses it. */
export function compileFor(
  subnet: Subnet,
  canister: Canister,
  bytes: Uint8Array,
  schedule: CostSchedule,
): Compiled {
  const module = compile(canister, bytes, schedule);
  return { module, instructions: compilationCost(subnet, module) };
}

/** A module's code with fresh heap and the given stable memory. Throws UserError. */
export function instantiate(
  canister: Canister,
  module: CanisterModule,
  bytes: Uint8Array,
  stable?: StableSnapshot,
): Code {
  try {
    return makeCode(module, bytes, stable);
  } catch (error) {
    throw refusalOf(error, canister);
  }
}

/** Compiles a module, which the subnet then knows, and makes its memories. Throws UserError. */
export function createCode(
  subnet: Subnet,
  canister: Canister,
  bytes: Uint8Array,
  schedule: CostSchedule,
): { readonly code: Code; readonly instructions: number } {
  const { module, instructions } = compileFor(subnet, canister, bytes, schedule);
  rememberModule(subnet, module);
  return { code: instantiate(canister, module, bytes), instructions };
}
