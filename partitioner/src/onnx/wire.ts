import { closeSync, fstatSync, openSync, readSync } from 'node:fs';
import { PartitionError } from '../error.js';

/**
 * Protocol buffer wire format, read from a file of any size through a small window. Payloads of
 * tensors are skipped and remembered by their place, which is why this is not a protobuf library:
 * those hold the whole message in memory and stop at 2 GB.
 * Source: protobuf.dev/programming-guides/encoding.
 */
export const WireType = { varint: 0, fixed64: 1, bytes: 2, fixed32: 5 } as const;

/** Bytes that are no message of this format: not an ONNX file, or cut short. */
export class MalformedFile extends PartitionError {
  constructor(message: string) {
    super('bad-model', message);
  }
}

const windowBytes = 1 << 16;
const utf8 = new TextDecoder();

/** A file open for reading at any offset; small reads come from a window kept in memory. */
export class WireFile {
  private readonly file: number;
  readonly size: number;
  private window = new Uint8Array(0);
  private windowStart = 0;

  constructor(readonly path: string) {
    try {
      this.file = openSync(path, 'r');
    } catch (error) {
      throw new PartitionError('bad-model', `cannot open ${path}: ${(error as Error).message}`);
    }
    this.size = fstatSync(this.file).size;
  }

  close(): void {
    closeSync(this.file);
  }

  /** Bytes `[start, end)`. */
  bytes(start: number, end: number): Uint8Array {
    if (end > this.size) {
      throw new MalformedFile(
        `${this.path} is ${this.size} bytes long but a field ends at ${end}: not an ONNX file, or cut short`,
      );
    }
    const from = start - this.windowStart;
    if (from >= 0 && end - this.windowStart <= this.window.length) {
      return this.window.subarray(from, end - this.windowStart);
    }
    if (end - start > windowBytes) {
      const out = new Uint8Array(end - start);
      this.fill(out, start);
      return out;
    }
    this.window = new Uint8Array(Math.min(windowBytes, this.size - start));
    this.windowStart = start;
    this.fill(this.window, start);
    return this.window.subarray(0, end - start);
  }

  private fill(target: Uint8Array, start: number): void {
    let done = 0;
    while (done < target.length) {
      const got = readSync(this.file, target, done, target.length - done, start + done);
      if (got === 0) throw new MalformedFile(`${this.path} changed while read`);
      done += got;
    }
  }
}

/** One field of a message: its number, wire type and place. */
export interface WireField {
  number: number;
  type: number;
  /** Where the field begins, its number included. */
  begin: number;
  /** Of the payload. */
  start: number;
  end: number;
  /** Of a varint, exact to 64 bits, unsigned. */
  varint: bigint;
}

/** Reads fields of the message at `[start, end)` of a file. */
export class WireReader {
  constructor(
    readonly file: WireFile,
    private at: number,
    readonly end: number,
  ) {}

  private varint(): bigint {
    let value = 0n;
    for (let shift = 0n; shift < 70n; shift += 7n) {
      const byte = this.file.bytes(this.at, this.at + 1)[0]!;
      this.at++;
      value |= BigInt(byte & 0x7f) << shift;
      if (byte < 0x80) return BigInt.asUintN(64, value);
    }
    throw new MalformedFile(`${this.file.path}: bad number at byte ${this.at}`);
  }

  /** The next field, or undefined at the message's end. */
  next(): WireField | undefined {
    if (this.at >= this.end) return undefined;
    const begin = this.at;
    const key = Number(this.varint());
    const type = key & 7;
    const field = { number: key >>> 3, type, begin, start: this.at, end: this.at, varint: 0n };
    if (type === WireType.varint) field.varint = this.varint();
    else if (type === WireType.fixed64) this.at += 8;
    else if (type === WireType.fixed32) this.at += 4;
    else if (type === WireType.bytes) {
      const length = Number(this.varint());
      field.start = this.at;
      this.at += length;
    } else {
      throw new MalformedFile(
        `${this.file.path}: wire type ${type} at byte ${this.at}: not an ONNX file`,
      );
    }
    if (this.at > this.end) {
      throw new MalformedFile(
        `${this.file.path}: field ${field.number} ends at byte ${this.at}, its message at ${this.end}`,
      );
    }
    field.end = this.at;
    return field;
  }

  /** Reader of a field that is a message. */
  message(field: WireField): WireReader {
    return new WireReader(this.file, field.start, field.end);
  }
  text(field: WireField): string {
    return utf8.decode(this.file.bytes(field.start, field.end));
  }
  data(field: WireField): Uint8Array {
    return this.file.bytes(field.start, field.end).slice();
  }
  float(field: WireField): number {
    const bytes = this.file.bytes(field.start, field.end);
    return new DataView(bytes.buffer, bytes.byteOffset).getFloat32(0, true);
  }
  /** Numbers of a repeated varint field, packed or one of them, signed. */
  ints(field: WireField): bigint[] {
    if (field.type === WireType.varint) return [BigInt.asIntN(64, field.varint)];
    const inner = this.message(field);
    const values: bigint[] = [];
    while (inner.at < inner.end) values.push(BigInt.asIntN(64, inner.varint()));
    return values;
  }
  /** Numbers of a repeated float field, packed or one of them. */
  floats(field: WireField): number[] {
    const bytes = this.file.bytes(field.start, field.end);
    const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
    return Array.from({ length: bytes.length / 4 }, (_, index) => view.getFloat32(index * 4, true));
  }
}

/** Writes the wire format. */
export class WireWriter {
  private readonly parts: Uint8Array[] = [];
  private readonly encoder = new TextEncoder();

  private rawVarint(value: bigint): void {
    let rest = BigInt.asUintN(64, value);
    const bytes: number[] = [];
    do {
      const low = Number(rest & 0x7fn);
      rest >>= 7n;
      bytes.push(rest === 0n ? low : low | 0x80);
    } while (rest !== 0n);
    this.parts.push(Uint8Array.from(bytes));
  }
  varint(number: number, value: number | bigint): this {
    this.rawVarint(BigInt((number << 3) | WireType.varint));
    this.rawVarint(BigInt(value));
    return this;
  }
  float(number: number, value: number): this {
    this.rawVarint(BigInt((number << 3) | WireType.fixed32));
    this.parts.push(new Uint8Array(Float32Array.of(value).buffer));
    return this;
  }
  bytes(number: number, value: Uint8Array): this {
    this.rawVarint(BigInt((number << 3) | WireType.bytes));
    this.rawVarint(BigInt(value.length));
    this.parts.push(value);
    return this;
  }
  text(number: number, value: string): this {
    return this.bytes(number, this.encoder.encode(value));
  }
  message(number: number, value: WireWriter): this {
    return this.bytes(number, value.finish());
  }
  /** Whole fields, as they are written. */
  raw(fields: Uint8Array): this {
    this.parts.push(fields);
    return this;
  }
  finish(): Uint8Array {
    const length = this.parts.reduce((sum, part) => sum + part.length, 0);
    const out = new Uint8Array(length);
    let at = 0;
    for (const part of this.parts) {
      out.set(part, at);
      at += part.length;
    }
    return out;
  }
}
