import { encodeWithSelfDescribedTag } from '@dfinity/cbor';
import { profileOf } from '../costs/index.js';
import type { Canister, Subnet } from '../state/index.js';
import { domainSeparator, select, utf8, type Node } from './hash-tree.js';
import type { CertifiedNetwork } from './network.js';
import { stateTree } from './state-tree.js';
import { subnetKeys, subnetKeysOf } from './subnet-keys.js';

/** The id of the `number`-th subnet of a network: the principal of its public key. */
export function subnetId(number: number): Uint8Array {
  return subnetKeys(number).id;
}

/** The subnet whose key all certificates go back to. */
export function rootSubnet(subnets: readonly Subnet[]): Subnet {
  return subnets.find(({ kind }) => kind === 'nns') ?? subnets[0]!;
}

/** Public key of a network, DER, 133 bytes. */
export function rootKey(subnets: readonly Subnet[]): Uint8Array {
  return subnetKeysOf(rootSubnet(subnets).id).publicKey;
}

/** Where a delegation shows which canisters its subnet hosts: in one list, or in pieces of it. */
export type RangeForm = 'list' | 'shards';

/**
 * A certificate of a subnet's present state that shows the given paths (CBOR). Subnets other than
 * the root add a delegation.
 */
export function certificate(
  network: CertifiedNetwork,
  subnet: Subnet,
  paths: readonly (readonly Uint8Array[])[],
  ranges: RangeForm = 'list',
): Uint8Array {
  const tree = stateTree(subnet, network);
  const signed = signedTree(tree, subnet, [...paths, [utf8('time')]]);
  const root = rootSubnet(network.subnets);
  if (subnet === root) return encodeWithSelfDescribedTag(signed);
  const delegation = {
    subnet_id: subnet.id,
    certificate: delegationCertificate(network, root, subnet, ranges),
  };
  return encodeWithSelfDescribedTag({ ...signed, delegation });
}

/** The certificate of a canister's certified data, as a query of it sees it. */
export function dataCertificate(
  network: CertifiedNetwork,
  subnet: Subnet,
  canister: Canister,
): Uint8Array {
  return certificate(network, subnet, [[utf8('canister'), canister.id, utf8('certified_data')]]);
}

/** A delegation says what hardly changes: it is signed anew only after so long. */
const DELEGATION_NS = 10_000_000_000n;

interface Delegation {
  readonly subnets: number;
  readonly timeNs: bigint;
  readonly bytes: Uint8Array;
}

const delegations: Readonly<Record<RangeForm, WeakMap<Subnet, Delegation>>> = {
  list: new WeakMap(),
  shards: new WeakMap(),
};

function delegationCertificate(
  network: CertifiedNetwork,
  root: Subnet,
  subnet: Subnet,
  ranges: RangeForm,
): Uint8Array {
  const { timeNs } = network;
  const subnets = network.subnets.length;
  const known = delegations[ranges].get(subnet);
  if (known?.subnets === subnets && timeNs - known.timeNs < DELEGATION_NS) return known.bytes;
  const shown =
    ranges === 'list'
      ? [utf8('subnet'), subnet.id, utf8('canister_ranges')]
      : [utf8('canister_ranges'), subnet.id];
  const tree = stateTree(root, network);
  const bytes = encodeWithSelfDescribedTag(
    signedTree(tree, root, [
      [utf8('subnet'), subnet.id, utf8('public_key')],
      ...(profileOf(network.costs).interface === '2025'
        ? []
        : [[utf8('subnet'), subnet.id, utf8('type')]]),
      shown,
      [utf8('time')],
    ]),
  );
  delegations[ranges].set(subnet, { subnets, timeNs, bytes });
  return bytes;
}

function signedTree(
  tree: Node,
  subnet: Subnet,
  paths: readonly (readonly Uint8Array[])[],
): { tree: unknown; signature: Uint8Array } {
  const message = Buffer.concat([domainSeparator('ic-state-root'), tree.hash]);
  return {
    tree: tree.prune(select(paths)),
    signature: subnetKeysOf(subnet.id).sign(message),
  };
}
