import { limits } from '../costs/index.js';
import { ErrorCode, UserError } from '../errors.js';
import { principalToText } from '../principal.js';
import { freezingThreshold, type Canister, type Ingress, type Subnet } from '../state/index.js';
import type { ExecutionContext } from './context.js';
import { outOfCyclesText } from './prepay.js';

/** Ingress that enters a round at most. */
const BLOCK_BYTES = limits.messages.blockPayloadBytes;

function extra(length: number): number {
  if (length < 24) return 0;
  if (length < 256) return 1;
  return length < 65_536 ? 2 : 4;
}

/** Bytes of an ingress message's content as CBOR, which its fee counts. */
export function ingressBytes(message: {
  readonly sender: Uint8Array;
  readonly receiver: Uint8Array;
  readonly method: string;
  readonly arg: Uint8Array;
}): number {
  const lengths = [
    message.receiver.length,
    message.sender.length,
    Buffer.byteLength(message.method),
    message.arg.length,
  ];
  return lengths.reduce((sum, length) => sum + length + extra(length), 110);
}

/** "Canister … is stopped", for a canister that takes no messages; undefined when it does. */
export function notRunning(canister: Canister): UserError | undefined {
  if (canister.status.kind === 'running') return undefined;
  const code =
    canister.status.kind === 'stopping' ? ErrorCode.CanisterStopping : ErrorCode.CanisterStopped;
  return new UserError(code, `Canister ${principalToText(canister.id)} is ${canister.status.kind}`);
}

/** Throws UserError when a canister cannot pay for an ingress message without freezing. */
export function checkIngressFee(
  context: ExecutionContext,
  canister: Canister,
  fee: bigint,
  reveal: boolean,
): void {
  const needed = fee + freezingThreshold(context.fees, canister);
  const available = canister.balance - canister.ingressDebit;
  if (available >= needed) return;
  throw new UserError(
    ErrorCode.CanisterOutOfCycles,
    outOfCyclesText(canister, reveal ? needed - available : undefined),
  );
}

/**
 * Takes the messages of a round out of the pool: as many as fit, the highest message ids first. They
 * are executed in the order of their ids.
 */
function takeFromPool(subnet: Subnet): Ingress[] {
  const pool = subnet.ingressPool;
  if (pool.length > 1) pool.sort((a, b) => (a.messageKey < b.messageKey ? -1 : 1));
  let bytes = 0;
  let first = pool.length;
  while (first > 0) {
    bytes += ingressBytes(pool[first - 1]!);
    if (bytes > BLOCK_BYTES && first < pool.length) break;
    first--;
  }
  return pool.splice(first);
}

/** Takes ingress messages into queues and charges for them. */
export function inductIngress(
  context: ExecutionContext,
  payerOf: (message: Ingress) => Canister | undefined,
): void {
  const { subnet } = context;
  for (const message of takeFromPool(subnet)) {
    const fail = (error: UserError): void => {
      subnet.ingressHistory.set(message.messageKey, { status: 'rejected', error }, context.timeNs);
    };
    const payer = payerOf(message);
    try {
      if (payer) {
        const fee = context.fees.ingress(ingressBytes(message));
        checkIngressFee(context, payer, fee, payer.isController(message.sender));
        if (payer.paused) payer.ingressDebit += fee;
        else payer.balance -= fee;
        payer.consumption.ingress_induction += fee;
      }
      if (message.receiver.length === 0) {
        subnet.managementQueue.push(message);
        continue;
      }
      const canister = subnet.canister(message.receiver);
      if (!canister) {
        fail(
          new UserError(
            ErrorCode.CanisterNotFound,
            `Canister ${principalToText(message.receiver)} not found`,
          ),
        );
        continue;
      }
      const refusal = notRunning(canister);
      if (refusal) fail(refusal);
      else canister.queues.pushIngress(message);
    } catch (error) {
      if (!(error instanceof UserError)) throw error;
      fail(error);
    }
  }
}
