/** Reading and writing of the WebAssembly binary format's basic encodings. */

/** A module that ends early or holds an encoding that does not exist. */
export class MalformedModule extends Error {
  override readonly name = 'MalformedModule';
  constructor(
    message: string,
    readonly offset: number,
  ) {
    super(`${message} (at offset 0x${offset.toString(16)})`);
  }
}

const utf8 = new TextDecoder('utf-8', { fatal: true });

/** A cursor over the bytes `[pos, end)`. */
export class Reader {
  constructor(
    readonly bytes: Uint8Array,
    public pos = 0,
    readonly end = bytes.length,
  ) {}

  u8(): number {
    if (this.pos >= this.end) throw new MalformedModule('unexpected end-of-file', this.pos);
    return this.bytes[this.pos++]!;
  }

  /** Unsigned LEB128 of at most 32 bits. */
  u32(): number {
    let byte = this.u8();
    if (byte < 0x80) return byte;
    let result = byte & 0x7f;
    for (let shift = 7; ; shift += 7) {
      byte = this.u8();
      if (shift === 28 && byte > 0x0f) {
        throw new MalformedModule('invalid var_u32: integer too large', this.pos - 1);
      }
      result |= (byte & 0x7f) << shift;
      if (byte < 0x80) return result >>> 0;
    }
  }

  /** Signed LEB128 of at most 33 bits, as block types use it, or 32 bits. */
  s33(): number {
    let result = 0;
    let scale = 1;
    for (let i = 0; i < 5; i++) {
      const byte = this.u8();
      result += (byte & 0x7f) * scale;
      scale *= 128;
      if (byte < 0x80) return byte & 0x40 ? result - scale : result;
    }
    throw new MalformedModule('invalid var_i33: integer representation too long', this.pos - 1);
  }

  /** Signed LEB128 of at most 64 bits. */
  s64(): bigint {
    let result = 0n;
    let shift = 0n;
    for (let i = 0; i < 10; i++) {
      const byte = this.u8();
      result |= BigInt(byte & 0x7f) << shift;
      shift += 7n;
      if (byte < 0x80) return BigInt.asIntN(64, byte & 0x40 ? result - (1n << shift) : result);
    }
    throw new MalformedModule('invalid var_i64: integer representation too long', this.pos - 1);
  }

  /** Unsigned LEB128 of at most 64 bits. */
  u64(): bigint {
    let result = 0n;
    let shift = 0n;
    for (let i = 0; i < 10; i++) {
      const byte = this.u8();
      result |= BigInt(byte & 0x7f) << shift;
      shift += 7n;
      if (byte < 0x80) return result;
    }
    throw new MalformedModule('invalid var_u64: integer representation too long', this.pos - 1);
  }

  /** A length and that many bytes, not copied. */
  sized(): Uint8Array {
    const length = this.u32();
    return this.take(length);
  }

  take(length: number): Uint8Array {
    if (length > this.end - this.pos) {
      throw new MalformedModule('unexpected end-of-file', this.pos);
    }
    const start = this.pos;
    this.pos += length;
    return this.bytes.subarray(start, this.pos);
  }

  name(): string {
    const start = this.pos;
    const bytes = this.sized();
    try {
      return utf8.decode(bytes);
    } catch {
      throw new MalformedModule('malformed UTF-8 encoding', start);
    }
  }
}

/** Bytes that grow as they are written. */
export class Writer {
  bytes: Uint8Array;
  length = 0;

  constructor(capacity = 1024) {
    this.bytes = new Uint8Array(capacity);
  }

  /** Makes room for `count` more bytes. */
  reserve(count: number): void {
    if (this.length + count <= this.bytes.length) return;
    const grown = new Uint8Array(Math.max(this.bytes.length * 2, this.length + count));
    grown.set(this.bytes.subarray(0, this.length));
    this.bytes = grown;
  }

  u8(byte: number): void {
    if (this.length === this.bytes.length) this.reserve(1);
    this.bytes[this.length++] = byte;
  }

  u32(value: number): void {
    let rest = value >>> 0;
    while (rest >= 0x80) {
      this.u8((rest & 0x7f) | 0x80);
      rest >>>= 7;
    }
    this.u8(rest);
  }

  /** Signed LEB128 of a number of up to 53 bits. */
  signed(value: number): void {
    let rest = value;
    for (;;) {
      const byte = ((rest % 128) + 128) % 128;
      rest = Math.floor(rest / 128);
      if ((rest === 0 && byte < 0x40) || (rest === -1 && byte >= 0x40)) {
        this.u8(byte);
        return;
      }
      this.u8(byte | 0x80);
    }
  }

  /** Unsigned LEB128 of a number of up to 53 bits. */
  unsigned(value: number): void {
    let rest = value;
    while (rest >= 0x80) {
      this.u8((rest % 128) | 0x80);
      rest = Math.floor(rest / 128);
    }
    this.u8(rest);
  }

  /** Copies `source[start, end)`. */
  copy(source: Uint8Array, start = 0, end = source.length): void {
    const count = end - start;
    this.reserve(count);
    if (count < 24) {
      for (let i = start; i < end; i++) this.bytes[this.length++] = source[i]!;
    } else {
      this.bytes.set(source.subarray(start, end), this.length);
      this.length += count;
    }
  }

  sized(source: Uint8Array): void {
    this.u32(source.length);
    this.copy(source);
  }

  name(text: string): void {
    this.sized(new TextEncoder().encode(text));
  }

  /** A section: id, size, and what `body` writes. */
  section(id: number, body: (out: Writer) => void): void {
    const content = new Writer();
    body(content);
    this.u8(id);
    this.u32(content.length);
    this.copy(content.bytes, 0, content.length);
  }

  /** What was written so far, not copied. */
  finish(): Uint8Array {
    return this.bytes.subarray(0, this.length);
  }
}
