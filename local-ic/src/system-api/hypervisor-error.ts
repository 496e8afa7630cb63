import { ErrorCode, UserError } from '../errors.js';
import { principalToText } from '../principal.js';
import { grouped } from '../state/index.js';

const DOCUMENTATION = 'https://internetcomputer.org/docs/current/references/execution-errors#';
const TOOLCHAIN_HELP =
  'If you are running this canister in a test environment (e.g., dfx), make sure the test environment is up to date. ' +
  'Otherwise, this is likely an error with the compiler/CDK toolchain being used to build the canister. ' +
  'Please report the error to IC devs on the forum: https://forum.dfinity.org and include which language/CDK was used to create the canister.';

/** Advice that follows an error's text: a suggestion, with the anchor of its documentation. */
interface Help {
  readonly suggestion: string;
  readonly anchor: string;
}

/** Why an execution of canister code failed; texts are the replica's. */
export class HypervisorError extends Error {
  override readonly name = 'HypervisorError';

  constructor(
    readonly code: ErrorCode,
    message: string,
    /** `'toolchain'` for violations that only a compiler or CDK can cause; undefined for no advice. */
    readonly help?: Help | 'toolchain',
    /** Text for the canister's log, for traps. */
    readonly logText?: string,
    /** Name of the function that heads the backtrace, where one of the system fails. */
    readonly innermost?: string,
  ) {
    super(message);
  }

  /** The same error with a function of the system at the head of its backtrace. */
  inside(innermost: string): HypervisorError {
    return new HypervisorError(this.code, this.message, this.help, this.logText, innermost);
  }

  /** The error as callers see it: named by canister, with advice. */
  toUserError(canisterId: Uint8Array): UserError {
    const advice = this.advice();
    const text = `Error from Canister ${principalToText(canisterId)}: ${this.message}`;
    return new UserError(this.code, advice === '' ? text : `${text}.\n${advice}`);
  }

  private advice(): string {
    if (this.help === undefined) return '';
    if (this.help === 'toolchain') return TOOLCHAIN_HELP;
    const { suggestion, anchor } = this.help;
    if (anchor === '') return suggestion;
    return `${suggestion} See documentation: ${DOCUMENTATION}${anchor}`;
  }
}

const GRACEFULLY =
  'Consider gracefully handling failures from this canister or altering the canister to handle exceptions.';

/** A contract violation that only a toolchain can cause. */
export function toolchainViolation(text: string): HypervisorError {
  return new HypervisorError(
    ErrorCode.CanisterContractViolation,
    `Canister violated contract: ${text}`,
    'toolchain',
  );
}

/** A contract violation of the canister's author. */
export function userViolation(text: string, suggestion = '', anchor = ''): HypervisorError {
  const help = suggestion === '' ? undefined : { suggestion, anchor };
  return new HypervisorError(
    ErrorCode.CanisterContractViolation,
    `Canister violated contract: ${text}`,
    help,
  );
}

/** An `ic0` function called in a context where it is not allowed. */
export function wrongMode(functionName: string, mode: string): HypervisorError {
  return userViolation(
    `"${functionName}" cannot be executed in ${mode} mode`,
    'Check the ICP documentation to make sure APIs are being called in the correct message types.',
    'calling-a-system-api-from-the-wrong-mode',
  );
}

/** A trap by its short text ("unreachable", "heap out of bounds", …). */
export function trapped(reason: string, backtrace = ''): HypervisorError {
  const tail = backtrace === '' ? '' : `\n${backtrace}`;
  return new HypervisorError(
    ErrorCode.CanisterTrapped,
    `Canister trapped: ${reason}${tail}`,
    { suggestion: GRACEFULLY, anchor: 'trapped' },
    `[TRAP]: ${reason}${tail}`,
  );
}

/** `ic0.trap` with a message. */
export function calledTrap(message: string, backtrace = ''): HypervisorError {
  const tail = backtrace === '' ? '' : `\n${backtrace}`;
  return new HypervisorError(
    ErrorCode.CanisterCalledTrap,
    `Canister called \`ic0.trap\` with message: '${message}'${tail}`,
    { suggestion: GRACEFULLY, anchor: 'trapped-explicitly' },
    `[TRAP]: ${message === '' ? '(no message)' : message}${tail}`,
  );
}

export function invalidPrincipal(): HypervisorError {
  return new HypervisorError(
    ErrorCode.CanisterContractViolation,
    'Canister provided invalid principal id',
    'toolchain',
  );
}

export function instructionLimitExceeded(limit: number): HypervisorError {
  return new HypervisorError(
    ErrorCode.CanisterInstructionLimitExceeded,
    `Canister exceeded the limit of ${limit} instructions for single message execution.`,
    {
      suggestion:
        'Try optimizing this method to consume fewer instructions or split the work across multiple messages.',
      anchor: 'instruction-limit-exceeded',
    },
  );
}

