import { ByteWriter } from '@canopy/protocol';

/** Shorter bytes are copied at once: remembering them would cost more. */
const largeBytes = 256;

/**
 * A {@link ByteWriter} that remembers large blocks of bytes and copies each of them once, in
 * {@link finish}, into a buffer of exactly the size needed. Every page of memory touched costs.
 */
export class GatherWriter extends ByteWriter {
  /** Blocks and how many bytes of the small fields stand before each. */
  private readonly blocks: { at: number; bytes: Uint8Array }[] = [];
  private blockBytes = 0;

  /** Must not change until {@link finish}. */
  override bytes(value: Uint8Array): this {
    if (value.length < largeBytes) return super.bytes(value);
    this.blocks.push({ at: this.length, bytes: value });
    this.blockBytes += value.length;
    return this;
  }

  override finish(): Uint8Array {
    const small = super.finish();
    if (this.blocks.length === 0) return small;
    const whole = new Uint8Array(small.length + this.blockBytes);
    let taken = 0;
    let end = 0;
    for (const { at, bytes } of this.blocks) {
      whole.set(small.subarray(taken, at), end);
      end += at - taken;
      whole.set(bytes, end);
      end += bytes.length;
      taken = at;
    }
    whole.set(small.subarray(taken), end);
    return whole;
  }

  /**
   * Like {@link finish}, but does not copy a block that is the only one and the last thing written:
   * the fields are written over what stands before it in its buffer, where there is room for them.
   */
  finishInPlace(): Uint8Array {
    const fields = super.finish();
    const [block] = this.blocks;
    if (block === undefined || this.blocks.length > 1 || block.at < fields.length) {
      return this.finish();
    }
    const { buffer, byteOffset, length } = block.bytes;
    if (byteOffset < fields.length) return this.finish();
    const whole = new Uint8Array(buffer, byteOffset - fields.length, fields.length + length);
    whole.set(fields);
    return whole;
  }
}
