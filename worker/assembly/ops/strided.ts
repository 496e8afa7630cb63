import { copyBytes, copyStrided } from '../kernels/copy';
import { interleave3 } from '../kernels/interleave';
import { transposeWords } from '../kernels/transpose';
import { spent } from '../tensor/budget';
import { setSlot, slot } from '../tensor/node';
import { DONE, YIELD } from './status';

/**
 * A copy whose output is contiguous and whose input has a step of its own for every output
 * dimension: Transpose, Slice, Expand. Neighbouring dimensions are merged where the steps allow.
 */
const sizes: usize = memory.data(32);
const steps: usize = memory.data(32);
let rank: u32 = 0;

@inline
function size(i: u32): u32 {
  return load<u32>(sizes + (<usize>i << 2));
}

@inline
function step(i: u32): usize {
  return load<u32>(steps + (<usize>i << 2));
}

export function beginStrided(): void {
  rank = 0;
}

/** Adds the next inner output dimension of `count` >= 1 elements, `bytes` apart in the input (0 and negative too). */
export function addStrided(count: u32, bytes: usize): void {
  if (count == 1) return;
  if (rank > 0 && step(rank - 1) == bytes * count) {
    store<u32>(sizes + (<usize>(rank - 1) << 2), size(rank - 1) * count);
    store<u32>(steps + (<usize>(rank - 1) << 2), <u32>bytes);
    return;
  }
  store<u32>(sizes + (<usize>rank << 2), count);
  store<u32>(steps + (<usize>rank << 2), <u32>bytes);
  rank++;
}

/** Copies to `dst`; yields between pairs of inner dimensions. Uses slot 0. */
export function runStrided(dst: usize, src: usize, elementBytes: u32): i32 {
  if (rank == 0) {
    copyBytes(dst, src, elementBytes);
    return DONE;
  }
  const cols = size(rank - 1);
  const colStep = step(rank - 1);
  if (rank == 1) {
    copyStrided(dst, src, colStep, cols, elementBytes);
    return DONE;
  }
  const rows = size(rank - 2);
  const rowStep = step(rank - 2);
  const rowBytes = <usize>cols * elementBytes;
  const planeBytes = <usize>rows * rowBytes;
  let planes: u32 = 1;
  for (let i = <i32>rank - 3; i >= 0; i--) planes *= size(i);
  for (let plane = slot(0); plane < planes; plane++) {
    let from = src;
    let index = plane;
    for (let i = <i32>rank - 3; i >= 0; i--) {
      const n = size(i);
      from += <usize>(index % n) * step(i);
      index /= n;
    }
    let to = dst + <usize>plane * planeBytes;
    const transposes = elementBytes == 4 && rowStep == 4 && colStep != 0;
    if (transposes && cols == 3) interleave3(to, from, colStep, rows);
    else if (transposes) transposeWords(to, rowBytes, from, colStep, rows, cols);
    else {
      for (let r: u32 = 0; r < rows; r++, from += rowStep, to += rowBytes) {
        copyStrided(to, from, colStep, cols, elementBytes);
      }
    }
    if (plane + 1 < planes && spent(<u64>rows * (cols * 9 + 30))) {
      setSlot(0, plane + 1);
      return YIELD;
    }
  }
  return DONE;
}
