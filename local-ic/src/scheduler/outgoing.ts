import { RejectCode } from '../errors.js';
import { DestinationError } from '../management/index.js';
import type { CallContext, Canister, Request } from '../state/index.js';
import type { OutgoingCall } from '../system-api/index.js';
import type { ExecutionContext } from './context.js';

/** Registers the callback of a call and queues its request. */
export function sendCall(
  context: ExecutionContext,
  canister: Canister,
  call: CallContext,
  outgoing: OutgoingCall,
): void {
  const { request } = outgoing;
  const callback = canister.callContexts.register((id) => ({
    id,
    callContextId: call.id,
    originator: canister.id,
    respondent: request.receiver,
    cyclesSent: request.cycles,
    prepaidExecution: outgoing.prepaidExecution,
    prepaidTransmission: outgoing.prepaidTransmission,
    onReply: outgoing.onReply,
    onReject: outgoing.onReject,
    onCleanup: outgoing.onCleanup,
    deadline: request.deadline,
    responded: false,
  }));
  canister.consumption.request_and_response_transmission += outgoing.fee;
  const message: Request = { ...request, callbackId: callback.id };
  const target =
    request.receiver.length === 0
      ? context.managementSubnet(request.method, request.arg)
      : undefined;
  if (!(target instanceof DestinationError)) {
    canister.queues.pushOutputRequest(message);
    return;
  }
  callback.responded = true;
  canister.queues.pushInput(systemReject(message, target.rejectCode, target.message), 'local');
}

/** Answers a call of a canister with a reject that the system makes. */
export function systemReject(request: Request, code: RejectCode, message: string) {
  return {
    kind: 'response',
    originator: request.sender,
    respondent: request.receiver,
    callbackId: request.callbackId,
    refund: request.cycles,
    deadline: request.deadline,
    payload: { kind: 'reject', code, message },
  } as const;
}
