import { ProtocolError } from './error.js';

const utf8 = new TextEncoder();
const fromUtf8 = new TextDecoder('utf-8', { fatal: true });

/** Throws because a number would lose bits in its field. */
function refuse(value: number | bigint, bits: number, field = 'a field'): never {
  throw new ProtocolError(
    'bad-value',
    `${field}: ${value} is no whole number from 0 to ${2n ** BigInt(bits) - 1n}, which its ${bits} bits hold`,
  );
}

/**
 * Writes little-endian fields one after the other into a growing buffer. A number that its field does
 * not hold throws a {@link ProtocolError}.
 */
export class ByteWriter {
  private buffer = new Uint8Array(256);
  private view = new DataView(this.buffer.buffer);
  /** Bytes written so far. */
  length = 0;

  private reserve(bytes: number): number {
    const start = this.length;
    const needed = start + bytes;
    if (needed > this.buffer.length) {
      const grown = new Uint8Array(Math.max(needed, this.buffer.length * 2));
      grown.set(this.buffer.subarray(0, start));
      this.buffer = grown;
      this.view = new DataView(grown.buffer);
    }
    this.length = needed;
    return start;
  }

  /** @param field names the number, for the error where it does not fit */
  u8(value: number, field?: string): this {
    if (value !== (value & 0xff)) refuse(value, 8, field);
    const at = this.reserve(1);
    this.view.setUint8(at, value);
    return this;
  }
  u16(value: number, field?: string): this {
    if (value !== (value & 0xffff)) refuse(value, 16, field);
    const at = this.reserve(2);
    this.view.setUint16(at, value, true);
    return this;
  }
  u32(value: number, field?: string): this {
    if (value !== value >>> 0) refuse(value, 32, field);
    const at = this.reserve(4);
    this.view.setUint32(at, value, true);
    return this;
  }
  f32(value: number): this {
    const at = this.reserve(4);
    this.view.setFloat32(at, value, true);
    return this;
  }
  u64(value: bigint, field?: string): this {
    if (value !== BigInt.asUintN(64, value)) refuse(value, 64, field);
    const at = this.reserve(8);
    this.view.setBigUint64(at, value, true);
    return this;
  }
  bytes(value: Uint8Array): this {
    const at = this.reserve(value.length);
    this.buffer.set(value, at);
    return this;
  }
  /** Bytes of which there are always so many: hashes. */
  exactly(length: number, value: Uint8Array, field: string): this {
    if (value.length === length) return this.bytes(value);
    throw new ProtocolError('bad-value', `${field} takes ${length} bytes, given ${value.length}`);
  }
  /** A byte for the length, then the bytes: principals (at most 29 bytes). */
  shortBytes(value: Uint8Array, field = 'bytes'): this {
    return this.u8(value.length, `length of ${field}`).bytes(value);
  }
  /** A u32 for the length in bytes, then UTF-8. */
  text(value: string): this {
    const encoded = utf8.encode(value);
    return this.u32(encoded.length, 'length of a text').bytes(encoded);
  }
  /** Zeros up to the next multiple of `unit`. */
  align(unit: number): this {
    const rest = this.length % unit;
    if (rest !== 0) this.reserve(unit - rest);
    return this;
  }
  /** The bytes written, not a copy. */
  finish(): Uint8Array {
    return this.buffer.subarray(0, this.length);
  }
}

/** Reads little-endian fields; every read past the end throws a {@link ProtocolError}. */
export class ByteReader {
  private readonly view: DataView;
  offset = 0;

  /** @param what names the thing read, for error texts */
  constructor(
    private readonly buffer: Uint8Array,
    private readonly what: string,
  ) {
    this.view = new DataView(buffer.buffer, buffer.byteOffset, buffer.byteLength);
  }

  private take(bytes: number): number {
    const at = this.offset;
    if (bytes < 0 || at + bytes > this.buffer.length) {
      throw new ProtocolError(
        'truncated',
        `${this.what}: ${bytes} bytes wanted at offset ${at}, but it ends at ${this.buffer.length}`,
      );
    }
    this.offset = at + bytes;
    return at;
  }

  get remaining(): number {
    return this.buffer.length - this.offset;
  }
  u8(): number {
    return this.view.getUint8(this.take(1));
  }
  u16(): number {
    return this.view.getUint16(this.take(2), true);
  }
  u32(): number {
    return this.view.getUint32(this.take(4), true);
  }
  f32(): number {
    return this.view.getFloat32(this.take(4), true);
  }
  u64(): bigint {
    return this.view.getBigUint64(this.take(8), true);
  }
  /** A view of the next bytes, not a copy. */
  bytes(length: number): Uint8Array {
    const at = this.take(length);
    return this.buffer.subarray(at, at + length);
  }
  shortBytes(): Uint8Array {
    return this.bytes(this.u8());
  }
  text(): string {
    return this.utf8(this.u32());
  }
  /** UTF-8 of a known length in bytes. */
  utf8(length: number): string {
    const bytes = this.bytes(length);
    try {
      return fromUtf8.decode(bytes);
    } catch {
      throw new ProtocolError('bad-value', `${this.what}: text at ${this.offset} is not UTF-8`);
    }
  }
  align(unit: number): void {
    const rest = this.offset % unit;
    if (rest !== 0) this.take(unit - rest);
  }
}
