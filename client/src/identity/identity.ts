import { Principal } from '@dfinity/principal';
import { ed25519 } from '@noble/curves/ed25519';
import { secp256k1 } from '@noble/curves/secp256k1';
import { sha256 } from '@noble/hashes/sha2';
import { concatBytes, utf8ToBytes } from '@noble/hashes/utils';
import { CanopyError, firstLine } from '../errors.js';
import { fromHex } from '../sha256.js';
import type { IdentityLike } from '../transport/agent-shape.js';
import { readPem, type SecretKey } from './pem.js';
import { requestIdOf } from './request-id.js';

/** What a key does: its public key as DER, and signatures as the IC takes them. */
interface Scheme {
  publicKey(secret: Uint8Array): Uint8Array;
  sign(message: Uint8Array, secret: Uint8Array): Uint8Array;
}

/** What stands before a public key in DER (RFC 8410, RFC 5480). */
const ed25519Header = fromHex('302a300506032b6570032100');
const secp256k1Header = fromHex('3056301006072a8648ce3d020106052b8104000a034200');

const schemes: Record<SecretKey['kind'], Scheme> = {
  ed25519: {
    publicKey: (secret) => concatBytes(ed25519Header, ed25519.getPublicKey(secret)),
    sign: (message, secret) => ed25519.sign(message, secret),
  },
  secp256k1: {
    publicKey: (secret) => concatBytes(secp256k1Header, secp256k1.getPublicKey(secret, false)),
    sign: (message, secret) => secp256k1.sign(sha256(message), secret).toBytes('compact'),
  },
};

const requestDomain = concatBytes(Uint8Array.of(10), utf8ToBytes('ic-request'));

/** Who signs calls by a private key. Agents of every release that this package knows take it. */
export class KeyIdentity implements IdentityLike {
  private readonly publicKey: Uint8Array;
  private readonly principal: Principal;
  private readonly scheme: Scheme;

  constructor(private readonly key: SecretKey) {
    this.scheme = schemes[key.kind];
    this.publicKey = this.scheme.publicKey(key.secret);
    this.principal = Principal.selfAuthenticating(this.publicKey);
  }

  getPrincipal(): Principal {
    return this.principal;
  }

  /** The public key; agents ask it for its DER. */
  getPublicKey(): { toDer(): Uint8Array } {
    return { toDer: () => this.publicKey };
  }

  sign(message: Uint8Array): Promise<Uint8Array> {
    return Promise.resolve(this.scheme.sign(message, this.key.secret));
  }

  /** Signs an agent's request. */
  async transformRequest({ body, ...fields }: { body: object }): Promise<unknown> {
    return { ...fields, body: await this.signRequest(body, requestIdOf(body)) };
  }

  /** A request whose id is known, with its signature. */
  async signRequest(content: object, id: Uint8Array): Promise<object> {
    const signature = await this.sign(concatBytes(requestDomain, id));
    return { content, sender_pubkey: this.publicKey, sender_sig: signature };
  }

  /** Says who it is, never the key. */
  toJSON(): { principal: string } {
    return { principal: this.principal.toText() };
  }
}

/**
 * An identity of a PEM text: an Ed25519 or secp256k1 key as PKCS#8 or SEC1, as dfx and icp-cli export
 * them. Throws `bad-identity` with what the text is instead, or how to export one that is encrypted.
 */
export function identityFromPem(text: string): KeyIdentity {
  const key = readPem(text);
  try {
    return new KeyIdentity(key);
  } catch (error) {
    const reason = `identity: the ${key.kind} key is none (${firstLine(error)})`;
    throw new CanopyError('bad-identity', reason, false, { cause: error });
  }
}

/** {@link identityFromPem} of a file; in Node only. */
export async function loadIdentity(file: string): Promise<KeyIdentity> {
  const { readFile } = await import('node:fs/promises');
  let text: string;
  try {
    text = await readFile(file, 'latin1');
  } catch (error) {
    const reason = `identity: ${file} cannot be read (${firstLine(error)})`;
    throw new CanopyError('bad-identity', reason, false, { cause: error });
  }
  try {
    return identityFromPem(text);
  } catch (error) {
    if (!(error instanceof CanopyError)) throw error;
    throw new CanopyError(error.code, `${file}: ${error.message}`, false, { cause: error.cause });
  }
}
