import { Certificate, lookupResultToBuffer } from '@dfinity/agent';
import { decode } from '@dfinity/cbor';
import { Principal } from '@dfinity/principal';
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { canisterIdFromNumber } from '../principal.js';
import { Canister, defaultSettings, Subnet, type SubnetKind } from '../state/index.js';
import {
  certificate,
  leaf,
  lookup,
  Node,
  rootHash,
  rootKey,
  select,
  subnetId,
  utf8,
  type CertifiedNetwork,
  type HashTree,
} from './index.js';

const trees = fc.uniqueArray(
  fc.tuple(fc.uint8Array({ minLength: 1, maxLength: 6 }), fc.uint8Array({ maxLength: 20 })),
  { selector: ([label]) => Buffer.from(label).toString('hex'), maxLength: 40 },
);

describe('hash trees', () => {
  test('pruning keeps the root hash and shows what was asked for, no more', () => {
    fc.assert(
      fc.property(trees, fc.nat(), (entries, pick) => {
        const tree = new Node(entries.map(([label, value]) => ({ label, tree: leaf(value) })));
        const wanted = entries.length === 0 ? utf8('nothing') : entries[pick % entries.length]![0];
        const pruned = tree.prune(select([[wanted]]));
        expect(Buffer.from(rootHash(pruned)).equals(tree.hash)).toBe(true);
        for (const [label, value] of entries) {
          const shown = Buffer.compare(label, wanted) === 0 ? value : undefined;
          expect(lookup(pruned, [label])).toEqual(shown);
        }
      }),
    );
  });

  test('a missing label is proven by its neighbours', () => {
    const tree = new Node(
      ['a', 'c', 'e', 'g'].map((name) => ({ label: utf8(name), tree: leaf(name) })),
    );
    const pruned = tree.prune(select([[utf8('d')]]));
    expect(labels(pruned)).toEqual(['c', 'e']);
    expect(Buffer.from(rootHash(pruned)).equals(tree.hash)).toBe(true);
  });
});

function labels(tree: HashTree): string[] {
  if (tree[0] === 1) return [...labels(tree[1]), ...labels(tree[2])];
  return tree[0] === 2 ? [Buffer.from(tree[1]).toString()] : [];
}

const timeNs = BigInt(Date.now()) * 1_000_000n;

function network(kinds: SubnetKind[]): CertifiedNetwork {
  const subnets = kinds.map((kind, number) => {
    const range = { first: BigInt(number) << 20n, last: (BigInt(number + 1) << 20n) - 1n };
    const subnet = new Subnet(subnetId(number), kind, [range], range);
    const canister = new Canister(
      canisterIdFromNumber(range.first + 5n),
      subnet.key,
      defaultSettings([subnetId(0)]),
      0n,
      0n,
    );
    subnet.canisters.set(canister.key, canister);
    return subnet;
  });
  return { subnets, timeNs, costs: '2026-07' };
}

describe('certificates are accepted by the agent', () => {
  test.each([
    { kinds: ['application'] as SubnetKind[], index: 0 },
    { kinds: ['application', 'application'] as SubnetKind[], index: 1 },
    { kinds: ['application', 'nns'] as SubnetKind[], index: 0 },
  ])('$kinds, subnet $index', async ({ kinds, index }) => {
    const net = network(kinds);
    const subnet = net.subnets[index]!;
    const canister = [...subnet.canisters.values()][0]!;
    const path = [utf8('canister'), canister.id, utf8('controllers')];
    const verified = await Certificate.create({
      certificate: certificate(net, subnet, [path]),
      rootKey: rootKey(net.subnets),
      canisterId: Principal.fromUint8Array(canister.id),
    });
    const controllers = lookupResultToBuffer(verified.lookup_path(path));
    expect(decode(controllers!)).toEqual([subnetId(0)]);
  });

  test('a changed byte is noticed', async () => {
    const net = network(['application']);
    const bytes = certificate(net, net.subnets[0]!, [[utf8('subnet')]]).slice();
    bytes[bytes.length - 60]! ^= 1;
    await expect(
      Certificate.create({
        certificate: bytes,
        rootKey: rootKey(net.subnets),
        canisterId: Principal.fromUint8Array(canisterIdFromNumber(5n)),
      }),
    ).rejects.toThrow();
  });
});
