import { ErrorCode, UserError } from '../errors.js';
import { principalToText } from '../principal.js';
import {
  newCallContext,
  WASM_PAGE,
  type CallOrigin,
  type Canister,
  type Ingress,
  type Request,
} from '../state/index.js';
import {
  methodNotFound,
  wasmMemoryLimitExceeded,
  wasmModuleNotFound,
  type ExecutionResult,
  type Mode,
} from '../system-api/index.js';
import type { EntryPoint } from '../wasm/index.js';
import { respond, settle } from './answers.js';
import type { ExecutionContext } from './context.js';
import { applyEffects, applyLog } from './effects.js';
import { runNative } from './native.js';
import { applyIngressDebit, prepayExecution, refundExecution } from './prepay.js';
import { commitMemory, rollbackMemory, runEntry, sharedInput } from './run.js';
import { slicesOf, type Finished, type Work } from './work.js';

/** A message from a caller, or a task that the system starts. */
export type CallOrTask = Ingress | Request | Task;

/** Tasks of the system. */
export interface Task {
  readonly kind: 'task';
  readonly task: 'heartbeat' | 'globalTimer' | 'lowWasmMemory';
}

const TASK_MODES = {
  heartbeat: 'heartbeat',
  globalTimer: 'global timer',
  lowWasmMemory: 'on low Wasm memory',
} as const satisfies Record<Task['task'], Mode>;

const TASK_EXPORTS = {
  heartbeat: 'canister_heartbeat',
  globalTimer: 'canister_global_timer',
  lowWasmMemory: 'canister_on_low_wasm_memory',
} as const;

const NOTHING: Finished = { instructions: 0, heapDelta: 0 };

/** How a message is to be executed: as what, where, and within which limits. */
interface Plan {
  readonly mode: Mode;
  readonly entry: EntryPoint;
  readonly limit: number;
  readonly query: boolean;
}

function planOf(context: ExecutionContext, canister: Canister, message: CallOrTask): Plan {
  const { limits } = context;
  if (message.kind === 'task') {
    return {
      mode: TASK_MODES[message.task],
      entry: { export: TASK_EXPORTS[message.task] },
      limit: limits.message,
      query: false,
    };
  }
  const { method } = message;
  const module = canister.code?.module;
  if (module?.queries.has(method) === true || module?.compositeQueries.has(method) === true) {
    return {
      mode: 'replicated query',
      entry: { export: `canister_query ${method}` },
      limit: limits.query,
      query: true,
    };
  }
  return {
    mode: 'update',
    entry: { export: `canister_update ${method}` },
    limit: limits.message,
    query: false,
  };
}

/** Who waits for the answer of a message. */
export function originOf(message: CallOrTask): CallOrigin {
  switch (message.kind) {
    case 'ingress':
      return {
        kind: 'ingress',
        sender: message.sender,
        messageKey: message.messageKey,
        method: message.method,
      };
    case 'request':
      return {
        kind: 'canister',
        sender: message.sender,
        callbackId: message.callbackId,
        deadline: message.deadline,
        method: message.method,
      };
    case 'task':
      return { kind: 'systemTask' };
  }
}

/** Throws when the canister cannot take the message. */
function validate(canister: Canister, message: CallOrTask, plan: Plan): void {
  if (canister.status.kind !== 'running') {
    const code =
      canister.status.kind === 'stopping' ? ErrorCode.CanisterStopping : ErrorCode.CanisterStopped;
    throw new UserError(code, `Canister ${principalToText(canister.id)} is not running`);
  }
  const { code } = canister;
  if (!code) throw wasmModuleNotFound().toUserError(canister.id);
  if (message.kind === 'task') return;
  if (code.module.compositeQueries.has(message.method)) {
    throw new UserError(
      ErrorCode.CompositeQueryCalledInReplicatedMode,
      'Composite query cannot be called in replicated mode',
    );
  }
  if (plan.query) return;
  if (!code.module.updates.has(message.method)) {
    throw methodNotFound('update', message.method).toUserError(canister.id);
  }
  const { wasmMemoryLimit } = canister.settings;
  const heapBytes = code.instance.memoryPages() * WASM_PAGE;
  if (wasmMemoryLimit !== 0n && BigInt(heapBytes) > wasmMemoryLimit) {
    throw wasmMemoryLimitExceeded(heapBytes, wasmMemoryLimit).toUserError(canister.id);
  }
}

