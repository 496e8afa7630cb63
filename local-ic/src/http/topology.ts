import { subnetKeys, subnetSeed } from '../certification/index.js';
import { canisterIdFromNumber, principalToText, sameId } from '../principal.js';
import type { Subnet, SubnetKind } from '../state/index.js';
import type { Instance } from './instance.js';
import type { Json } from './json.js';

const kindNames: Record<SubnetKind, string> = {
  application: 'Application',
  verified_application: 'VerifiedApplication',
  system: 'System',
  nns: 'NNS',
  ii: 'II',
  sns: 'SNS',
  fiduciary: 'Fiduciary',
  bitcoin: 'Bitcoin',
};

/** Subnets of an instance, as the REST interface describes them. */
export function topologyOf(instance: Instance): Json {
  const subnets = [...instance.ic.subnets].sort((a, b) => Buffer.compare(a.id, b.id));
  return {
    subnet_configs: Object.fromEntries(
      subnets.map((subnet) => [principalToText(subnet.id), subnetConfig(instance, subnet)]),
    ),
    default_effective_canister_id: {
      canister_id: base64(canisterIdFromNumber(instance.defaultSubnet().allocation.first)),
    },
  };
}

function subnetConfig(instance: Instance, subnet: Subnet): Json {
  return {
    subnet_kind: kindNames[subnet.kind],
    subnet_seed: [...subnetSeed(numberOf(instance, subnet))],
    instruction_config: 'Production',
    canister_ranges: subnet.ranges.map(({ first, last }) => ({
      start: { canister_id: base64(canisterIdFromNumber(first)) },
      end: { canister_id: base64(canisterIdFromNumber(last)) },
    })),
  };
}

/** Number of a subnet in the order of creation. */
function numberOf(instance: Instance, subnet: Subnet): number {
  return instance.ic.subnets.findIndex((_, number) => sameId(subnetKeys(number).id, subnet.id));
}

export const base64 = (bytes: Uint8Array): string => Buffer.from(bytes).toString('base64');
