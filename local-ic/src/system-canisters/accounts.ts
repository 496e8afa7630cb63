import { createHash } from 'node:crypto';
import { blob, opt, principal, record, type ValueOf } from '../management/candid/index.js';
import { ANONYMOUS, crc32, idKey, sameId } from '../principal.js';
import { trap } from './methods.js';

/** An account of a ledger (ICRC-1). */
export const accountType = record({ owner: principal, subaccount: opt(blob) });
export type Account = ValueOf<typeof accountType>;

const SUBACCOUNT_BYTES = 32;
const SELF_AUTHENTICATING_TAG = 2;

/** Who holds tokens. */
export interface Holder {
  /** Tells holders apart. */
  readonly key: string;
  /** Whether it has a balance from the start: the default accounts of people do. */
  readonly endowed: boolean;
}

/** The subaccount's 32 bytes; zeros for the default one. Ends the call for others. */
export function subaccountBytes(subaccount: Uint8Array | undefined): Uint8Array {
  if (subaccount === undefined) return new Uint8Array(SUBACCOUNT_BYTES);
  if (subaccount.length === SUBACCOUNT_BYTES) return subaccount;
  throw trap(`a subaccount has ${SUBACCOUNT_BYTES} bytes, not ${subaccount.length}`);
}

/** The holder behind an account, told apart by its account identifier. */
export function holderOf({ owner, subaccount }: Account): Holder {
  const bytes = subaccountBytes(subaccount);
  const isDefault = bytes.every((byte) => byte === 0);
  return { key: idKey(accountIdentifier(owner, bytes)), endowed: isDefault && isPerson(owner) };
}

/** Whether a principal has a key of its own, or is anonymous: canisters start with nothing. */
function isPerson(owner: Uint8Array): boolean {
  return owner.at(-1) === SELF_AUTHENTICATING_TAG || sameId(owner, ANONYMOUS);
}

/** The ICP ledger's name of an account: a checksum of 4 bytes, then a hash of 28. */
export function accountIdentifier(
  owner: Uint8Array,
  subaccount: Uint8Array = new Uint8Array(SUBACCOUNT_BYTES),
): Uint8Array {
  const hash = createHash('sha224')
    .update(Uint8Array.of(0x0a))
    .update('account-id')
    .update(owner)
    .update(subaccount)
    .digest();
  const identifier = new Uint8Array(SUBACCOUNT_BYTES);
  new DataView(identifier.buffer).setUint32(0, crc32(hash));
  identifier.set(hash, 4);
  return identifier;
}

/** The subaccount of the cycles minting canister that stands for a principal: its length, then its bytes. */
export function subaccountOfPrincipal(id: Uint8Array): Uint8Array {
  const subaccount = new Uint8Array(SUBACCOUNT_BYTES);
  subaccount[0] = id.length;
  subaccount.set(id, 1);
  return subaccount;
}
