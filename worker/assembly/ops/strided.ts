import { copyStrided } from '../kernels/copy';
import { interleave3 } from '../kernels/interleave';
import { transposeWords } from '../kernels/transpose';
import { interleaveBytes3, transposeBytes } from '../kernels/transpose-bytes';
import { setSlot, slot } from '../tensor/node';
import { tileColumns, tileCost, tileRows, yieldsAt } from './blocks';
import { DONE, YIELD } from './status';

/**
 * A copy whose output is contiguous and whose input has a step of its own for every output
 * dimension, up to 16 of them: Transpose, Slice, Expand, Tile. Neighbouring dimensions are merged where
 * the steps allow.
 */
const sizes: usize = memory.data(64);
const steps: usize = memory.data(64);
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

/** Copies to `dst`; yields between tiles of the two inner dimensions. Uses slot 0. */
export function runStrided(dst: usize, src: usize, elementBytes: u32): i32 {
  const cols: u32 = rank > 0 ? size(rank - 1) : 1;
  const colStep: usize = rank > 0 ? step(rank - 1) : elementBytes;
  const rows: u32 = rank > 1 ? size(rank - 2) : 1;
  const rowStep: usize = rank > 1 ? step(rank - 2) : 0;
  const rowBytes = <usize>cols * elementBytes;
  const planeBytes = <usize>rows * rowBytes;
  let planes: u32 = 1;
  for (let i = <i32>rank - 3; i >= 0; i--) planes *= size(i);
  const width = tileColumns(cols);
  const height = tileRows(cols);
  const across = (cols - 1) / width + 1;
  const tiles = across * ((rows - 1) / height + 1);
  const transposes = (elementBytes == 4 || elementBytes == 1) && rowStep == elementBytes && colStep != 0;
  for (let plane = slot(0); plane < planes; plane++) {
    let from = src;
    let index = plane;
    for (let i = <i32>rank - 3; i >= 0; i--) {
      const n = size(i);
      from += <usize>(index % n) * step(i);
      index /= n;
    }
    const to = dst + <usize>plane * planeBytes;
    if (tiles == 1) {
      copyTile(to, rowBytes, from, rowStep, colStep, rows, cols, elementBytes, transposes);
      if (plane + 1 < planes && yieldsAt(0, plane + 1, tileCost(rows, cols))) return YIELD;
      continue;
    }
    for (let tile = slot(1); tile < tiles; ) {
      const r = (tile / across) * height;
      const c = (tile % across) * width;
      const count = min(height, rows - r);
      const lanes = min(width, cols - c);
      copyTile(
        to + <usize>r * rowBytes + <usize>c * elementBytes, rowBytes,
        from + <usize>r * rowStep + <usize>c * colStep, rowStep, colStep, count, lanes, elementBytes, transposes,
      );
      tile++;
      if ((tile < tiles || plane + 1 < planes) && yieldsAt(1, tile, tileCost(count, lanes))) {
        setSlot(0, plane);
        return YIELD;
      }
    }
    setSlot(1, 0);
  }
  return DONE;
}

/** A rectangle of `rows` x `cols` elements, rows `toStep` bytes apart. */
function copyTile(
  to: usize, toStep: usize, from: usize, rowStep: usize, colStep: usize, rows: u32, cols: u32,
  elementBytes: u32, transposes: bool,
): void {
  const triples = cols == 3 && toStep == 3 * elementBytes;
  if (transposes && elementBytes == 1) {
    if (triples) interleaveBytes3(to, from, colStep, rows);
    else transposeBytes(to, toStep, from, colStep, rows, cols);
  } else if (transposes && triples) interleave3(to, from, colStep, rows);
  else if (transposes) transposeWords(to, toStep, from, colStep, rows, cols);
  else {
    for (let r: u32 = 0; r < rows; r++, from += rowStep, to += toStep) {
      copyStrided(to, from, colStep, cols, elementBytes);
    }
  }
}
