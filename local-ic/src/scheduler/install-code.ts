import { ErrorCode, UserError } from '../errors.js';
import { principalToText } from '../principal.js';
import {
  allocatedBytes,
  freezingThreshold,
  grouped,
  memoryUsage,
  WASM_PAGE,
  type Canister,
  type Code,
  type InstallRequest,
  type StableSnapshot,
} from '../state/index.js';
import {
  wasmMemoryLimitExceeded,
  wasmModuleNotFound,
  type ExecutionInput,
  type ExecutionResult,
  type Mode,
} from '../system-api/index.js';
import { inspectUpload, type CanisterModule, type EntryPoint } from '../wasm/index.js';
import { compileFor, instantiate, refusalCost, rememberModule, type Compiled } from './compile.js';
import type { ExecutionContext } from './context.js';
import { applyLog } from './effects.js';
import { documented } from './errors.js';
import { applyIngressDebit, prepayExecution, refundExecution } from './prepay.js';
import { rollbackMemory, commitMemory, runEntry, sharedInput } from './run.js';
import { slicesOf } from './work.js';

/** An installation that has run to its end: what it takes, and what it changes. */
export interface Installation {
  /** Instructions of each slice. */
  readonly slices: readonly number[];
  /** Instructions in all. */
  readonly instructions: number;
  readonly prepaid: bigint;
  /** Applies the installation. Throws UserError when it failed. */
  finish(): void;
}

