/** LEB128 reading and writing over growing and shrinking byte arrays. */
export class ByteWriter {
  #bytes = new Uint8Array(256);
  #length = 0;

  get length(): number {
    return this.#length;
  }

  byte(value: number): void {
    this.#reserve(1);
    this.#bytes[this.#length++] = value;
  }

  bytes(value: Uint8Array): void {
    this.#reserve(value.length);
    this.#bytes.set(value, this.#length);
    this.#length += value.length;
  }

  uint(value: bigint, byteCount: number): void {
    for (let i = 0; i < byteCount; i++) this.byte(Number((value >> BigInt(8 * i)) & 0xffn));
  }

  leb(value: bigint | number): void {
    let rest = BigInt(value);
    while (rest >= 0x80n) {
      this.byte(Number(rest & 0x7fn) | 0x80);
      rest >>= 7n;
    }
    this.byte(Number(rest));
  }

  sleb(value: number): void {
    let rest = value;
    for (;;) {
      const low = rest & 0x7f;
      rest >>= 7;
      if ((rest === 0 && (low & 0x40) === 0) || (rest === -1 && (low & 0x40) !== 0)) {
        this.byte(low);
        return;
      }
      this.byte(low | 0x80);
    }
  }

  finish(): Uint8Array {
    return this.#bytes.slice(0, this.#length);
  }

  #reserve(count: number): void {
    if (this.#length + count <= this.#bytes.length) return;
    const grown = new Uint8Array(Math.max(2 * this.#bytes.length, this.#length + count));
    grown.set(this.#bytes.subarray(0, this.#length));
    this.#bytes = grown;
  }
}

/** Thrown at an unexpected end; the decoder turns it into a CandidError. */
export class EndOfBytes extends Error {}

export class ByteReader {
  position = 0;
  constructor(readonly source: Uint8Array) {}

  get left(): number {
    return this.source.length - this.position;
  }

  byte(): number {
    const value = this.source[this.position];
    if (value === undefined) throw new EndOfBytes('io error');
    this.position++;
    return value;
  }

  bytes(count: number): Uint8Array {
    if (count > this.left) throw new EndOfBytes('io error');
    const value = this.source.subarray(this.position, this.position + count);
    this.position += count;
    return value;
  }

  uint(byteCount: number): bigint {
    let value = 0n;
    this.bytes(byteCount).forEach((byte, i) => (value |= BigInt(byte) << BigInt(8 * i)));
    return value;
  }

  leb(): bigint {
    let value = 0n;
    for (let shift = 0n; ; shift += 7n) {
      const byte = this.byte();
      value |= BigInt(byte & 0x7f) << shift;
      if ((byte & 0x80) === 0) return value;
    }
  }

  /** A LEB128 number that must fit a length or index. */
  size(): number {
    const value = this.leb();
    if (value > 0xffff_ffffn) throw new EndOfBytes('io error');
    return Number(value);
  }

  sleb(): bigint {
    let value = 0n;
    for (let shift = 0n; ;) {
      const byte = this.byte();
      value |= BigInt(byte & 0x7f) << shift;
      shift += 7n;
      if ((byte & 0x80) === 0) return (byte & 0x40) === 0 ? value : value - (1n << shift);
    }
  }
}
