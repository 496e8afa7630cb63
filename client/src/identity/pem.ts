import { CanopyError, firstLine } from '../errors.js';
import { Tag, contentOf, derValues, oidText } from './der.js';

/** A private key as a PEM text holds it. */
export interface SecretKey {
  kind: 'ed25519' | 'secp256k1';
  /** 32 bytes. */
  secret: Uint8Array;
}

const oids = {
  ed25519: '1.3.101.112',
  ecPublicKey: '1.2.840.10045.2.1',
  secp256k1: '1.3.132.0.10',
} as const;
const otherKeys: Readonly<Record<string, string>> = {
  '1.2.840.10045.3.1.7': 'a P-256 key',
  '1.3.132.0.34': 'a P-384 key',
  '1.2.840.113549.1.1.1': 'an RSA key',
  '1.3.101.110': 'an X25519 key',
};
const wanted = 'an Ed25519 or secp256k1 key is needed';
const secretBytes = 32;

function refuse(reason: string, cause?: unknown): never {
  throw new CanopyError('bad-identity', `identity: ${reason}`, false, { cause });
}

const exportAdvice =
  'export it without a password first ("icp identity export NAME > key.pem", or "dfx identity export ' +
  'NAME > key.pem"), and delete the file afterwards';

interface Block {
  label: string;
  headers: string;
  der: Uint8Array;
}

function blocksOf(text: string): Block[] {
  const pattern = /-----BEGIN ([A-Z0-9 ]+)-----\r?\n([^-]*)-----END \1-----/g;
  return [...text.matchAll(pattern)].map(([, label, body]) => {
    const headers = /^(?:[\w-]+: [^\n]*\n)*/.exec(body!)![0];
    const base64 = body!.slice(headers.length).replace(/\s+/g, '');
    let binary: string;
    try {
      binary = atob(base64);
    } catch (error) {
      refuse(`the "${label!}" is not base64`, error);
    }
    return { label: label!, headers, der: Uint8Array.from(binary, (one) => one.charCodeAt(0)) };
  });
}

/**
 * The private key in a PEM text: PKCS#8 (`PRIVATE KEY`), or SEC1 (`EC PRIVATE KEY`), as dfx and icp-cli
 * write them. Throws `bad-identity` with what the text is instead.
 */
export function readPem(text: string): SecretKey {
  const blocks = blocksOf(text);
  const key = blocks.find(({ label }) => label.endsWith('PRIVATE KEY'));
  if (key === undefined) {
    const labels = blocks.map(({ label }) => `"${label}"`).join(', ');
    refuse(
      labels === ''
        ? `there is no PEM key in it; ${wanted}. An "identity.pem.encrypted" of dfx is encrypted: ${exportAdvice}`
        : `it holds ${labels} and no private key; ${wanted}`,
    );
  }
  if (key.label === 'ENCRYPTED PRIVATE KEY' || key.headers.includes('ENCRYPTED')) {
    refuse(`the key is encrypted: ${exportAdvice}`);
  }
  try {
    if (key.label === 'PRIVATE KEY') return readPkcs8(key.der);
    if (key.label === 'EC PRIVATE KEY') {
      const parameters = blocks.find(({ label }) => label === 'EC PARAMETERS');
      return readSec1(key.der, parameters && oidOf(parameters.der));
    }
  } catch (error) {
    if (error instanceof CanopyError) throw error;
    refuse(`the "${key.label}" is damaged (${firstLine(error)})`, error);
  }
  refuse(`it holds "${key.label}"; ${wanted}, as "PRIVATE KEY" or "EC PRIVATE KEY"`);
}

function oidOf(der: Uint8Array): string {
  return oidText(contentOf(derValues(der)[0], Tag.oid));
}

/** RFC 5958: version, algorithm with its parameters, the key within octets. */
function readPkcs8(der: Uint8Array): SecretKey {
  const [, algorithm, key] = derValues(contentOf(derValues(der)[0], Tag.sequence));
  const [name, parameter] = derValues(contentOf(algorithm, Tag.sequence));
  const octets = contentOf(key, Tag.octets);
  const oid = oidText(contentOf(name, Tag.oid));
  if (oid === oids.ed25519) {
    return keyOf('ed25519', contentOf(derValues(octets)[0], Tag.octets));
  }
  if (oid !== oids.ecPublicKey) refuseKind(oid);
  return readSec1(octets, oidText(contentOf(parameter, Tag.oid)));
}

/** RFC 5915: version, the key, and the curve as `[0]` where it is not told elsewhere. */
function readSec1(der: Uint8Array, curve?: string): SecretKey {
  const [, key, parameters] = derValues(contentOf(derValues(der)[0], Tag.sequence));
  const named = parameters?.tag === Tag.context0 ? oidOf(parameters.content) : curve;
  if (named === undefined) refuse(`the key does not say of which curve it is; ${wanted}`);
  if (named !== oids.secp256k1) refuseKind(named);
  return keyOf('secp256k1', contentOf(key, Tag.octets));
}

function refuseKind(oid: string): never {
  refuse(`it is ${otherKeys[oid] ?? `a key of kind ${oid}`}; ${wanted}`);
}

function keyOf(kind: SecretKey['kind'], secret: Uint8Array): SecretKey {
  if (secret.length !== secretBytes) {
    refuse(`the ${kind} key has ${secret.length} bytes, not ${secretBytes}`);
  }
  return { kind, secret };
}
