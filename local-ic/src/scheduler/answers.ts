import { limits } from '../costs/index.js';
import { ErrorCode, RejectCode, UserError } from '../errors.js';
import { principalToText } from '../principal.js';
import {
  limitText,
  type CallContext,
  type CallOrigin,
  type Canister,
  type InputMessage,
  type Payload,
} from '../state/index.js';
import type { Answer, HypervisorError } from '../system-api/index.js';
import type { ExecutionContext } from './context.js';

/** Longest reject message that a canister receives. */
const MAX_REJECT_BYTES = limits.messages.rejectMessageBytes;
/** How much of a longer text comes from its beginning, in percent. */
const ERROR_PREFIX = 50;
const REJECT_PREFIX = 75;

/** A reject for a canister: the error's text with its code. */
export function rejectOf(error: UserError): Payload {
  const text = limitText(error.message, MAX_REJECT_BYTES, ERROR_PREFIX);
  return { kind: 'reject', code: error.rejectCode, message: `${error.codeText}: ${text}` };
}

/** Sends a payload to whoever made a call that this canister has answered. */
export function respond(
  context: ExecutionContext,
  canister: Canister,
  origin: CallOrigin,
  answer: Answer | UserError,
  refund: bigint,
): void {
  if (origin.kind === 'ingress') {
    const { ingressHistory } = context.subnet;
    if (answer instanceof UserError) {
      ingressHistory.set(origin.messageKey, { status: 'rejected', error: answer }, context.timeNs);
    } else if (answer.kind === 'reply') {
      ingressHistory.set(
        origin.messageKey,
        { status: 'replied', reply: answer.data },
        context.timeNs,
      );
    } else {
      const error = new UserError(ErrorCode.CanisterRejectedMessage, answer.message);
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

function payloadOf(answer: Answer | UserError): Payload {
  if (answer instanceof UserError) return rejectOf(answer);
  if (answer.kind === 'reply') return { kind: 'reply', data: answer.data };
  return {
    kind: 'reject',
    code: RejectCode.CanisterReject,
    message: limitText(answer.message, MAX_REJECT_BYTES, REJECT_PREFIX),
  };
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
      finish(context, canister, call, noResponse(canister));
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
  answer: Answer | UserError,
): void {
  call.responded = true;
  const refund = call.availableCycles;
  call.availableCycles = 0n;
  respond(context, canister, call.origin, answer, refund);
}

function noResponse(canister: Canister): UserError {
  const text = `Canister ${principalToText(canister.id)} did not reply to the call`;
  return new UserError(ErrorCode.CanisterDidNotReply, text);
}

/** An update call from outside that goes on beyond its first round shows as being processed. */
export function noteProcessing(context: ExecutionContext, message: InputMessage): void {
  if (message.kind !== 'ingress') return;
  context.subnet.ingressHistory.set(message.messageKey, { status: 'processing' }, context.timeNs);
}
