import { IcError } from '../errors.js';
import { canisterNumber, idKey, principalToText } from '../principal.js';
import type { Subnet } from '../state/index.js';

/** Who a call from outside is for. */
export interface CallTarget {
  /** Empty for the management canister. */
  readonly canisterId: Uint8Array;
  readonly effectiveCanisterId?: Uint8Array;
  readonly subnetId?: Uint8Array;
}

/** The subnet whose ranges hold a canister id. */
export function subnetHolding(subnets: readonly Subnet[], id: Uint8Array): Subnet | undefined {
  const number = canisterNumber(id);
  if (number === undefined) return undefined;
  return subnets.find((subnet) =>
    subnet.ranges.some(({ first, last }) => first <= number && number <= last),
  );
}

/** The subnet that takes a call. Throws IcError when there is none. */
export function subnetForCall(subnets: readonly Subnet[], call: CallTarget): Subnet {
  const { canisterId, effectiveCanisterId, subnetId } = call;
  if (canisterId.length > 0) return holdingOrThrow(subnets, canisterId);
  if (subnetId) {
    const subnet = subnets.find(({ key }) => key === idKey(subnetId));
    if (subnet) return subnet;
    throw new IcError('SubnetNotFound', `There is no subnet ${principalToText(subnetId)}.`);
  }
  if (effectiveCanisterId && effectiveCanisterId.length > 0) {
    return holdingOrThrow(subnets, effectiveCanisterId);
  }
  const first = subnets.find(({ kind }) => kind === 'application') ?? subnets[0];
  if (first) return first;
  throw new IcError('SubnetNotFound', 'The network has no subnet.');
}

function holdingOrThrow(subnets: readonly Subnet[], id: Uint8Array): Subnet {
  const subnet = subnetHolding(subnets, id);
  if (subnet) return subnet;
  throw new IcError(
    'BadIngressMessage',
    `Canister ${principalToText(id)} does not belong to any subnet.`,
  );
}
