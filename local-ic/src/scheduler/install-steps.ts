import { UserError } from '../errors.js';
import type { Canister, Code, InstallRequest, StableSnapshot } from '../state/index.js';
import type { ExecutionInput, ExecutionResult, Mode } from '../system-api/index.js';
import { inspectUpload, type EntryPoint } from '../wasm/index.js';
import { compileFor, instantiate, refusalCost, type Compiled } from './compile.js';
import type { ExecutionContext } from './context.js';
import { checkHeapLimit, exceedsHeapLimit } from './install-checks.js';
import { runEntry, sharedInput } from './run.js';
import { slicesOf } from './work.js';

/** Steps of an installation as they are run, one after the other. */
export class Steps {
  readonly slices: number[] = [0];
  readonly results: ExecutionResult[] = [];
  instructions = 0;

  constructor(
    private readonly context: ExecutionContext,
    private readonly request: InstallRequest,
  ) {}

  get instructionsLeft(): number {
    return this.context.limits.installCode - this.instructions;
  }

  /** Adds work that is not sliced: compiling. */
  charge(instructions: number): void {
    this.instructions += instructions;
    this.slices[this.slices.length - 1]! += instructions;
  }

  /** Runs an entry point of `code`. Throws UserError when it traps. */
  run(code: Code, mode: Mode, entry: EntryPoint, arg?: Uint8Array): void {
    const { context, request } = this;
    const { limits } = context;
    const { canister } = request;
    const before = canister.code;
    canister.code = code;
    const input: ExecutionInput = {
      ...sharedInput(context, canister),
      mode,
      caller: request.call.sender,
      ...(arg ? { arg } : {}),
      instructionLimit: this.instructionsLeft,
      slice: limits.installCodeSlice,
    };
    const result = runEntry(code, input, entry, limits.installCode);
    canister.code = before;
    this.results.push(result);
    this.instructions += result.instructions;
    const [first, ...rest] = slicesOf(result, limits.installCodeSlice);
    this.slices[this.slices.length - 1]! += first!;
    this.slices.push(...rest);
    if (result.error) throw result.error.toUserError(canister.id);
  }
}

/** The uploaded module with what can be told without compiling it. */
export interface Upload {
  readonly bytes: Uint8Array;
  readonly decodes: boolean;
  readonly memory64: boolean;
}

/** Returns a UserError when the module cannot be put together from its chunks. */
export function uploadOf({ moduleBytes }: InstallRequest): Upload | UserError {
  if (typeof moduleBytes !== 'function')
    return { bytes: moduleBytes, ...inspectUpload(moduleBytes) };
  try {
    const bytes = moduleBytes();
    return { bytes, ...inspectUpload(bytes) };
  } catch (error) {
    if (error instanceof UserError) return error;
    throw error;
  }
}

/** Compiles the upload. A refused one is charged for its bytes. Throws UserError. */
export function compileUpload(
  context: ExecutionContext,
  canister: Canister,
  steps: Steps,
  { bytes, decodes }: Upload,
): Compiled {
  try {
    return compileFor(context.subnet, canister, bytes, context.schedule);
  } catch (error) {
    steps.charge(refusalCost(error, bytes, decodes, steps.instructionsLeft));
    throw error;
  }
}

/** Makes the code's memories and charges for compiling it. Throws UserError. */
export function instantiateWithin(
  canister: Canister,
  steps: Steps,
  { module, instructions }: Compiled,
  { bytes }: Upload,
  stable?: StableSnapshot,
): Code {
  try {
    const code = instantiate(canister, module, bytes, stable);
    steps.charge(instructions);
    return code;
  } catch (error) {
    if (exceedsHeapLimit(canister, module)) {
      // A heap that this engine cannot have is first held against the canister's limit.
      steps.charge(instructions);
      checkHeapLimit(canister, module);
    }
    steps.charge(refusalCost(error, bytes, true, steps.instructionsLeft));
    throw error;
  }
}
