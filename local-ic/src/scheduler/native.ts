import { UserError } from '../errors.js';
import type {
  CallOrigin,
  Canister,
  Ingress,
  NativeCanister,
  Payload,
  Request,
} from '../state/index.js';
import { respond } from './answers.js';
import type { ExecutionContext } from './context.js';

/** Executes a message of a native canister: it is answered at once. */
export function runNative(
  context: ExecutionContext,
  canister: Canister,
  native: NativeCanister,
  message: Ingress | Request,
  origin: CallOrigin,
): void {
  const cycles = message.kind === 'request' ? message.cycles : 0n;
  try {
    const { data, accepted, passedOn } = native.update({
      caller: message.sender,
      method: message.method,
      arg: message.arg,
      cycles,
      timeNs: context.timeNs,
    });
    canister.balance += accepted;
    canister.version++;
    respond(context, canister, origin, { kind: 'reply', data }, cycles - accepted - passedOn);
  } catch (error) {
    if (!(error instanceof UserError)) throw error;
    respond(context, canister, origin, { kind: 'failure', error, ran: true }, cycles);
  }
}

/** Answers a query of a native canister. Throws UserError. */
export function queryNative(
  context: ExecutionContext,
  native: NativeCanister,
  { sender, method, arg }: Pick<Ingress, 'sender' | 'method' | 'arg'>,
): Payload {
  const { timeNs } = context;
  return {
    kind: 'reply',
    data: native.query({ caller: sender, method, arg, cycles: 0n, timeNs }),
  };
}
