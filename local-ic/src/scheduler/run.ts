import type { Canister, Code } from '../state/index.js';
import {
  errorOfTrap,
  except,
  Execution,
  SystemApi,
  type ExecutionInput,
  type ExecutionResult,
  type Mode,
} from '../system-api/index.js';
import { CanisterInstance, type CanisterModule, type EntryPoint } from '../wasm/index.js';
import { StableMemory, type StableSnapshot } from '../state/index.js';
import type { ExecutionContext } from './context.js';

const PAGE_BYTES = 4096;
/** Charge for a heap page whose content changed, schedule 2025-10. */
const CHANGED_PAGE_COST = 1000;
const CHANGED_PAGE_COST_64 = 4000;
/** Largest reply or reject. */
export const MAX_REPLY_BYTES = 2_097_152;
/** Largest reply of a query from outside. */
export const MAX_QUERY_REPLY_BYTES = 3_145_728;

/** Modes whose changes are noticed: they pay for changed pages. */
const PAYS_FOR_PAGES: ReadonlySet<Mode> = except(
  'replicated query',
  'non replicated query',
  'inspect message',
);
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
  const query = !execution.replicated;
  const outcome = code.instance.run(entry, input.instructionLimit, { query });
  api.execution = undefined;
  execution.dropCall();
  const heapPages = code.instance.changedHeapPages();
  let { instructions } = outcome;
  if (PAYS_FOR_PAGES.has(input.mode) && code.module.schedule === '2025-10') {
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
    return { execution, error, instructions, heapDelta: 0 };
  }
  const heapDelta = (heapPages + code.stable.dirtyPages) * PAGE_BYTES;
  return { execution, error: undefined, instructions, heapDelta };
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