function refuse(
  context: ExecutionContext,
  canister: Canister,
  message: CallOrTask,
  error: unknown,
): Finished {
  if (!(error instanceof UserError)) throw error;
  const cycles = message.kind === 'request' ? message.cycles : 0n;
  respond(context, canister, originOf(message), { kind: 'failure', error, ran: false }, cycles);
  return NOTHING;
}

/** Starts a message or task: runs its code, or refuses it at once. */
export function startCall(
  context: ExecutionContext,
  canister: Canister,
  message: CallOrTask,
): Work | Finished {
  if (canister.native && message.kind !== 'task') {
    runNative(context, canister, canister.native, message, originOf(message));
    return NOTHING;
  }
  const plan = planOf(context, canister, message);
  const reveal = message.kind !== 'task' && canister.isController(message.sender);
  let prepaid: bigint;
  try {
    prepaid = prepayExecution(context, canister, plan.limit, reveal);
  } catch (error) {
    if (message.kind === 'task' && message.task === 'lowWasmMemory')
      canister.lowWasmMemoryHook = 'ready';
    return { ...refuse(context, canister, message, error), skipped: true };
  }
  return runCall(context, canister, message, plan, prepaid);
}

function runCall(
  context: ExecutionContext,
  canister: Canister,
  message: CallOrTask,
  plan: Plan,
  prepaid: bigint,
): Work | Finished {
  try {
    validate(canister, message, plan);
  } catch (error) {
    applyIngressDebit(canister);
    refundExecution(context, canister, prepaid, plan.limit, 0);
    return refuse(context, canister, message, error);
  }
  const code = canister.code!;
  if (message.kind === 'task' && !code.module.hooks.has(TASK_EXPORTS[message.task])) {
    refundExecution(context, canister, prepaid, plan.limit, 0);
    canister.version++;
    return NOTHING;
  }
  const origin = originOf(message);
  const call = newCallContext(
    origin,
    message.kind === 'request' ? message.cycles : 0n,
    context.timeNs,
  );
  const timer = canister.globalTimer;
  if (message.kind === 'task' && message.task === 'globalTimer') canister.globalTimer = undefined;
  const result = runEntry(
    code,
    {
      ...sharedInput(context, canister),
      mode: plan.mode,
      caller: message.kind === 'task' ? new Uint8Array(0) : message.sender,
      ...(message.kind === 'task' ? {} : { arg: message.arg }),
      callContext: call,
      instructionLimit: plan.limit,
      slice: context.limits.slice,
    },
    plan.entry,
    plan.limit,
  );
  const touched = code.instance.touched();
  canister.globalTimer = timer;
  if (result.error || plan.query) rollbackMemory(code);
  return {
    slices: slicesOf(result, context.limits.slice),
    finish: () => ({
      ...finishCall(context, canister, message, plan, prepaid, call, result),
      touched,
    }),
    restart: () => runCall(context, canister, message, plan, prepaid),
  };
}

function finishCall(
  context: ExecutionContext,
  canister: Canister,
  message: CallOrTask,
  plan: Plan,
  prepaid: bigint,
  call: ReturnType<typeof newCallContext>,
  result: ExecutionResult,
): Finished {
  const code = canister.code!;
  applyIngressDebit(canister);
  canister.callContexts.open(call);
  if (message.kind === 'task' && message.task === 'globalTimer') canister.globalTimer = undefined;
  applyLog(canister, result.execution);
  if (!result.error) {
    applyEffects(context, canister, result.execution, call);
    commitMemory(code);
  }
  const { answer } = result.execution;
  settle(context, canister, call, { answer, error: result.error }, result.instructions);
  refundExecution(context, canister, prepaid, plan.limit, result.instructions);
  return { instructions: result.instructions, heapDelta: plan.query ? 0 : result.heapDelta };
}
