import { createHash } from 'node:crypto';
import { expect, test } from 'vitest';
import { base64 } from './base64.js';
import { certificateExpression, certificationHeaders, certifiedData } from './uncertified.js';

const sha256 = (...parts: (string | Uint8Array)[]): Buffer =>
  parts.reduce((hash, part) => hash.update(part), createHash('sha256')).digest();
/** Hashes of a tree, as the interface specification has them under "Certificate". */
const leaf = (value: string): Buffer => sha256('\x10ic-hashtree-leaf', value);
const labeled = (label: string | Uint8Array, tree: Buffer): Buffer =>
  sha256('\x13ic-hashtree-labeled', label, tree);

test('the certified data is the hash of the tree that says that no page is certified', () => {
  const rule = labeled(sha256(certificateExpression), leaf(''));
  expect(Buffer.from(certifiedData)).toEqual(labeled('http_expr', labeled('<*>', rule)));
});

test('the headers are those of the reference implementation', () => {
  expect(certificationHeaders(Uint8Array.of(1, 2, 3))).toEqual([
    [
      'IC-Certificate',
      'certificate=:AQID:, tree=:2dn3gwJJaHR0cF9leHBygwJDPCo+gwJYIMMautvQsFn51GT9bfTani3Ah659C0BGjTNyJtQTszcjggNA:, ' +
        'expr_path=:2dn3gmlodHRwX2V4cHJjPCo+:, version=2',
    ],
    ['IC-CertificateExpression', 'default_certification(ValidationArgs{no_certification:Empty{}})'],
  ]);
});

test('base 64 of any length is as Node has it', () => {
  for (let length = 0; length < 70; length++) {
    const bytes = Uint8Array.from({ length }, (_, at) => (at * 37 + length * 11) & 0xff);
    expect(base64(bytes)).toBe(Buffer.from(bytes).toString('base64'));
  }
});
