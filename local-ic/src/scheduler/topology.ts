import { createHash } from 'node:crypto';
import { Subnet, type CanisterRange, type SubnetKind } from '../state/index.js';

/** Canister ids of a subnet that has no range on mainnet. */
const IDS_PER_SUBNET = 1n << 20n;
const LAST_RANGE = (1n << 64n) / IDS_PER_SUBNET - 2n;

/** Ranges that the subnets of mainnet have (canister numbers, both ends included). */
const MAINNET_RANGES: Partial<Record<SubnetKind, readonly CanisterRange[]>> = {
  nns: [
    { first: 0n, last: 6n },
    { first: 8n, last: 0xfffffn },
  ],
  ii: [
    { first: 7n, last: 7n },
    { first: 0x2100000n, last: 0x21fffffn },
  ],
  sns: [{ first: 0x2000000n, last: 0x20fffffn }],
  bitcoin: [{ first: 0x1a00000n, last: 0x1afffffn }],
  fiduciary: [{ first: 0x2300000n, last: 0x23fffffn }],
};

/** Makes the `index`-th subnet of a network. Ranges count down from the end, as PocketIC's do. */
export function makeSubnet(kind: SubnetKind, index: number, id: Uint8Array): Subnet {
  const offset = (LAST_RANGE - BigInt(index)) * IDS_PER_SUBNET;
  const own = { first: offset, last: offset + IDS_PER_SUBNET - 1n };
  return new Subnet(id, kind, [...(MAINNET_RANGES[kind] ?? []), own], own);
}

/** A subnet id where no keys are at hand: self-authenticating in form. */
export function defaultSubnetId(index: number): Uint8Array {
  const hash = createHash('sha224').update(`canopy local-ic subnet ${index}`).digest();
  return Uint8Array.from([...hash, 2]);
}
