import { closeSync, openSync, writeSync } from 'node:fs';
import { fileConstant, type Constant } from '@canopy/partitioner';
import { dtypeBytes, elementCount } from '@canopy/protocol';
import type { WeightMaker } from './graph-builder.js';
import type { Random } from './random.js';

/** Numbers that are made before they are written. */
const blockElements = 1 << 18;
/** Numbers of which halves are taken: billions would take minutes to make. */
const stockElements = 1 << 22;
/** Weights begin at multiples of this, as exporters write them, so that files can be mapped. */
const alignment = 4096;

/** A file of external data that is written from front to back, never held in memory. */
export class WeightFile {
  private readonly file: number;
  private end = 0;
  private readonly stocks = new Map<number, Uint16Array>();

  constructor(readonly path: string) {
    this.file = openSync(path, 'w');
  }

  /** Bytes written so far. */
  get bytes(): number {
    return this.end;
  }

  /** Writes a weight's numbers in f32; gives the constant that lies there. */
  readonly add: WeightMaker = (dims, random, limit, center) =>
    this.write('float32', dims, (count) => {
      const values = random.uniform(count, limit);
      if (center !== 0) values.forEach((value, at) => (values[at] = value + center));
      return values;
    });

  /**
   * Writes a weight's numbers in bfloat16, blocks of a stock of {@link stockElements} numbers: each begins
   * where the next random number says.
   */
  private readonly addHalves: WeightMaker = (dims, random, limit) => {
    const stock = this.stockOf(limit, random);
    return this.write('bfloat16', dims, (count) => {
      const [first] = random.integers(1, stockElements - blockElements) as [number];
      return stock.subarray(first, first + count);
    });
  };

  adder(type: 'float32' | 'bfloat16'): WeightMaker {
    return type === 'float32' ? this.add : this.addHalves;
  }

  private stockOf(limit: number, random: Random): Uint16Array {
    let stock = this.stocks.get(limit);
    if (!stock) {
      const bits = new Uint32Array(random.uniform(stockElements, limit).buffer);
      // The upper half of an f32 is a bfloat16.
      stock = Uint16Array.from(bits, (one) => one >>> 16);
      this.stocks.set(limit, stock);
    }
    return stock;
  }

  private write(
    dtype: 'float32' | 'bfloat16',
    dims: readonly number[],
    block: (count: number) => Float32Array | Uint16Array,
  ): Constant {
    const offset = Math.ceil(this.end / alignment) * alignment;
    const count = elementCount(dims);
    this.end = offset + count * dtypeBytes(dtype);
    for (let done = 0; done < count; done += blockElements) {
      const values = block(Math.min(blockElements, count - done));
      writeSync(this.file, values, 0, values.byteLength, offset + done * dtypeBytes(dtype));
    }
    return fileConstant(dtype, dims, this.path, offset);
  }

  close(): void {
    closeSync(this.file);
  }
}
