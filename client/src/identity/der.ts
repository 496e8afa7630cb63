/** Reading DER (ITU-T X.690), as far as private keys need it. */

export const Tag = {
  integer: 0x02,
  octets: 0x04,
  oid: 0x06,
  sequence: 0x30,
  /** Context-specific, constructed: `[0]`. */
  context0: 0xa0,
} as const;

export interface DerValue {
  tag: number;
  /** A view. */
  content: Uint8Array;
}

/** The values that stand one after the other in `bytes`. Throws where they are cut short. */
export function derValues(bytes: Uint8Array): DerValue[] {
  const values: DerValue[] = [];
  for (let at = 0; at < bytes.length;) {
    const tag = bytes[at++]!;
    let length = bytes[at++];
    if (length !== undefined && length >= 0x80) {
      const count = length & 0x7f;
      length = count >= 1 && count <= 3 ? 0 : undefined;
      for (let digit = 0; digit < count && length !== undefined; digit++) {
        const byte = bytes[at++];
        length = byte === undefined ? undefined : length * 256 + byte;
      }
    }
    if (length === undefined || at + length > bytes.length)
      throw new RangeError('DER is cut short');
    values.push({ tag, content: bytes.subarray(at, at + length) });
    at += length;
  }
  return values;
}

/** The content of a value, if it has this tag. Throws where it has another, or is not there. */
export function contentOf(value: DerValue | undefined, tag: number): Uint8Array {
  if (value?.tag !== tag) {
    throw new RangeError(
      `DER: expected tag ${tag}, found ${value === undefined ? 'nothing' : value.tag}`,
    );
  }
  return value.content;
}

/** An object identifier in its dotted form. */
export function oidText(content: Uint8Array): string {
  const parts: number[] = [];
  let part = 0;
  for (const byte of content) {
    part = part * 128 + (byte & 0x7f);
    if (byte >= 0x80) continue;
    const first = parts.length === 0 ? Math.min(2, Math.floor(part / 40)) : undefined;
    if (first === undefined) parts.push(part);
    else parts.push(first, part - 40 * first);
    part = 0;
  }
  return parts.join('.');
}
