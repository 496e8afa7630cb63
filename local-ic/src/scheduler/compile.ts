import { ErrorCode } from '../errors.js';
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

/** Compiles a module. Throws UserError when the IC refuses it. */
export function compile(
  canister: Canister,
  bytes: Uint8Array,
  schedule: CostSchedule,
): CanisterModule {
  try {
    return compileModule(bytes, schedule);
  } catch (error) {
    if (error instanceof WasmError) throw hypervisorErrorOf(error).toUserError(canister.id);
    throw error;
  }
}

/** Instructions for compiling a module on a subnet, which then knows it. */
export function compilationCost(subnet: Subnet, module: CanisterModule): number {
  const key = idKey(module.hash);
  const known = subnet.compiledModules.has(key);
  subnet.compiledModules.add(key);
  const cost = module.codeInstructions * COMPILATION_COST;
  return known ? Math.floor(cost / KNOWN_MODULE_DIVISOR) : cost;
}

/** A module's code with fresh heap and the given stable memory. Throws UserError. */
export function createCode(
  subnet: Subnet,
  canister: Canister,
  bytes: Uint8Array,
  schedule: CostSchedule,
  stable?: StableSnapshot,
): { readonly code: Code; readonly instructions: number } {
  const module = compile(canister, bytes, schedule);
  const instructions = compilationCost(subnet, module);
  try {
    return { code: makeCode(module, bytes, stable), instructions };
  } catch (error) {
    if (error instanceof WasmError) throw hypervisorErrorOf(error).toUserError(canister.id);
    throw error;
  }
}