/** Steps of an installation as they are run, one after the other. */
class Steps {
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
interface Upload {
  readonly bytes: Uint8Array;
  readonly decodes: boolean;
  readonly memory64: boolean;
}

/** Returns a UserError when the module cannot be put together from its chunks. */
function uploadOf({ moduleBytes }: InstallRequest): Upload | UserError {
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

/** Checks that do not depend on the module. Throws UserError. */
function validate(request: InstallRequest): void {
  const { canister, mode } = request;
  const id = principalToText(canister.id);
  if (mode === 'install' && canister.code) {
    throw documented(
      ErrorCode.CanisterNonEmpty,
      `Canister ${id} cannot be installed because the canister is not empty. Try installing with mode='reinstall' instead.`,
      "Check that you want to overwrite the canister and, if so, use mode='reinstall'.",
      'canister-not-empty',
    );
  }
  if (canister.scheduler.installCodeDebit > 0) {
    throw documented(
      ErrorCode.CanisterInstallCodeRateLimited,
      `Canister ${id} is rate limited because it executed too many instructions in the previous install_code messages. Please retry installation after several minutes.`,
      'Retry the installation at a later time.',
      'install-code-rate-limited',
    );
  }
}

/**
 * Runs an installation to its end. Throws UserError when cycles for it are missing; every other
 * failure comes out of {@link Installation.finish}.
 */
export function runInstallation(
  context: ExecutionContext,
  request: InstallRequest,
  prepaidBefore?: bigint,
): Installation {
  const { canister } = request;
  const { limits } = context;
  const upload = uploadOf(request);
  const memory64 = !(upload instanceof UserError) && upload.memory64;
  let prepaid = prepaidBefore;
  if (prepaid === undefined) {
    try {
      prepaid = prepayExecution(
        context,
        canister,
        limits.installCode,
        canister.isController(request.call.sender),
        memory64,
      );
    } catch (error) {
      if (!(error instanceof UserError)) throw error;
      throw documented(
        ErrorCode.CanisterOutOfCycles,
        `Canister installation failed with \`${error.message}\`.`,
        'Top up the canister with more cycles.',
        'install-code-not-enough-cycles',
      );
    }
  }
  const steps = new Steps(context, request);
  let failure: UserError | undefined;
  let code: Code | undefined;
  try {
    validate(request);
    if (request.assemblyInstructions !== undefined) steps.charge(request.assemblyInstructions);
    if (upload instanceof UserError) throw upload;
    code =
      request.mode === 'upgrade'
        ? upgrade(context, request, steps, upload)
        : install(context, request, steps, upload);
  } catch (error) {
    if (!(error instanceof UserError)) throw error;
    failure = error;
  }
  const paid = prepaid;
  return {
    slices: steps.slices,
    instructions: steps.instructions,
    prepaid: paid,
    finish: () => {
      applyIngressDebit(canister);
      if (!failure) {
        try {
          checkMemory(context, canister, code!);
        } catch (error) {
          if (!(error instanceof UserError)) throw error;
          failure = error;
        }
      }
      if (!failure && request.mode === 'reinstall') canister.log.clear();
      for (const result of steps.results) applyLog(canister, result.execution);
      if (!failure) {
        apply(context, request, code!, steps.results);
        rememberModule(context.subnet, code!.module);
      }
      refundExecution(context, canister, paid, limits.installCode, steps.instructions, memory64);
      canister.scheduler.installCodeDebit += steps.instructions;
      if (failure) throw failure;
    },
  };
}

/** Compiles the upload. A refused one is charged for its bytes. Throws UserError. */
function compileUpload(
  context: ExecutionContext,
  canister: Canister,
  steps: Steps,
  { bytes, decodes }: Upload,
): Compiled {
  try {
    return compileFor(context.subnet, canister, bytes, context.schedule);
  } catch (error) {
    steps.charge(refusalCost(bytes, decodes, steps.instructionsLeft));
    throw error;
  }
}

function install(
  context: ExecutionContext,
  request: InstallRequest,
  steps: Steps,
  upload: Upload,
): Code {
  const { canister } = request;
  const compiled = compileUpload(context, canister, steps, upload);
  const code = instantiateWithin(canister, steps, compiled, upload);
  runStart(steps, code);
  if (code.module.hooks.has('canister_init')) {
    steps.run(code, 'init', { export: 'canister_init' }, request.arg);
    commitMemory(code);
  }
  checkHeapLimit(canister, code.module);
  return code;
}

function runStart(steps: Steps, code: Code): void {
  if (!code.module.hasStart) return;
  steps.run(code, 'start', { start: true });
  commitMemory(code);
}

function upgrade(
  context: ExecutionContext,
  request: InstallRequest,
  steps: Steps,
  upload: Upload,
): Code {
  const { canister } = request;
  const old = canister.code;
  if (!old) throw wasmModuleNotFound().toUserError(canister.id);
  try {
    if (!request.skipPreUpgrade && old.module.hooks.has('canister_pre_upgrade')) {
      steps.run(old, 'pre upgrade', { export: 'canister_pre_upgrade' });
    }
    const compiled = compileUpload(context, canister, steps, upload);
    const keepsHeap = persistsHeap(request, old.module, compiled.module);
    const stable = old.stable.pendingSnapshot();
    const code = instantiateWithin(canister, steps, compiled, upload, stable);
    if (keepsHeap) {
      const { globals } = code.instance.saveState();
      code.instance.restoreState({ ...old.instance.saveState(), globals });
    }
    runStart(steps, code);
    if (code.module.hooks.has('canister_post_upgrade')) {
      steps.run(code, 'init', { export: 'canister_post_upgrade' }, request.arg);
      commitMemory(code);
    }
    return code;
  } finally {
    rollbackMemory(old);
  }
}

const EOP_SECTION = 'enhanced-orthogonal-persistence';

function supportsPersistence(module: CanisterModule): boolean {
  return module.customSections.some(
    (section) => section.visibility === 'private' && section.name === EOP_SECTION,
  );
}

/** Makes the code's memories and charges for compiling it. Throws UserError. */
function instantiateWithin(
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
    steps.charge(refusalCost(bytes, true, steps.instructionsLeft));
    throw error;
  }
}

function exceedsHeapLimit({ settings }: Canister, { initialPages }: CanisterModule): boolean {
  const { wasmMemoryLimit } = settings;
  return wasmMemoryLimit !== 0n && BigInt(initialPages * WASM_PAGE) > wasmMemoryLimit;
}

/** Throws UserError when the module's heap starts larger than the canister's limit. */
function checkHeapLimit(canister: Canister, module: CanisterModule): void {
  if (!exceedsHeapLimit(canister, module)) return;
  throw wasmMemoryLimitExceeded(
    module.initialPages * WASM_PAGE,
    canister.settings.wasmMemoryLimit,
  ).toUserError(canister.id);
}

/** Whether the heap is kept (enhanced orthogonal persistence). Throws UserError for options that do not fit. */
function persistsHeap(
  request: InstallRequest,
  old: CanisterModule,
  fresh: CanisterModule,
): boolean {
  switch (request.wasmMemoryPersistence) {
    case 'keep':
      if (supportsPersistence(fresh)) return true;
      throw new UserError(
        ErrorCode.CanisterContractViolation,
        'Invalid upgrade option: The `wasm_memory_persistence: opt Keep` upgrade option requires that the new canister module supports enhanced orthogonal persistence.',
      );
    case 'replace':
      return false;
    case undefined:
      if (supportsPersistence(old)) {
        throw new UserError(
          ErrorCode.CanisterContractViolation,
          'Missing upgrade option: Enhanced orthogonal persistence requires the `wasm_memory_persistence` upgrade option.',
        );
      }
      return false;
  }
}

/** Checks that the canister may use the memory of its new code. Throws UserError. */
function checkMemory(context: ExecutionContext, canister: Canister, code: Code): void {
  const before = allocatedBytes(canister);
  const old = canister.code;
  canister.code = code;
  const after = allocatedBytes(canister);
  const used = memoryUsage(canister);
  const threshold = freezingThreshold(context.fees, canister, used);
  canister.code = old;
  const growth = after - before;
  if (growth <= 0n) return;
  if (canister.balance < threshold) {
    throw documented(
      ErrorCode.InsufficientCyclesInMemoryGrow,
      `Canister cannot grow memory by ${growth} bytes due to insufficient cycles. At least ${grouped(threshold - canister.balance)} additional cycles are required.`,
      'Try topping up the canister.',
      'insufficient-cycles-in-memory-grow',
    );
  }
  if (growth > context.subnetMemory.available) {
    throw documented(
      ErrorCode.SubnetOversubscribed,
      `Canister requested ${growth} B of memory but only ${context.subnetMemory.available} B are available in the subnet.`,
      'Try moving to another subnet.',
      'subnet-memory-capacity-oversubscribed',
    );
  }
  context.subnetMemory.available -= growth;
}

/** Puts the new code in place, with what its hooks asked for. */
function apply(
  context: ExecutionContext,
  request: InstallRequest,
  code: Code,
  results: readonly ExecutionResult[],
): void {
  const { canister } = request;
  if (request.mode !== 'upgrade') canister.certifiedData = new Uint8Array(0);
  canister.globalTimer = undefined;
  canister.code = code;
  canister.version++;
  for (const { execution, heapDelta } of results) {
    canister.balance += execution.balanceChange;
    if (execution.certifiedData) canister.certifiedData = execution.certifiedData;
    if (execution.newGlobalTimer !== undefined && execution.mode !== 'pre upgrade') {
      canister.globalTimer = execution.newGlobalTimer === 0n ? undefined : execution.newGlobalTimer;
    }
    if (execution.memory.lowWasmMemory === true) canister.lowWasmMemoryHook = 'ready';
    canister.scheduler.heapDeltaDebit += heapDelta;
  }
  canister.recordChange(context.timeNs, request.origin, {
    kind: 'code_deployment',
    mode: request.mode,
    moduleHash: code.module.hash,
  });
}
