/** Principals: opaque ids of 0 to 29 bytes, and their text form (interface specification, "Textual representation of principals"). */

const ALPHABET = 'abcdefghijklmnopqrstuvwxyz234567';
const CRC_TABLE = new Uint32Array(256).map((_, index) => {
  let value = index;
  for (let bit = 0; bit < 8; bit++) value = value & 1 ? (value >>> 1) ^ 0xedb88320 : value >>> 1;
  return value >>> 0;
});

/** CRC-32 checksum (ISO 3309), as principals and ledger accounts carry it. */
export function crc32(bytes: Uint8Array): number {
  let crc = 0xffffffff;
  for (const byte of bytes) crc = (crc >>> 8) ^ CRC_TABLE[(crc ^ byte) & 0xff]!;
  return (crc ^ 0xffffffff) >>> 0;
}

function base32(bytes: Uint8Array): string {
  let text = '';
  let buffer = 0;
  let bits = 0;
  for (const byte of bytes) {
    buffer = ((buffer << 8) | byte) & 0xffff;
    bits += 8;
    while (bits >= 5) {
      bits -= 5;
      text += ALPHABET[(buffer >>> bits) & 31]!;
    }
  }
  if (bits > 0) text += ALPHABET[(buffer << (5 - bits)) & 31]!;
  return text;
}

const texts = new Map<string, string>();

/** Text form of a principal, e.g. `rwlgt-iiaaa-aaaaa-aaaaa-cai`. */
export function principalToText(id: Uint8Array): string {
  const key = idKey(id);
  const known = texts.get(key);
  if (known !== undefined) return known;
  const withChecksum = new Uint8Array(4 + id.length);
  new DataView(withChecksum.buffer).setUint32(0, crc32(id));
  withChecksum.set(id, 4);
  const text = base32(withChecksum).replace(/.{5}(?=.)/g, '$&-');
  if (texts.size > 10_000) texts.clear();
  texts.set(key, text);
  return text;
}

/** Bytes of a principal's text form. Throws RangeError when the text is not one. */
export function principalFromText(text: string): Uint8Array {
  const letters = text.toLowerCase().replaceAll('-', '');
  const bytes: number[] = [];
  let buffer = 0;
  let bits = 0;
  for (const letter of letters) {
    const value = ALPHABET.indexOf(letter);
    if (value < 0)
      throw new RangeError(`principal "${text}" has the letter "${letter}", which base32 has not`);
    buffer = ((buffer << 5) | value) & 0xfff;
    bits += 5;
    if (bits >= 8) {
      bits -= 8;
      bytes.push((buffer >>> bits) & 0xff);
    }
  }
  const id = Uint8Array.from(bytes.slice(4));
  if (bytes.length < 4 || bytes.length > 33 || principalToText(id) !== text) {
    throw new RangeError(`"${text}" is not a principal: its checksum, length or grouping is wrong`);
  }
  return id;
}

const HEX = Array.from({ length: 256 }, (_, byte) => byte.toString(16).padStart(2, '0'));

/** Key of an id for maps and comparisons: its bytes in hex. */
export function idKey(id: Uint8Array): string {
  let key = '';
  for (let index = 0; index < id.length; index++) key += HEX[id[index]!]!;
  return key;
}

/** The `n`-th canister id of the network: 8 bytes big-endian, then 01 01. */
export function canisterIdFromNumber(n: bigint): Uint8Array {
  const id = new Uint8Array(10);
  new DataView(id.buffer).setBigUint64(0, n);
  id[8] = 1;
  id[9] = 1;
  return id;
}

/** Number of a canister id, the inverse of {@link canisterIdFromNumber}; undefined for other principals. */
export function canisterNumber(id: Uint8Array): bigint | undefined {
  if (id.length !== 10 || id[8] !== 1 || id[9] !== 1) return undefined;
  return new DataView(id.buffer, id.byteOffset, 10).getBigUint64(0);
}

/** The management canister, `aaaaa-aa`. */
export const MANAGEMENT_CANISTER = new Uint8Array(0);

/** The anonymous principal, `2vxsx-fae`. */
export const ANONYMOUS = Uint8Array.of(4);

/** Whether two ids are the same bytes. */
export function sameId(left: Uint8Array, right: Uint8Array): boolean {
  if (left.length !== right.length) return false;
  for (let index = 0; index < left.length; index++) if (left[index] !== right[index]) return false;
  return true;
}
