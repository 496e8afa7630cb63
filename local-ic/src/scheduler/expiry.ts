import { ErrorCode, RejectCode, UserError } from '../errors.js';
import type { Ingress, Request, Response, Subnet } from '../state/index.js';
import type { ExecutionContext } from './context.js';
import { takeResponse } from './streams.js';

const EXPIRED = 'Call deadline has expired.';

function isExpired(message: Request | Response, now: bigint): boolean {
  return message.deadline !== 0n && message.deadline < now;
}

/** Ends what has waited too long: best-effort messages and calls, and ingress messages. */
export function expire(context: ExecutionContext): void {
  const { subnet, timeNs } = context;
  for (const canister of subnet.canisters.values()) {
    canister.queues.dropExpired((message) => isExpired(message, timeNs));
    for (const callback of canister.callContexts.allCallbacks()) {
      if (callback.deadline === 0n || callback.deadline >= timeNs || callback.responded) continue;
      takeResponse(
        canister,
        {
          kind: 'response',
          originator: canister.id,
          respondent: callback.respondent,
          callbackId: callback.id,
          refund: 0n,
          deadline: callback.deadline,
          payload: { kind: 'reject', code: RejectCode.SysUnknown, message: EXPIRED },
        },
        'local',
      );
    }
    for (const message of canister.queues.dropIngress(({ expiry }) => expiry < timeNs)) {
      failIngress(subnet, message, timeNs);
    }
  }
}

function failIngress(subnet: Subnet, message: Ingress, now: bigint): void {
  const error = new UserError(
    ErrorCode.IngressMessageTimeout,
    `Ingress message 0x${message.messageKey} timed out waiting to start executing.`,
  );
  subnet.ingressHistory.set(message.messageKey, { status: 'rejected', error }, now);
}
