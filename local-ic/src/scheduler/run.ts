import { limits, pageCosts, profileOf } from '../costs/index.js';
import type { Canister, Code } from '../state/index.js';
import {
  errorOfTrap,
  Execution,
  SystemApi,
  type ExecutionInput,
  type ExecutionResult,
} from '../system-api/index.js';
import { CanisterInstance, type CanisterModule, type EntryPoint } from '../wasm/index.js';
import { StableMemory, WASM_PAGE, type StableSnapshot } from '../state/index.js';
import type { ExecutionContext } from './context.js';

const PAGE_BYTES = 4096;
/** Charge for a heap page whose content changed, schedule 2025-10. */
const CHANGED_PAGE_COST = pageCosts['2025-10'].heapFirstWrite;
const CHANGED_PAGE_COST_64 = 4000;
/** Largest reply or reject. */
export const MAX_REPLY_BYTES = limits.messages.interCanisterResponseBytes;
/** Largest reply of a query from outside. */
export const MAX_QUERY_REPLY_BYTES = 3_145_728;

/** What a global counts in memory; the instruction counter is one more. */
const GLOBAL_BYTES = 32;

function sectionBytes(module: CanisterModule): number {
  let bytes = 0;
  for (const { name, content } of module.customSections)
    bytes += Buffer.byteLength(name) + content.length;
  return bytes;
}

/** Makes the memories of a module, with its `ic0` functions; runs no code. */
export function makeCode(
  module: CanisterModule,
  moduleBytes: Uint8Array,
  stable?: StableSnapshot,
): Code {
  const api = new SystemApi(module.memory64);
  const instance = new CanisterInstance(module, api.functions, { mayGrow: api.mayGrow });
  const code: Code = {
    module,
    moduleBytes,
    instance,
    stable: new StableMemory(stable),
    sectionBytes: sectionBytes(module),
    globalBytes: GLOBAL_BYTES * (module.code.mutableGlobals.length + 1),
    api,
  };
  api.code = code;
  return code;
}

/** Input of an execution on a subnet: the fields that every kind shares. */
export function sharedInput(context: ExecutionContext, canister: Canister) {
  return {
    canister,
    fees: context.fees,
    timeNs: context.timeNs,
    subnetId: context.subnet.id,
    rootKey: context.rootKey,
    hasThresholdKeys: context.hasThresholdKeys,
    subnetMemory: context.subnetMemory,
    memory64: canister.code?.module.memory64 === true,
    maxReplyBytes: MAX_REPLY_BYTES,
  };
}

/**
 * Runs one entry point to its end. The changes of heap and stable memory are left pending: commit,
 * roll back or detach them.
 */
export function runEntry(
  code: Code,
  input: ExecutionInput,
  entry: EntryPoint,
  reportedLimit: number,
): ExecutionResult {
  const api = code.api as SystemApi;
  const execution = new Execution(input);
  api.execution = execution;
  const outcome = code.instance.run(entry, input.instructionLimit, {
    query: !execution.tracksWrites,
  });
  api.execution = undefined;
  execution.dropCall();
  const heapPages = code.instance.changedHeapPages();
  let { instructions } = outcome;
  if (execution.tracksWrites && code.module.schedule === '2025-10') {
    instructions += heapPages * (code.module.memory64 ? CHANGED_PAGE_COST_64 : CHANGED_PAGE_COST);
  }
  instructions = Math.min(instructions, input.instructionLimit);
  if (outcome.kind === 'trapped') {
    const error = errorOfTrap(outcome.trap, {
      message: reportedLimit,
      slice: input.slice,
      ...('table' in entry ? { tableIndex: entry.table } : {}),
    });
    if (error.logText !== undefined) {
      execution.log.add(input.timeNs, new TextEncoder().encode(error.logText));
    }
    return { execution, error, instructions, heapDelta: 0, copying: 0 };
  }
  const heapDelta = (heapPages + code.stable.dirtyPages) * PAGE_BYTES;
  const copying = execution.replicated ? copyingCost(code, heapPages) : 0;
  return { execution, error: undefined, instructions, heapDelta, copying };
}

/** Copying changed heap pages takes its own slice when there are very many. */
function copyingCost({ module, instance }: Code, changedPages: number): number {
  const costs = pageCosts[profileOf(module.schedule).pageCharge];
  const pages =
    module.schedule === '2025-10'
      ? changedPages
      : (instance.touched().writtenWasmPages * WASM_PAGE) / PAGE_BYTES;
  if (pages * PAGE_BYTES <= costs.dirtyCopyAppliesAboveDirtyBytes) return 0;
  return pages * costs.dirtyCopyPerChargedPage;
}

/** Makes pending changes of both memories permanent. */
export function commitMemory(code: Code): void {
  code.instance.commit();
  code.stable.commit();
}

/** Forgets pending changes of both memories. */
export function rollbackMemory(code: Code): void {
  code.instance.rollback();
  code.stable.rollback();
}
