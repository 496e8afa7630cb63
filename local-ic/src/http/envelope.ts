import { createPublicKey, verify, type KeyObject } from 'node:crypto';
import { decode } from '@dfinity/cbor';
import { domainSeparator, selfAuthenticatingId } from '../certification/index.js';
import { principalToText, sameId } from '../principal.js';
import { HttpError } from './body.js';
import { hashOfMap, type Hashable } from './request-id.js';

/** Content of a request to `/api`, as its sender signed it. */
export interface Content {
  readonly request_type: string;
  readonly sender: Uint8Array;
  readonly ingress_expiry: bigint;
  readonly nonce?: Uint8Array;
  readonly canister_id?: Uint8Array;
  readonly method_name?: string;
  readonly arg?: Uint8Array;
  readonly paths?: readonly (readonly Uint8Array[])[];
  /** Attributes of the sender that a canister signs for; part of the request id. */
  readonly sender_info?: unknown;
}

/** A request whose signature was checked. */
export interface Request {
  readonly content: Content;
  readonly id: Uint8Array;
}

interface Delegation {
  readonly delegation: {
    readonly pubkey: Uint8Array;
    readonly expiration: bigint | number;
    readonly targets?: readonly Uint8Array[];
    readonly permissions?: string;
  };
  readonly signature: Uint8Array;
}

/** Requests may expire this long after now, with a minute for clocks that differ. */
const MAX_EXPIRY_NS = 300_000_000_000n;
const CLOCK_DRIFT_NS = 60_000_000_000n;
const MAX_DELEGATIONS = 20;
const ANONYMOUS_TAG = 4;

/**
 * Reads a request and checks who sent it (IC interface specification, "Authentication"). Throws
 * HttpError 400.
 */
export function readRequest(body: Uint8Array, type: string, nowNs: bigint): Request {
  const envelope = decodeEnvelope(body);
  const content = envelope['content'] as (Content & Record<string, unknown>) | undefined;
  if (content === undefined || !(content.sender instanceof Uint8Array)) {
    throw new HttpError(
      400,
      'Could not read the request: the field content or its sender is missing',
    );
  }
  if (content.request_type !== type) {
    throw new HttpError(400, `Unexpected request_type ${content.request_type}, expected ${type}`);
  }
  const ingress_expiry = expiryOf(content);
  const checked = { ...content, ingress_expiry };
  const id = hashOfMap(content as Record<string, Hashable>);
  checkExpiry(checked.ingress_expiry, nowNs);
  checkSender(checked, id, envelope, nowNs);
  return { content: checked, id };
}

/** Small numbers are decoded as numbers. */
function expiryOf({ ingress_expiry: expiry }: Record<string, unknown>): bigint {
  if (typeof expiry === 'bigint' || typeof expiry === 'number') return BigInt(expiry);
  throw new HttpError(400, 'Could not read the request: the field ingress_expiry is missing');
}

function decodeEnvelope(body: Uint8Array): Record<string, unknown> {
  try {
    return decode<Record<string, unknown>>(new Uint8Array(body));
  } catch (error) {
    const reason = error instanceof Error ? error.message : String(error);
    throw new HttpError(400, `Could not parse body as CBOR message: ${reason}`);
  }
}

function checkExpiry(expiry: bigint, nowNs: bigint): void {
  const latest = nowNs + MAX_EXPIRY_NS + CLOCK_DRIFT_NS;
  if (expiry >= nowNs && expiry <= latest) return;
  const time = (ns: bigint): string => new Date(Number(ns / 1_000_000n)).toISOString();
  throw new HttpError(
    400,
    `Invalid request expiry: Specified ingress_expiry not within expected range: Minimum allowed expiry: ${time(nowNs)}, Maximum allowed expiry: ${time(latest)}, Provided expiry: ${time(expiry)}`,
  );
}

