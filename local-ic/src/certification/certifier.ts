import { encodeWithSelfDescribedTag } from '@dfinity/cbor';
import type { Canister, Subnet } from '../state/index.js';
import { domainSeparator, select, utf8, type Node } from './hash-tree.js';
import { stateTree } from './state-tree.js';
import { subnetKeys, subnetKeysOf } from './subnet-keys.js';

/** What certificates are made of. */
export interface CertifiedNetwork {
  /** In order of creation; the first one's key is the root key unless there is an NNS subnet. */
  readonly subnets: readonly Subnet[];
  readonly timeNs: bigint;
}

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

/**
 * A certificate of a subnet's present state that shows the given paths (CBOR). Subnets other than
 * the root add a delegation.
 */
export function certificate(
  network: CertifiedNetwork,
  subnet: Subnet,
  paths: readonly (readonly Uint8Array[])[],
): Uint8Array {
  const tree = stateTree(subnet, network.subnets, network.timeNs);
  const signed = signedTree(tree, subnet, [...paths, [utf8('time')]]);
  const root = rootSubnet(network.subnets);
  if (subnet === root) return encodeWithSelfDescribedTag(signed);
  const delegation = {
    subnet_id: subnet.id,
    certificate: delegationCertificate(network, root, subnet),
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

function delegationCertificate(
  network: CertifiedNetwork,
  root: Subnet,
  subnet: Subnet,
): Uint8Array {
  const tree = stateTree(root, network.subnets, network.timeNs);
  return encodeWithSelfDescribedTag(
    signedTree(tree, root, [
      [utf8('subnet'), subnet.id, utf8('public_key')],
      [utf8('subnet'), subnet.id, utf8('canister_ranges')],
      [utf8('time')],
    ]),
  );
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
