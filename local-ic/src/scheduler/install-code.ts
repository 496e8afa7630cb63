import { ErrorCode, UserError } from '../errors.js';
import type { Code, InstallRequest } from '../state/index.js';
import { wasmModuleNotFound, type ExecutionResult } from '../system-api/index.js';
import { rememberModule } from './compile.js';
import type { ExecutionContext } from './context.js';
import { applyLog } from './effects.js';
import { documented } from './errors.js';
import {
  checkAllocation,
  checkHeapLimit,
  checkInstallable,
  checkMemory,
  persistsHeap,
} from './install-checks.js';
import { compileUpload, instantiateWithin, Steps, uploadOf, type Upload } from './install-steps.js';
import { applyIngressDebit, prepayExecution, refundExecution } from './prepay.js';
import { commitMemory, rollbackMemory } from './run.js';

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
    checkInstallable(request);
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

function install(
  context: ExecutionContext,
  request: InstallRequest,
  steps: Steps,
  upload: Upload,
): Code {
  const { canister } = request;
  const compiled = compileUpload(context, canister, steps, upload);
  const code = instantiateWithin(canister, steps, compiled, upload);
  checkAllocation(canister, code);
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
    checkAllocation(canister, code);
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
