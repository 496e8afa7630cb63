import { ErrorCode, UserError } from '../errors.js';
import { principalToText } from '../principal.js';
import {
  allocatedBytes,
  displayBytes,
  freezingThreshold,
  memoryUsage,
  WASM_PAGE,
  type Canister,
  type Code,
  type InstallRequest,
} from '../state/index.js';
import { wasmMemoryLimitExceeded } from '../system-api/index.js';
import type { CanisterModule } from '../wasm/index.js';
import type { ExecutionContext } from './context.js';
import { cyclesForMemoryMissing, documented, memoryOversubscribed } from './errors.js';

/** Checks that do not depend on the module. Throws UserError. */
export function checkInstallable(request: InstallRequest): void {
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

export function exceedsHeapLimit(
  { settings }: Canister,
  { initialPages }: CanisterModule,
): boolean {
  const { wasmMemoryLimit } = settings;
  return wasmMemoryLimit !== 0n && BigInt(initialPages * WASM_PAGE) > wasmMemoryLimit;
}

/** Throws UserError when the module's heap starts larger than the canister's limit. */
export function checkHeapLimit(canister: Canister, module: CanisterModule): void {
  if (!exceedsHeapLimit(canister, module)) return;
  throw wasmMemoryLimitExceeded(
    module.initialPages * WASM_PAGE,
    canister.settings.wasmMemoryLimit,
  ).toUserError(canister.id);
}

const EOP_SECTION = 'enhanced-orthogonal-persistence';

function supportsPersistence(module: CanisterModule): boolean {
  return module.customSections.some(
    (section) => section.visibility === 'private' && section.name === EOP_SECTION,
  );
}

/** Whether the heap is kept (enhanced orthogonal persistence). Throws UserError for options that do not fit. */
export function persistsHeap(
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

/** Throws UserError when the new code alone needs more than the canister's memory allocation. */
export function checkAllocation(canister: Canister, code: Code): void {
  const { memoryAllocation } = canister.settings;
  if (memoryAllocation === 0n) return;
  const used = BigInt(withCode(canister, code, memoryUsage));
  if (used <= memoryAllocation) return;
  throw documented(
    ErrorCode.InsufficientMemoryAllocation,
    `Canister was given ${displayBytes(memoryAllocation)} memory allocation but at least ${used} of memory is needed.`,
    "Try increasing the canister's memory allocation.",
    'not-enough-memory-allocation-given',
  );
}

/** What is to be known about the canister if it had the code. */
function withCode<T>(canister: Canister, code: Code, of: (canister: Canister) => T): T {
  const old = canister.code;
  canister.code = code;
  try {
    return of(canister);
  } finally {
    canister.code = old;
  }
}

/** Checks that the canister may use the memory of its new code. Throws UserError. */
export function checkMemory(context: ExecutionContext, canister: Canister, code: Code): void {
  const before = allocatedBytes(canister);
  const after = withCode(canister, code, allocatedBytes);
  const threshold = withCode(canister, code, () => freezingThreshold(context.fees, canister));
  const growth = after - before;
  if (growth <= 0n) return;
  if (canister.balance < threshold) {
    throw cyclesForMemoryMissing(growth, threshold - canister.balance);
  }
  if (growth > context.subnetMemory.available) {
    throw memoryOversubscribed(growth, context.subnetMemory.available);
  }
  context.subnetMemory.available -= growth;
}
