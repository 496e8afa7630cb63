/** Byte strings from so many bytes on are parts of their own, not copied. */
const largeBytes = 4096;
const majorTypes = { unsigned: 0, bytes: 2, text: 3, array: 4, map: 5 } as const;
/** The tag that says: this is CBOR (RFC 8949, 3.4.6). */
const selfDescribed = Uint8Array.of(0xd9, 0xd9, 0xf7);

function head(type: keyof typeof majorTypes, value: number | bigint): Uint8Array {
  const major = majorTypes[type] << 5;
  if (value < 24) return Uint8Array.of(major | Number(value));
  const size = value < 0x100 ? 0 : value < 0x10000 ? 1 : value < 0x100000000 ? 2 : 3;
  const bytes = new Uint8Array(1 + 2 ** size);
  bytes[0] = major | (24 + size);
  for (let rest = BigInt(value), at = bytes.length - 1; at > 0; at--, rest >>= 8n) {
    bytes[at] = Number(rest & 0xffn);
  }
  return bytes;
}

function* write(value: unknown): Generator<Uint8Array> {
  if (typeof value === 'string') {
    const text = new TextEncoder().encode(value);
    yield head('text', text.length);
    yield text;
  } else if (typeof value === 'number' || typeof value === 'bigint') {
    yield head('unsigned', value);
  } else if (value instanceof Uint8Array) {
    yield head('bytes', value.length);
    yield value;
  } else if (Array.isArray(value)) {
    yield head('array', value.length);
    for (const item of value) yield* write(item);
  } else if (typeof value === 'object' && value !== null) {
    const own = value as { toCborValue?: () => unknown; toUint8Array?: () => Uint8Array };
    if (own.toCborValue) yield* write(own.toCborValue());
    else if (own.toUint8Array) yield* write(own.toUint8Array());
    else {
      const fields = Object.entries(value).filter(([, field]) => field !== undefined);
      yield head('map', fields.length);
      for (const [name, field] of fields) {
        yield* write(name);
        yield* write(field);
      }
    }
  } else throw new TypeError(`a request cannot hold a ${typeof value}`);
}

function joined(parts: readonly Uint8Array[]): Uint8Array {
  const out = new Uint8Array(parts.reduce((sum, part) => sum + part.length, 0));
  let at = 0;
  for (const part of parts) {
    out.set(part, at);
    at += part.length;
  }
  return out;
}

/**
 * A request as CBOR, in parts to be sent one after the other. Values are texts, numbers that are not
 * negative, bytes, lists, objects of those, and what agents put into requests.
 */
export function cborParts(request: object): Uint8Array[] {
  const parts: Uint8Array[] = [];
  let small: Uint8Array[] = [selfDescribed];
  for (const piece of write(request)) {
    if (piece.length < largeBytes) {
      small.push(piece);
      continue;
    }
    parts.push(joined(small), piece);
    small = [];
  }
  if (small.length > 0) parts.push(joined(small));
  return parts;
}
