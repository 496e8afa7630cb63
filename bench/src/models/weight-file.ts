import { closeSync, openSync, writeSync } from 'node:fs';
import { fileConstant } from '@canopy/partitioner';
import { elementCount } from '@canopy/protocol';
import type { WeightMaker } from './graph-builder.js';

/** Numbers that are made before they are written. */
const blockElements = 1 << 18;
/** Weights begin at multiples of this, as exporters write them, so that files can be mapped. */
const alignment = 4096;

/** A file of external data that is written from front to back, never held in memory. */
export class WeightFile {
  private readonly file: number;
  private end = 0;

  constructor(readonly path: string) {
    this.file = openSync(path, 'w');
  }

  /** Bytes written so far. */
  get bytes(): number {
    return this.end;
  }

  /** Writes a weight's numbers; gives the constant that lies there. */
  readonly add: WeightMaker = (dims, random, limit, center) => {
    const offset = Math.ceil(this.end / alignment) * alignment;
    const count = elementCount(dims);
    for (let done = 0; done < count; done += blockElements) {
      const values = random.uniform(Math.min(blockElements, count - done), limit);
      if (center !== 0) values.forEach((value, at) => (values[at] = value + center));
      writeSync(this.file, values, 0, values.byteLength, offset + done * 4);
    }
    this.end = offset + count * 4;
    return fileConstant('float32', dims, this.path, offset);
  };

  close(): void {
    closeSync(this.file);
  }
}
