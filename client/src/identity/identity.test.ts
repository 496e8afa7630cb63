import { createPrivateKey, createPublicKey, generateKeyPairSync, verify } from 'node:crypto';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { requestIdOf as officialId } from '@dfinity/agent';
import { Ed25519KeyIdentity } from '@dfinity/identity';
import { Secp256k1KeyIdentity } from '@dfinity/identity-secp256k1';
import { Ed25519KeyIdentity as Ed25519Of6 } from 'icp-sdk-core-6/identity';
import { Secp256k1KeyIdentity as Secp256k1Of6 } from 'icp-sdk-core-6/identity/secp256k1';
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { identityFromPem, loadIdentity } from './identity.js';
import { requestIdOf } from './request-id.js';

const secret = (byte: number): Uint8Array => Uint8Array.from({ length: 32 }, (_, at) => byte + at);
const pem = (label: string, der: Uint8Array): string =>
  `-----BEGIN ${label}-----\n${Buffer.from(der)
    .toString('base64')
    .replace(/(.{64})/g, '$1\n')}\n-----END ${label}-----\n`;
const hex = (text: string): Buffer => Buffer.from(text, 'hex');

const ed25519Pkcs8 = (key: Uint8Array): string =>
  pem('PRIVATE KEY', Buffer.concat([hex('302e020100300506032b657004220420'), key]));

/** As openssl and dfx write it: SEC1 with the curve, and the public key. */
function secp256k1Sec1(key: Uint8Array): string {
  const der = Buffer.concat([hex('302e0201010420'), key, hex('a00706052b8104000a')]);
  return createPrivateKey({ key: der, format: 'der', type: 'sec1' })
    .export({ format: 'pem', type: 'sec1' })
    .toString();
}

describe('principals are those of the official libraries', () => {
  test('of Ed25519 keys', () => {
    fc.assert(
      fc.property(fc.uint8Array({ minLength: 32, maxLength: 32 }), (key) => {
        const own = identityFromPem(ed25519Pkcs8(key)).getPrincipal().toText();
        expect(own).toBe(Ed25519KeyIdentity.fromSecretKey(key).getPrincipal().toText());
        expect(own).toBe(Ed25519Of6.fromSecretKey(key).getPrincipal().toText());
      }),
      { numRuns: 20 },
    );
  });

  test('of secp256k1 keys, as SEC1 and as PKCS#8', () => {
    fc.assert(
      fc.property(fc.nat(200), (byte) => {
        const key = secret(byte % 200);
        const sec1 = secp256k1Sec1(key);
        const pkcs8 = createPrivateKey(sec1).export({ format: 'pem', type: 'pkcs8' }).toString();
        const official = Secp256k1KeyIdentity.fromSecretKey(key).getPrincipal().toText();
        expect(official).toBe(Secp256k1Of6.fromSecretKey(key).getPrincipal().toText());
        expect(official).toBe(Secp256k1KeyIdentity.fromPem(sec1).getPrincipal().toText());
        const parameters = pem('EC PARAMETERS', hex('06052b8104000a'));
        for (const text of [sec1, pkcs8, parameters + sec1, sec1.replace(/\n/g, '\r\n')]) {
          expect(identityFromPem(text).getPrincipal().toText()).toBe(official);
        }
      }),
      { numRuns: 10 },
    );
  });

  test('of an Ed25519 key with its public key (PKCS#8, version 2)', () => {
    const key = secret(7);
    const own = identityFromPem(ed25519Pkcs8(key));
    const publicKey = own.getPublicKey().toDer().slice(12);
    const parts = [hex('3051020101300506032b657004220420'), key, hex('812100'), publicKey];
    const second = identityFromPem(pem('PRIVATE KEY', Buffer.concat(parts)));
    expect(second.getPrincipal().toText()).toBe(own.getPrincipal().toText());
  });
});

test.each(['ed25519', 'secp256k1'] as const)('%s signatures are valid', async (kind) => {
  const text = kind === 'ed25519' ? ed25519Pkcs8(secret(1)) : secp256k1Sec1(secret(1));
  const identity = identityFromPem(text);
  const message = Buffer.from('message');
  const signature = await identity.sign(message);
  expect(signature).toHaveLength(64);
  const key = createPublicKey({
    key: Buffer.from(identity.getPublicKey().toDer()),
    format: 'der',
    type: 'spki',
  });
  const how = kind === 'ed25519' ? key : { key, dsaEncoding: 'ieee-p1363' as const };
  expect(verify(kind === 'ed25519' ? null : 'sha256', message, how, signature)).toBe(true);
  expect(JSON.stringify(identity)).toBe(`{"principal":"${identity.getPrincipal().toText()}"}`);
});

