import { encodeWithSelfDescribedTag } from '@dfinity/cbor';
import { profileOf } from '../costs/index.js';
import { canisterIdFromNumber } from '../principal.js';
import {
  memoryUsage,
  type Canister,
  type CanisterRange,
  type IngressRecord,
  type Subnet,
} from '../state/index.js';
import { leaf, Node, node, utf8, type Tree } from './hash-tree.js';
import type { CertifiedNetwork } from './network.js';
import { subnetKeysOf } from './subnet-keys.js';

/**
 * The state of a subnet that its certificates speak of (IC interface specification, "The system
 * state tree").
 */
export function stateTree(subnet: Subnet, network: CertifiedNetwork): Node {
  const { subnets, timeNs } = network;
  const leaves2026 = profileOf(network.costs).interface === '2026';
  return node({
    api_boundary_nodes: empty,
    canister: canistersTree(subnet, leaves2026),
    canister_ranges: canisterRangesTree(subnets),
    metadata: leaf(encodeWithSelfDescribedTag({ id_counter: subnet.canisters.size })),
    request_status: requestsTree(subnet),
    streams: empty,
    subnet: subnetsTree(subnet, subnets, leaves2026),
    time: leaf(leb128(timeNs)),
  });
}

const empty = new Node([]);

function canistersTree(subnet: Subnet, leaves2026: boolean): Tree {
  return new Node(
    subnet
      .sortedCanisters()
      .map((canister) => ({ label: canister.id, tree: canisterTree(canister, leaves2026) })),
  );
}

function canisterTree(
  { code, certifiedData, settings, createdAt, installedAt }: Canister,
  leaves2026: boolean,
): Tree {
  const time = (ns: bigint | undefined): Tree | undefined =>
    leaves2026 && ns !== undefined ? leaf(leb128(ns)) : undefined;
  return node({
    canister_creation_timestamp: time(createdAt),
    controllers: leaf(encodeWithSelfDescribedTag(settings.controllers)),
    ...(code && {
      certified_data: leaf(certifiedData),
      last_install_timestamp: time(installedAt),
      metadata: metadataTree(code.module),
      module_hash: leaf(code.module.hash),
    }),
  });
}

const metadataTrees = new WeakMap<object, Tree>();

function metadataTree(module: {
  readonly customSections: readonly { name: string; content: Uint8Array }[];
}): Tree {
  let tree = metadataTrees.get(module);
  if (tree === undefined) {
    tree = new Node(
      module.customSections.map(({ name, content }) => ({
        label: utf8(name),
        tree: leaf(content),
      })),
    );
    metadataTrees.set(module, tree);
  }
  return tree;
}

/** Trees of statuses that do not change any more. */
const finalStatuses = new WeakMap<object, Tree>();

function requestsTree(subnet: Subnet): Tree {
  const children = [];
  for (const [, record] of subnet.ingressHistory.entries()) {
    children.push({ label: record.messageId, tree: requestTree(record) });
  }
  return new Node(children);
}

function requestTree({ status }: IngressRecord): Tree {
  let tree = finalStatuses.get(status);
  if (tree !== undefined) return tree;
  switch (status.status) {
    case 'replied':
      tree = node({ reply: leaf(status.reply), status: leaf('replied') });
      break;
    case 'rejected':
      tree = node({
        error_code: leaf(status.error.codeText),
        reject_code: leaf(Uint8Array.of(status.error.rejectCode)),
        reject_message: leaf(status.error.message),
        status: leaf('rejected'),
      });
      break;
    default:
      return node({ status: leaf(status.status) });
  }
  finalStatuses.set(status, tree);
  return tree;
}

function subnetsTree(own: Subnet, subnets: readonly Subnet[], leaves2026: boolean): Tree {
  return new Node(
    subnets.map((subnet) => {
      const keys = subnetKeysOf(subnet.id);
      return {
        label: subnet.id,
        tree: node({
          canister_ranges: leaf(encodeRanges(subnet.ranges)),
          metrics: subnet === own ? leaf(metrics(subnet)) : undefined,
          node: subnet === own ? nodesTree(subnet.id) : undefined,
          public_key: leaf(keys.publicKey),
          type: leaves2026 ? leaf(typeOf(subnet)) : undefined,
        }),
      };
    }),
  );
}

/** What a subnet is for, as its certificate names it. */
function typeOf({ isSystem, kind }: Subnet): string {
  if (isSystem) return 'system';
  return kind === 'verified_application' ? kind : 'application';
}

function nodesTree(subnetId: Uint8Array): Tree {
  return new Node(
    subnetKeysOf(subnetId).nodes.map(({ id, publicKey }) => ({
      label: id,
      tree: node({ public_key: leaf(publicKey) }),
    })),
  );
}

function canisterRangesTree(subnets: readonly Subnet[]): Tree {
  return new Node(
    subnets.map((subnet) => ({
      label: subnet.id,
      tree: new Node(
        subnet.ranges.slice(0, 1).map(({ first }) => ({
          label: canisterIdFromNumber(first),
          tree: leaf(encodeRanges(subnet.ranges)),
        })),
      ),
    })),
  );
}

function encodeRanges(ranges: readonly CanisterRange[]): Uint8Array {
  return encodeWithSelfDescribedTag(
    ranges.map(({ first, last }) => [canisterIdFromNumber(first), canisterIdFromNumber(last)]),
  );
}

/** CBOR map: 0 canisters, 1 bytes of state, 2 consumed cycles (low and high half), 3 update calls. */
function metrics(subnet: Subnet): Uint8Array {
  let bytes = 0;
  let cycles = 0n;
  for (const canister of subnet.canisters.values()) {
    bytes += memoryUsage(canister);
    cycles += canister.consumedCycles;
  }
  const mask = (1n << 64n) - 1n;
  return Uint8Array.from([
    0xd9,
    0xd9,
    0xf7,
    0xa4,
    0,
    ...cborUint(BigInt(subnet.canisters.size)),
    1,
    ...cborUint(BigInt(bytes)),
    2,
    0xa2,
    0,
    ...cborUint(cycles & mask),
    1,
    ...cborUint(cycles >> 64n),
    3,
    ...cborUint(BigInt(subnet.ingressHistory.size)),
  ]);
}

function cborUint(value: bigint): number[] {
  if (value < 24n) return [Number(value)];
  const size = value < 1n << 8n ? 1 : value < 1n << 16n ? 2 : value < 1n << 32n ? 4 : 8;
  const head = 24 + Math.log2(size);
  return [
    head,
    ...Array.from({ length: size }, (_, i) => Number((value >> BigInt(8 * (size - 1 - i))) & 255n)),
  ];
}

/** Unsigned LEB128, as times are written in the state tree. */
export function leb128(value: bigint): Uint8Array {
  const bytes: number[] = [];
  let rest = value;
  do {
    const low = Number(rest & 127n);
    rest >>= 7n;
    bytes.push(rest === 0n ? low : low | 128);
  } while (rest !== 0n);
  return Uint8Array.from(bytes);
}
