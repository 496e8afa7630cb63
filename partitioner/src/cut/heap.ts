/** Blocks of the worker's tensor heap begin at multiples of this. */
const blockUnit = 64;

/** A block in use: where it begins and ends. */
export interface HeapBlock {
  start: number;
  end: number;
}

/**
 * The worker's tensor heap, as `worker/assembly/tensor/memory.ts` keeps it: a request takes the
 * smallest gap that holds it, the lowest of equal ones, and memory behind the last block only when no
 * gap does. Tells how much memory a program touches.
 */
export class Heap {
  private readonly blocks: HeapBlock[] = [];
  /** Bytes in use now. */
  used = 0;
  /** Most bytes in use at once. */
  peak = 0;
  /** End of the farthest block there ever was. */
  touched = 0;

  /** @param origin address at which the heap begins */
  constructor(private readonly origin = 0) {}

  /** Takes a block at a multiple of `alignment`; the result is given to {@link release}. */
  alloc(bytes: number, alignment = blockUnit): HeapBlock {
    const aligned = (address: number): number => Math.ceil(address / alignment) * alignment;
    const size = Math.max(1, Math.ceil(bytes / blockUnit)) * blockUnit;
    let best = this.blocks.length;
    let start = aligned(this.blocks.at(-1)?.end ?? this.origin);
    let smallest = Infinity;
    let before = this.origin;
    for (let index = 0; index < this.blocks.length; index++) {
      const block = this.blocks[index]!;
      const gap = block.start - before;
      if (gap < smallest && block.start - aligned(before) >= size) {
        smallest = gap;
        best = index;
        start = aligned(before);
      }
      before = block.end;
    }
    const block = { start, end: start + size };
    this.blocks.splice(best, 0, block);
    this.used += size;
    this.peak = Math.max(this.peak, this.used);
    this.touched = Math.max(this.touched, block.end);
    return block;
  }

  release(block: HeapBlock): void {
    this.blocks.splice(this.blocks.indexOf(block), 1);
    this.used -= block.end - block.start;
  }
}
