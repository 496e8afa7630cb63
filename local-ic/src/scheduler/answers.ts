import { ErrorCode, limitText, MAX_ERROR_TEXT_BYTES, RejectCode, UserError } from '../errors.js';
import { principalToText } from '../principal.js';
import type { CallContext, CallOrigin, Canister, InputMessage, Payload } from '../state/index.js';
import type { Answer, HypervisorError } from '../system-api/index.js';
import type { ExecutionContext } from './context.js';

/** How much of a longer reject comes from its beginning, in percent. */
const REJECT_PREFIX = 75;

/** A reject as canisters receive it: no longer than the replica lets it be. */
export function rejectWith(code: RejectCode, text: string): Payload {
  return { kind: 'reject', code, message: limitText(text, MAX_ERROR_TEXT_BYTES, REJECT_PREFIX) };
}

/** A reject for a canister: the error's text, which has its limit, with the error's code. */
export function rejectOf(error: UserError): Payload {
  return {
    kind: 'reject',
    code: error.rejectCode,
    message: `${error.codeText}: ${error.message}`,
  };
}

/** Sends a payload to whoever made a call that this canister has answered, or will not answer. */
export function respond(
  context: ExecutionContext,
  canister: Canister,
  origin: CallOrigin,
  answer: Answer | UserError | 'none',
  refund: bigint,
): void {
  if (origin.kind === 'ingress') {
    const { ingressHistory } = context.subnet;
    if (answer === 'none') {
      const error = noResponse(canister);
      ingressHistory.set(origin.messageKey, { status: 'rejected', error }, context.timeNs);
    } else if (answer instanceof UserError) {
      ingressHistory.set(origin.messageKey, { status: 'rejected', error: answer }, context.timeNs);
    } else if (answer.kind === 'reply') {
      ingressHistory.set(
        origin.messageKey,
        { status: 'replied', reply: answer.data },
        context.timeNs,
      );
    } else {
      const error = UserError.rejectedBy(answer.message);
      ingressHistory.set(origin.messageKey, { status: 'rejected', error }, context.timeNs);
    }
  } else if (origin.kind === 'canister') {
    canister.queues.pushOutputResponse({
      kind: 'response',
      originator: origin.sender,
      respondent: canister.id,
      callbackId: origin.callbackId,
      refund,
      deadline: origin.deadline,
      payload: payloadOf(answer),
    });
  }
}

function payloadOf(answer: Answer | UserError | 'none'): Payload {
  if (answer === 'none') return rejectWith(RejectCode.CanisterError, 'No response');
  if (answer instanceof UserError) return rejectOf(answer);
  if (answer.kind === 'reply') return { kind: 'reply', data: answer.data };
  return rejectWith(RejectCode.CanisterReject, answer.message);
}

/**
 * Settles a call context after one of its messages: answers the caller when the message did, when it
 * failed, or when nothing is left that could answer.
 */
export function settle(
  context: ExecutionContext,
  canister: Canister,
  call: CallContext,
  result: { readonly answer: Answer | undefined; readonly error: HypervisorError | undefined },
  instructions: number,
): void {
  call.instructions += instructions;
  const waiting = call.outstandingCalls > 0;
  if (!call.responded && !call.deleted) {
    if (result.error) {
      if (!waiting) finish(context, canister, call, result.error.toUserError(canister.id));
    } else if (result.answer) {
      finish(context, canister, call, result.answer);
    } else if (!waiting) {
      finish(context, canister, call, 'none');
    }
  }
  if (call.origin.kind === 'ingress' && !call.responded) {
    context.subnet.ingressHistory.set(
      call.origin.messageKey,
      { status: 'processing' },
      context.timeNs,
    );
  }
  canister.callContexts.closeIfDone(call);
}

function finish(
  context: ExecutionContext,
  canister: Canister,
  call: CallContext,
  answer: Answer | UserError | 'none',
): void {
  call.responded = true;
  const refund = call.availableCycles;
  call.availableCycles = 0n;
  respond(context, canister, call.origin, answer, refund);
}

/** Callers outside learn which canister did not answer; canisters get a text of two words. */
function noResponse(canister: Canister): UserError {
  const text = `Canister ${principalToText(canister.id)} did not reply to the call`;
  return new UserError(ErrorCode.CanisterDidNotReply, text);
}

/** An update call from outside that goes on beyond its first round shows as being processed. */
export function noteProcessing(context: ExecutionContext, message: InputMessage): void {
  if (message.kind !== 'ingress') return;
  context.subnet.ingressHistory.set(message.messageKey, { status: 'processing' }, context.timeNs);
}
