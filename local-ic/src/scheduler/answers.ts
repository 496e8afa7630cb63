import { ErrorCode, limitText, MAX_ERROR_TEXT_BYTES, RejectCode, UserError } from '../errors.js';
import { principalToText } from '../principal.js';
import type {
  CallContext,
  CallOrigin,
  Canister,
  IngressStatus,
  InputMessage,
  Payload,
} from '../state/index.js';
import type { Answer, HypervisorError } from '../system-api/index.js';
import type { ExecutionContext } from './context.js';

/** How much of a longer reject comes from its beginning, in percent. */
const REJECT_PREFIX = 75;

/** A reject as canisters receive it: no longer than the replica lets it be. */
export function rejectWith(code: RejectCode, text: string): Payload {
  return { kind: 'reject', code, message: limitText(text, MAX_ERROR_TEXT_BYTES, REJECT_PREFIX) };
}

/** What a caller is told: an answer, why there is none, or that the canister gave none. */
export type Outcome =
  | Answer
  /** `ran` tells whether the failure is one of the canister's code, or the code was not run at all. */
  | { readonly kind: 'failure'; readonly error: UserError; readonly ran: boolean }
  | { readonly kind: 'none' };

/** Sends an outcome to whoever made a call. */
export function respond(
  context: ExecutionContext,
  canister: Canister,
  origin: CallOrigin,
  outcome: Outcome,
  refund: bigint,
): void {
  if (origin.kind === 'ingress') {
    const status = statusOf(canister, outcome);
    context.subnet.ingressHistory.set(origin.messageKey, status, context.timeNs);
  } else if (origin.kind === 'canister') {
    canister.queues.pushOutputResponse({
      kind: 'response',
      originator: origin.sender,
      respondent: canister.id,
      callbackId: origin.callbackId,
      refund,
      deadline: origin.deadline,
      payload: payloadOf(outcome),
    });
  }
}

/** What a caller from outside sees. */
function statusOf(canister: Canister, outcome: Outcome): IngressStatus {
  switch (outcome.kind) {
    case 'reply':
      return { status: 'replied', reply: outcome.data };
    case 'reject':
      return { status: 'rejected', error: UserError.rejectedBy(outcome.message) };
    case 'failure':
      return { status: 'rejected', error: outcome.error };
    case 'none': {
      const text = `Canister ${principalToText(canister.id)} did not reply to the call`;
      return { status: 'rejected', error: new UserError(ErrorCode.CanisterDidNotReply, text) };
    }
  }
}

/** What a calling canister sees: errors with their code, and no word of a canister that is silent. */
function payloadOf(outcome: Outcome): Payload {
  switch (outcome.kind) {
    case 'reply':
      return { kind: 'reply', data: outcome.data };
    case 'reject':
      return rejectWith(RejectCode.CanisterReject, outcome.message);
    case 'failure': {
      const { rejectCode: code, codeText, message } = outcome.error;
      // The code before the text makes a very long one too long again: it is cut where the code ran.
      const text = `${codeText}: ${message}`;
      return outcome.ran ? rejectWith(code, text) : { kind: 'reject', code, message: text };
    }
    case 'none':
      return rejectWith(RejectCode.CanisterError, 'No response');
  }
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
      const error = result.error.toUserError(canister.id);
      if (!waiting) finish(context, canister, call, { kind: 'failure', error, ran: true });
    } else if (result.answer) {
      finish(context, canister, call, result.answer);
    } else if (!waiting) {
      finish(context, canister, call, { kind: 'none' });
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
  outcome: Outcome,
): void {
  call.responded = true;
  const refund = call.availableCycles;
  call.availableCycles = 0n;
  respond(context, canister, call.origin, outcome, refund);
}

/** An update call from outside that goes on beyond its first round shows as being processed. */
export function noteProcessing(context: ExecutionContext, message: InputMessage): void {
  if (message.kind !== 'ingress') return;
  context.subnet.ingressHistory.set(message.messageKey, { status: 'processing' }, context.timeNs);
}
