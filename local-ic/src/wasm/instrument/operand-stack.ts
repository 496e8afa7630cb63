import { enlarged } from './function-code.js';

/** No local, no row. */
export const NOWHERE = -1;

/** The operands on the stack at a point of a function, as columns by height. */
export class OperandStack {
  height = 0;
  /** The value is `root` plus `offset` (see `ValueNumbers`). */
  root = new Int32Array(256);
  offset = new Float64Array(256);
  /** The local that the value was read from or written to, or `NOWHERE`. */
  local = new Int32Array(256);
  /** The row whose instruction pushed the value, if it pushed nothing else; or `NOWHERE`. */
  producer = new Int32Array(256);
  /** What is known of a float's bits (see `Bits`). */
  bits = new Uint8Array(256);

  push(root: number, offset: number, local: number, producer: number, bits: number): void {
    const slot = this.height++;
    if (slot === this.root.length) this.grow();
    this.root[slot] = root;
    this.offset[slot] = offset;
    this.local[slot] = local;
    this.producer[slot] = producer;
    this.bits[slot] = bits;
  }

  /** Pops a value; returns its slot, which keeps what is known of it until the next push. */
  pop(): number {
    return --this.height;
  }

  private grow(): void {
    this.root = enlarged(this.root);
    this.local = enlarged(this.local);
    this.producer = enlarged(this.producer);
    const offset = new Float64Array(this.root.length);
    offset.set(this.offset);
    this.offset = offset;
    const bits = new Uint8Array(this.root.length);
    bits.set(this.bits);
    this.bits = bits;
  }
}
