const digits = 'ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/';

/** Bytes in base 64 (RFC 4648), with padding; the canister's JavaScript has no function for it. */
export function base64(bytes: Uint8Array): string {
  let text = '';
  for (let at = 0; at < bytes.length; at += 3) {
    const [first, second = 0, third = 0] = bytes.subarray(at, at + 3);
    const bits = (first! << 16) | (second << 8) | third;
    text += digits[bits >> 18]! + digits[(bits >> 12) & 63]!;
    text += at + 1 < bytes.length ? digits[(bits >> 6) & 63]! : '=';
    text += at + 2 < bytes.length ? digits[bits & 63]! : '=';
  }
  return text;
}
