import {
  responsePayloadBytes,
  type Callback,
  type CallContext,
  type Canister,
  type Closure,
  type Response,
} from '../state/index.js';
import { cleanupFailed, type ExecutionResult, type Mode } from '../system-api/index.js';
import { settle } from './answers.js';
import type { ExecutionContext } from './context.js';
import { applyEffects, applyLog } from './effects.js';
import { applyIngressDebit, refundExecution } from './prepay.js';
import { commitMemory, rollbackMemory, runEntry, sharedInput } from './run.js';
import { slicesOf, type Finished, type Work } from './work.js';

const NOTHING: Finished = { instructions: 0, heapDelta: 0 };
/** Part of the instruction limit that is kept for the cleanup callback. */
const CLEANUP_SHARE = 0.05;

/** What a response callback came to, its cleanup included. */
interface Outcome {
  readonly callback: ExecutionResult;
  readonly cleanup: ExecutionResult | undefined;
  readonly instructions: number;
}

/** Executes the callback for a response. */
export function startResponse(
  context: ExecutionContext,
  canister: Canister,
  response: Response,
): Work | Finished {
  const callback = canister.callContexts.callback(response.callbackId);
  if (!callback) return NOTHING;
  const call = canister.callContexts.get(callback.callContextId);
  if (!call || call.deleted || !canister.code) {
    canister.callContexts.unregister(callback.id);
    refundCall(context, canister, callback, response);
    noteTransmission(context, canister, callback, response);
    refundExecution(context, canister, callback.prepaidExecution, context.limits.message, 0);
    if (call) settle(context, canister, call, { answer: undefined, error: undefined }, 0);
    return NOTHING;
  }
  return runResponse(context, canister, response, callback, call);
}

function runResponse(
  context: ExecutionContext,
  canister: Canister,
  response: Response,
  callback: Callback,
  call: CallContext,
): Work {
  const before = canister.balance;
  refundCall(context, canister, callback, response);
  const outcome = runCallback(context, canister, response, callback, call);
  const touched = canister.code!.instance.touched();
  canister.balance = before;
  const { slice } = context.limits;
  const slices = slicesOf(outcome.callback, slice);
  if (outcome.cleanup) {
    const [first, ...rest] = slicesOf(outcome.cleanup, slice);
    slices[slices.length - 1]! += first!;
    slices.push(...rest);
  }
  return {
    slices,
    finish: () => {
      refundCall(context, canister, callback, response);
      noteTransmission(context, canister, callback, response);
      return { ...finishResponse(context, canister, callback, call, outcome), touched };
    },
    restart: () => runResponse(context, canister, response, callback, call),
  };
}

/** Gives back cycles that the callee did not accept, and what a larger response would have cost. */
function refundCall(
  context: ExecutionContext,
  canister: Canister,
  callback: Callback,
  response: Response,
): void {
  const cost = context.fees.response(responsePayloadBytes(response.payload));
  const unused = callback.prepaidTransmission - cost;
  canister.balance += response.refund + (unused > 0n ? unused : 0n);
}

/** Counts what the response cost. */
function noteTransmission(
  context: ExecutionContext,
  canister: Canister,
  { prepaidTransmission: prepaid }: Callback,
  { payload }: Response,
): void {
  const cost = context.fees.response(responsePayloadBytes(payload));
  canister.consumption.request_and_response_transmission += cost < prepaid ? cost : prepaid;
}

function runCallback(
  context: ExecutionContext,
  canister: Canister,
  response: Response,
  callback: Callback,
  call: CallContext,
): Outcome {
  const { payload } = response;
  const limit = context.limits.message;
  const reserved = limit * CLEANUP_SHARE;
  const run = (mode: Mode, closure: Closure, instructionLimit: number): ExecutionResult =>
    runEntry(
      canister.code!,
      {
        ...sharedInput(context, canister),
        mode,
        caller: callerOf(call),
        ...(mode === 'reply callback' && payload.kind === 'reply' ? { arg: payload.data } : {}),
        rejectCode: payload.kind === 'reject' ? payload.code : 0,
        ...(payload.kind === 'reject' ? { rejectMessage: payload.message } : {}),
        callContext: call,
        refundedCycles: response.refund,
        instructionsBefore: call.instructions,
        instructionLimit,
        slice: context.limits.slice,
      },
      { table: closure.fun, arg: closure.env },
      limit,
    );
  const replied = payload.kind === 'reply';
  const result = run(
    replied ? 'reply callback' : 'reject callback',
    replied ? callback.onReply : callback.onReject,
    limit - reserved,
  );
  if (result.error) rollbackMemory(canister.code!);
  if (!result.error || !callback.onCleanup) {
    return { callback: result, cleanup: undefined, instructions: result.instructions };
  }
  const left = limit - result.instructions;
  const cleanup = run('cleanup', callback.onCleanup, left);
  if (cleanup.error) rollbackMemory(canister.code!);
  return { callback: result, cleanup, instructions: result.instructions + cleanup.instructions };
}

function callerOf(call: CallContext): Uint8Array {
  return call.origin.kind === 'systemTask' ? new Uint8Array(0) : call.origin.sender;
}

function finishResponse(
  context: ExecutionContext,
  canister: Canister,
  callback: Callback,
  call: CallContext,
  outcome: Outcome,
): Finished {
  const code = canister.code!;
  applyIngressDebit(canister);
  applyLog(canister, outcome.callback.execution);
  if (outcome.cleanup) applyLog(canister, outcome.cleanup.execution);
  const effective = outcome.cleanup ?? outcome.callback;
  if (!effective.error) {
    applyEffects(context, canister, effective.execution, call);
    commitMemory(code);
  }
  canister.callContexts.unregister(callback.id);
  let { error } = outcome.callback;
  if (error && outcome.cleanup?.error) error = cleanupFailed(error, outcome.cleanup.error);
  const answer = error ? undefined : outcome.callback.execution.answer;
  settle(context, canister, call, { answer, error }, outcome.instructions);
  refundExecution(
    context,
    canister,
    callback.prepaidExecution,
    context.limits.message,
    outcome.instructions,
  );
  return {
    instructions: outcome.instructions,
    heapDelta: effective.error ? 0 : effective.heapDelta,
  };
}