test('request ids are those of the official library', () => {
  const value = fc.oneof(
    fc.string(),
    fc.nat(),
    fc.bigInt({ min: 0n, max: 1n << 64n }),
    fc.uint8Array(),
  );
  const request = fc.dictionary(
    fc.string(),
    fc.oneof(value, fc.array(value), fc.constant(undefined)),
  );
  fc.assert(
    fc.property(request, (fields) => {
      expect(requestIdOf({ ...fields })).toEqual(officialId({ ...fields }));
    }),
  );
});

describe('what is no usable key is refused with what it is', () => {
  const p256 = generateKeyPairSync('ec', { namedCurve: 'prime256v1' }).privateKey;
  const rsa = generateKeyPairSync('rsa', { modulusLength: 1024 }).privateKey;
  const encrypted = createPrivateKey(secp256k1Sec1(secret(1)));
  const cases: [string, string, RegExp][] = [
    ['a P-256 key', p256.export({ format: 'pem', type: 'pkcs8' }).toString(), /is a P-256 key/],
    [
      'a P-256 key as SEC1',
      p256.export({ format: 'pem', type: 'sec1' }).toString(),
      /is a P-256 key/,
    ],
    ['an RSA key', rsa.export({ format: 'pem', type: 'pkcs8' }).toString(), /is an RSA key/],
    [
      'an old RSA key',
      rsa.export({ format: 'pem', type: 'pkcs1' }).toString(),
      /"RSA PRIVATE KEY"/,
    ],
    [
      'an encrypted key',
      encrypted
        .export({ format: 'pem', type: 'pkcs8', cipher: 'aes-256-cbc', passphrase: 'x' })
        .toString(),
      /is encrypted: export it .*icp identity export NAME/,
    ],
    [
      'an old encrypted key',
      encrypted
        .export({ format: 'pem', type: 'sec1', cipher: 'aes-256-cbc', passphrase: 'x' })
        .toString(),
      /is encrypted: export it/,
    ],
    [
      'a public key',
      createPublicKey(p256).export({ format: 'pem', type: 'spki' }).toString(),
      /holds "PUBLIC KEY"/,
    ],
    ['nothing', '', /no PEM key.*identity\.pem\.encrypted/],
    ['a short key', ed25519Pkcs8(secret(1).slice(1)), /damaged|31 bytes/],
    ['no base64', '-----BEGIN PRIVATE KEY-----\n***\n-----END PRIVATE KEY-----', /not base64/],
    ['zeros', secp256k1Pkcs8Of(new Uint8Array(32)), /secp256k1 key is none/],
  ];
  test.each(cases)('%s', (_, text, reason) => {
    expect(() => identityFromPem(text)).toThrow(reason);
    try {
      identityFromPem(text);
    } catch (error) {
      expect(error).toMatchObject({ name: 'CanopyError', code: 'bad-identity', retryable: false });
    }
  });

  test('however a key is cut or changed', () => {
    const der = Buffer.from(secp256k1Sec1(secret(3)).split('\n').slice(1, -2).join(''), 'base64');
    fc.assert(
      fc.property(fc.nat(der.length), fc.nat(der.length - 1), fc.nat(255), (length, at, byte) => {
        const changed = Buffer.from(der.subarray(0, length));
        if (at < length) changed[at] = byte;
        try {
          identityFromPem(pem('EC PRIVATE KEY', changed));
        } catch (error) {
          expect(error).toMatchObject({ code: 'bad-identity' });
        }
      }),
    );
  });
});

function secp256k1Pkcs8Of(key: Uint8Array): string {
  const sec1 = Buffer.concat([hex('30250201010420'), key]);
  const algorithm = hex('301006072a8648ce3d020106052b8104000a');
  const octets = Buffer.concat([Buffer.from([4, sec1.length]), sec1]);
  const body = Buffer.concat([hex('020100'), algorithm, octets]);
  return pem('PRIVATE KEY', Buffer.concat([Buffer.from([0x30, body.length]), body]));
}

test('a file is loaded; one that is not there, or no key, is named', async () => {
  const folder = mkdtempSync(join(tmpdir(), 'canopy-identity-'));
  try {
    const file = join(folder, 'key.pem');
    writeFileSync(file, secp256k1Sec1(secret(9)));
    const loaded = await loadIdentity(file);
    const official = Secp256k1KeyIdentity.fromSecretKey(secret(9)).getPrincipal().toText();
    expect(loaded.getPrincipal().toText()).toBe(official);
    const missing = join(folder, 'none.pem');
    await expect(loadIdentity(missing)).rejects.toThrow(missing);
    writeFileSync(
      file,
      Uint8Array.from({ length: 200 }, (_, index) => index * 7),
    );
    await expect(loadIdentity(file)).rejects.toThrow(`${file}: identity: there is no PEM key`);
  } finally {
    rmSync(folder, { recursive: true });
  }
});
