/**
 * How a canister tells HTTP gateways that its pages are not certified: figures change with every request.
 * Specification: HTTP gateway protocol, "Response Verification", version 2.
 */
import { base64 } from './base64.js';

/** The rule of all paths. */
export const certificateExpression =
  'default_certification(ValidationArgs{no_certification:Empty{}})';

/** CBOR, in base 64, of the tree that has an empty leaf at "http_expr", "<*>", the hash of the rule. */
const tree = '2dn3gwJJaHR0cF9leHBygwJDPCo+gwJYIMMautvQsFn51GT9bfTani3Ah659C0BGjTNyJtQTszcjggNA';
/** The same of the path of all pages: "http_expr", "<*>". */
const expressionPath = '2dn3gmlodHRwX2V4cHJjPCo+';

/** Root hash of the tree, to be the canister's certified data; nothing computes hashes here. */
export const certifiedData = Uint8Array.of(
  ...[
    0x55, 0xec, 0xc3, 0x1c, 0x3e, 0x80, 0x47, 0xfc, 0x15, 0x8f, 0x20, 0xea, 0x0a, 0xa0, 0x60, 0x9a,
  ],
  ...[
    0xac, 0xc7, 0xb5, 0x7e, 0x06, 0xea, 0x40, 0xdc, 0x41, 0x86, 0x02, 0x72, 0xa7, 0xd6, 0x42, 0x91,
  ],
);

/** Headers of a page, with what certifies {@link certifiedData}. */
export function certificationHeaders(certificate: Uint8Array): [string, string][] {
  const parts = Object.entries({
    certificate: base64(certificate),
    tree,
    expr_path: expressionPath,
  });
  const encoded = parts.map(([name, text]) => `${name}=:${text}:`);
  return [
    ['IC-Certificate', [...encoded, 'version=2'].join(', ')],
    ['IC-CertificateExpression', certificateExpression],
  ];
}