export function sliceOverrun(instructions: number, limit: number): HypervisorError {
  return new HypervisorError(
    ErrorCode.CanisterInstructionLimitExceeded,
    `Canister attempted to perform a large memory operation that used ${instructions} instructions and exceeded the slice limit ${limit}.`,
    {
      suggestion: 'Try breaking up large copies within the canister code into smaller chunks.',
      anchor: 'slice-overrun',
    },
  );
}

export function outOfMemory(): HypervisorError {
  return new HypervisorError(
    ErrorCode.CanisterOutOfMemory,
    'Canister cannot grow its memory usage.',
    {
      suggestion:
        "Check the canister's memory usage against its allocation and the system wide limits to determine why more memory cannot be allocated.",
      anchor: 'out-of-memory',
    },
  );
}

/** `missing` is how many cycles more are needed; undefined when the caller may not know. */
export function insufficientCyclesInMemoryGrow(
  bytes: bigint,
  missing: bigint | undefined,
): HypervisorError {
  const more =
    missing === undefined ? '' : ` At least ${grouped(missing)} additional cycles are required.`;
  return new HypervisorError(
    ErrorCode.InsufficientCyclesInMemoryGrow,
    `Canister cannot grow memory by ${bytes} bytes due to insufficient cycles.${more}`,
    { suggestion: 'Try topping up the canister.', anchor: 'insufficient-cycles-in-memory-grow' },
  );
}

export function reservedCyclesLimitExceeded(
  bytes: bigint,
  requested: bigint,
  limit: bigint,
): HypervisorError {
  return new HypervisorError(
    ErrorCode.ReservedCyclesLimitExceededInMemoryGrow,
    `Canister cannot grow memory by ${bytes} bytes due to its reserved cycles limit. The current limit (${grouped(limit)}) would be exceeded by ${grouped(requested - limit)}.`,
    {
      suggestion: "Try increasing the canister's reserved cycles limit.",
      anchor: 'reserved-cycles-limit-exceeded-in-memory-grow',
    },
  );
}

export function wasmMemoryLimitExceeded(bytes: number, limit: bigint): HypervisorError {
  return new HypervisorError(
    ErrorCode.CanisterWasmMemoryLimitExceeded,
    `Canister exceeded its current Wasm memory limit of ${limit} bytes. The peak Wasm memory usage was ${bytes} bytes. ` +
      'If the canister reaches 4GiB, then it may stop functioning and may become unrecoverable. ' +
      'Please reach out to the canister owner to investigate the reason for the increased memory usage. ' +
      'It might be necessary to move data from the Wasm memory to the stable memory. ' +
      'If such high Wasm memory usage is expected and safe, then the developer can increase the Wasm memory limit in the canister settings.',
    {
      suggestion:
        'Try checking the canister for a possible memory leak or modifying it to use more stable memory instead of Wasm memory.',
      anchor: 'wasm-memory-limit-exceeded',
    },
  );
}

export function memoryAccessLimitExceeded(text: string): HypervisorError {
  return new HypervisorError(
    ErrorCode.CanisterMemoryAccessLimitExceeded,
    `Canister exceeded memory access limits: ${text}`,
    {
      suggestion:
        "Try optimizing the use of stable memory so that individual messages don't need to access as much stable memory.",
      anchor: 'memory-access-limit-exceeded',
    },
  );
}

export function wasmModuleNotFound(): HypervisorError {
  return new HypervisorError(
    ErrorCode.CanisterWasmModuleNotFound,
    'Attempted to execute a message, but the canister contains no Wasm module.',
    {
      suggestion: 'Please install code to this canister before calling it.',
      anchor: 'wasm-module-not-found',
    },
  );
}

export function methodNotFound(kind: string, method: string): HypervisorError {
  return new HypervisorError(
    ErrorCode.CanisterMethodNotFound,
    `Canister has no ${kind} method '${method}'.`,
    {
      suggestion: 'Check that the method being called is exported by the target canister.',
      anchor: 'method-not-found',
    },
  );
}

export function functionNotFound(index: number): HypervisorError {
  return new HypervisorError(
    ErrorCode.CanisterFunctionNotFound,
    `Canister requested to invoke a non-existent Wasm function ${index} from table 0`,
    'toolchain',
  );
}

/** A failed callback whose cleanup failed as well. */
export function cleanupFailed(
  callback: HypervisorError,
  cleanup: HypervisorError,
): HypervisorError {
  return new HypervisorError(
    callback.code,
    `${callback.message}\n\ncall_on_cleanup also failed:\n\n${cleanup.message}`,
  );
}
