import { createHash, createPrivateKey, createPublicKey, sign, type KeyObject } from 'node:crypto';
import { bls12_381 } from '@noble/curves/bls12-381';
import { idKey } from '../principal.js';

/** DER head of a BLS12-381 public key in G2, as the IC writes its subnet keys; 96 bytes follow. */
const BLS_DER_PREFIX = Buffer.from(
  '308182301d060d2b0601040182dc7c0503010201060c2b0601040182dc7c05030201036100',
  'hex',
);
const ED25519_PKCS8_PREFIX = Buffer.from('302e020100300506032b657004220420', 'hex');
/** Nodes of every subnet; each has a key that signs answers to queries. */
export const NODES_PER_SUBNET = 13;

/** A node with its Ed25519 key. */
export interface NodeKey {
  readonly id: Uint8Array;
  /** DER, 44 bytes. */
  readonly publicKey: Uint8Array;
  sign(message: Uint8Array): Uint8Array;
}

/** Keys of one subnet. They follow from its number, so that ids are the same in every run. */
export interface SubnetKeys {
  readonly id: Uint8Array;
  /** DER of the key that signs the subnet's certificates, 133 bytes. */
  readonly publicKey: Uint8Array;
  /** Nodes by id. */
  readonly nodes: readonly NodeKey[];
  /** BLS signature, 48 bytes. */
  sign(message: Uint8Array): Uint8Array;
}

const { shortSignatures } = bls12_381;
const byNumber = new Map<number, SubnetKeys>();
const byId = new Map<string, SubnetKeys>();

/** Keys of the subnet that was created as the `number`-th of its network, counted from 0. */
export function subnetKeys(number: number): SubnetKeys {
  let keys = byNumber.get(number);
  if (keys === undefined) {
    keys = deriveKeys(number);
    byNumber.set(number, keys);
    byId.set(idKey(keys.id), keys);
  }
  return keys;
}

/** Keys of a subnet by its id. Throws RangeError for an id that {@link subnetKeys} never gave. */
export function subnetKeysOf(id: Uint8Array): SubnetKeys {
  const keys = byId.get(idKey(id));
  if (keys === undefined) throw new RangeError(`no keys for subnet ${idKey(id)}`);
  return keys;
}

/** 32 bytes from which all keys of a subnet follow. */
export function subnetSeed(number: number): Uint8Array {
  return sha256(`canopy local-ic subnet ${number}`);
}

/** The principal of a public key: SHA-224 of its DER, then 02. */
export function selfAuthenticatingId(publicKey: Uint8Array): Uint8Array {
  return Uint8Array.of(...createHash('sha224').update(publicKey).digest(), 2);
}

function deriveKeys(number: number): SubnetKeys {
  const seed = subnetSeed(number);
  const order = bls12_381.fields.Fr.ORDER;
  const scalar = BigInt(`0x${Buffer.from(seed).toString('hex')}`) % order;
  const secret = scalar === 0n ? 1n : scalar;
  const publicKey = new Uint8Array([
    ...BLS_DER_PREFIX,
    ...shortSignatures.getPublicKey(secret).toBytes(),
  ]);
  let nodes: NodeKey[] | undefined;
  return {
    id: selfAuthenticatingId(publicKey),
    publicKey,
    get nodes() {
      nodes ??= Array.from({ length: NODES_PER_SUBNET }, (_, node) => nodeKey(seed, node)).sort(
        (a, b) => Buffer.compare(a.id, b.id),
      );
      return nodes;
    },
    sign: (message) => shortSignatures.sign(shortSignatures.hash(message), secret).toBytes(),
  };
}

function nodeKey(seed: Uint8Array, node: number): NodeKey {
  const secret = sha256(`${Buffer.from(seed).toString('hex')} node ${node}`);
  const key: KeyObject = createPrivateKey({
    key: Buffer.concat([ED25519_PKCS8_PREFIX, secret]),
    format: 'der',
    type: 'pkcs8',
  });
  const publicKey = new Uint8Array(createPublicKey(key).export({ format: 'der', type: 'spki' }));
  return {
    id: selfAuthenticatingId(publicKey),
    publicKey,
    sign: (message) => new Uint8Array(sign(null, message, key)),
  };
}

function sha256(text: string): Uint8Array {
  return new Uint8Array(createHash('sha256').update(text).digest());
}