function checkSender(
  content: Content,
  id: Uint8Array,
  envelope: Record<string, unknown>,
  nowNs: bigint,
): void {
  const publicKey = envelope['sender_pubkey'] as Uint8Array | undefined;
  const signature = envelope['sender_sig'] as Uint8Array | undefined;
  const { sender } = content;
  if (content.sender_info !== undefined) {
    throw new HttpError(
      400,
      'sender_info needs a sender with a canister signature, which the embedded Internet Computer does not check',
    );
  }
  if (publicKey === undefined || signature === undefined) {
    if (sender.length === 1 && sender[0] === ANONYMOUS_TAG) return;
    throw new HttpError(
      403,
      `Failed to authenticate request 0x${hex(id)} due to: Missing signature from user: ${principalToText(sender)}`,
    );
  }
  if (!sameId(selfAuthenticatingId(publicKey), sender)) {
    throw new HttpError(
      403,
      `Failed to authenticate request 0x${hex(id)} due to: The user id ${principalToText(sender)} does not match the public key ${hex(publicKey)}`,
    );
  }
  let signer = publicKey;
  const delegations = (envelope['sender_delegation'] ?? []) as readonly Delegation[];
  if (delegations.length > MAX_DELEGATIONS) {
    throw new HttpError(400, `more than ${MAX_DELEGATIONS} delegations`);
  }
  for (const { delegation, signature: proof } of delegations) {
    checkDelegation(content, delegation, nowNs);
    const hash = hashOfMap(delegation);
    checkSignature(signer, proof, [domainSeparator('ic-request-auth-delegation'), hash], id);
    signer = delegation.pubkey;
  }
  checkSignature(signer, signature, [domainSeparator('ic-request'), id], id);
}

function checkDelegation(
  content: Content,
  delegation: Delegation['delegation'],
  nowNs: bigint,
): void {
  if (BigInt(delegation.expiration) < nowNs) {
    throw new HttpError(400, 'Invalid delegation expiry: the delegation has expired');
  }
  checkPermissions(content, delegation.permissions);
  const { targets } = delegation;
  const target = content.canister_id;
  if (targets === undefined || target === undefined) return;
  if (!targets.some((allowed) => sameId(allowed, target))) {
    throw new HttpError(
      400,
      `Canister ${principalToText(target)} is not one of the delegation targets.`,
    );
  }
}

/** A delegation for queries makes no calls; one for what is not known makes nothing. */
function checkPermissions(content: Content, permissions: string | undefined): void {
  if (permissions === undefined || permissions === 'all') return;
  if (permissions !== 'queries') {
    throw new HttpError(
      400,
      `Invalid delegation: its permissions are ${JSON.stringify(permissions)}, not "queries" or "all"`,
    );
  }
  if (content.request_type === 'call') {
    throw new HttpError(403, 'The delegation permits queries only, not calls.');
  }
}

function checkSignature(
  publicKey: Uint8Array,
  signature: Uint8Array,
  message: readonly Uint8Array[],
  id: Uint8Array,
): void {
  const bytes = Buffer.concat(message);
  const key = parseKey(publicKey);
  const valid =
    key.asymmetricKeyType === 'ed25519'
      ? verify(null, bytes, key, signature)
      : verify('sha256', bytes, { key, dsaEncoding: 'ieee-p1363' }, signature);
  if (valid) return;
  throw new HttpError(
    403,
    `Failed to authenticate request 0x${hex(id)} due to: Invalid signature: the signature does not fit the public key`,
  );
}

/** Ed25519, or ECDSA on P-256 or secp256k1. Throws HttpError for others. */
function parseKey(der: Uint8Array): KeyObject {
  let key: KeyObject;
  try {
    key = createPublicKey({ key: Buffer.from(der), format: 'der', type: 'spki' });
  } catch {
    throw new HttpError(
      400,
      `Unsupported public key ${hex(der).slice(0, 60)}…: the embedded Internet Computer checks Ed25519 and ECDSA signatures, not WebAuthn or canister signatures`,
    );
  }
  if (key.asymmetricKeyType !== 'ed25519' && key.asymmetricKeyType !== 'ec') {
    throw new HttpError(400, `Unsupported public key of type ${String(key.asymmetricKeyType)}`);
  }
  return key;
}

const hex = (bytes: Uint8Array): string => Buffer.from(bytes).toString('hex');
