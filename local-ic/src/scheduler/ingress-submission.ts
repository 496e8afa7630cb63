import { limits } from '../costs/index.js';
import { IcError } from '../errors.js';
import type { IngressCall } from '../ic-types.js';
import { idKey } from '../principal.js';
import type { Canister, Ingress, Subnet } from '../state/index.js';
import { checkIngressFee, ingressBytes } from './ingress-induction.js';
import type { ManagementHost } from './management-host.js';
import { checkSubmission } from './submission.js';

const MAX_INGRESS_BYTES = limits.messages.ingressBytes;
/** Bytes of an ingress message besides what its fee counts: the message id. */
const MESSAGE_ID_BYTES = 32;

/** Ingress as the pool keeps it: with the canister that pays. */
interface Submitted extends Ingress {
  readonly payer: Uint8Array | undefined;
}

/** Who pays for a message of the pool, if anybody does and still exists. */
export function payerOf(subnet: Subnet, message: Ingress): Canister | undefined {
  const { payer } = message as Submitted;
  return payer && subnet.canister(payer);
}

/**
 * Puts an update call into its subnet's pool, once. Throws IcError when it is too large, UserError
 * when the ingress filter refuses it.
 */
export function submit(
  host: ManagementHost,
  call: IngressCall,
  { messageId, expiry }: { readonly messageId: Uint8Array; readonly expiry: bigint },
): void {
  const { subnet } = host;
  const messageKey = idKey(messageId);
  const fields = {
    sender: call.sender,
    receiver: call.canisterId,
    method: call.method,
    arg: call.arg,
  };
  const bytes = ingressBytes(fields) + MESSAGE_ID_BYTES;
  if (bytes > MAX_INGRESS_BYTES) {
    throw new IcError(
      'BadIngressMessage',
      `Request 0x${messageKey} is too large. Message byte size ${bytes} is larger than the max allowed ${MAX_INGRESS_BYTES}.`,
    );
  }
  if (subnet.ingressHistory.get(messageKey)) return;
  const payer = checkIngress(host, call);
  const message: Submitted = {
    kind: 'ingress',
    messageId,
    messageKey,
    ...fields,
    expiry,
    payer: payer?.id,
  };
  subnet.ingressPool.push(message);
  subnet.ingressHistory.add(messageKey, {
    messageId,
    sender: call.sender,
    receiver: call.canisterId,
    status: { status: 'received' },
    changedAt: host.timeNs,
  });
}

/** The ingress filter. Returns who pays for the message. */
function checkIngress(host: ManagementHost, call: IngressCall): Canister | undefined {
  const { subnet } = host;
  if (call.canisterId.length > 0) {
    checkSubmission(host.execution, { ...call, receiver: call.canisterId });
    return subnet.canister(call.canisterId);
  }
  const payer = host.network.management.checkManagementIngress(host, {
    method: call.method,
    sender: call.sender,
    arg: call.arg,
    effectiveCanisterId: call.effectiveCanisterId,
  });
  if (payer) {
    const fee = host.fees.ingress(ingressBytes({ ...call, receiver: call.canisterId }));
    checkIngressFee(host.execution, payer, fee, payer.isController(call.sender));
  }
  return payer;
}
