import { copyBytes } from '../kernels/copy';
import { transposeWords } from '../kernels/transpose';
import { spent } from '../tensor/budget';
import { setSlot, slot } from '../tensor/node';

/**
 * How operators yield, whatever the shape: work is cut in blocks of about BLOCK instructions, and
 * after each the operator asks whether to go on at the next one in another message. Blocks begin at
 * the same places whether or not it yields, so results do not depend on the budget.
 */
const BLOCK: u64 = 4_000_000;

/** How many units of about `cost` instructions make up a block; at least 1. */
export function unitsOfBlock(cost: u64): u32 {
  return <u32>max<u64>(1, BLOCK / max<u64>(cost, 1));
}

/**
 * Tells of `instructions` of work. True where the operator must return YIELD; slot `index` then holds
 * `next`, the unit to go on with.
 */
export function yieldsAt(index: u32, next: u32, instructions: u64): bool {
  if (!spent(instructions)) return false;
  setSlot(index, next);
  return true;
}

const SLOT_ROW: u32 = 0;
const SLOT_BYTE: u32 = 1;
/** About what a row takes beside its bytes. */
const ROW: u64 = 100;
/** Bytes above which a row is copied in parts. */
const PART: usize = 1 << 22;

/**
 * Copies `rows` rows of `bytes` bytes. False where it yields, also behind the last row: call it again
 * with the same arguments. Uses slots 0 and 1, which are 0 before and after.
 */
export function copyRows(
  dst: usize, dstStep: usize, src: usize, srcStep: usize, rows: u32, bytes: usize,
): bool {
  let row = slot(SLOT_ROW);
  if (bytes <= PART) {
    const some = unitsOfBlock(bytes / 2 + ROW);
    while (row < rows) {
      const count = min(some, rows - row);
      let to = dst + <usize>row * dstStep;
      let from = src + <usize>row * srcStep;
      for (let n = count; n != 0; n--, to += dstStep, from += srcStep) copyBytes(to, from, bytes);
      row += count;
      if (yieldsAt(SLOT_ROW, row, <u64>count * (bytes / 2 + ROW))) return false;
    }
  } else {
    for (; row < rows; row++) {
      let at: usize = slot(SLOT_BYTE);
      while (at < bytes) {
        const count = min(PART, bytes - at);
        copyBytes(dst + <usize>row * dstStep + at, src + <usize>row * srcStep + at, count);
        at += count;
        if (yieldsAt(SLOT_BYTE, <u32>at, count / 2)) {
          setSlot(SLOT_ROW, row);
          return false;
        }
      }
      setSlot(SLOT_BYTE, 0);
    }
  }
  setSlot(SLOT_ROW, 0);
  return true;
}

/** Bytes filled between two looks at the budget. */
const FILL: u32 = 1 << 22;

/**
 * Fills `bytes` bytes of a block with elements of 1, 2, 4 or 8 bytes whose bits are `value`. False
 * where it yields. Writes whole vectors: blocks hold a multiple of 64 bytes. Uses slot 0, which is 0
 * before and after.
 */
export function fillElements(dst: usize, bytes: u32, elementBytes: u32, value: u64): bool {
  let vector = i64x2.splat(value);
  if (elementBytes == 4) vector = i32x4.splat(<i32>value);
  else if (elementBytes == 2) vector = i16x8.splat(<i16>value);
  else if (elementBytes == 1) vector = i8x16.splat(<i8>value);
  for (let i = slot(0); i < bytes; ) {
    const count = min(FILL, bytes - i);
    const end = dst + i + count;
    for (let p = dst + i; p < end; p += 16) v128.store(p, vector);
    i += count;
    if (i < bytes && yieldsAt(0, i, count)) return false;
  }
  setSlot(0, 0);
  return true;
}

/** Most columns of a tile, and about the elements it has; a multiple of 4 on both sides. */
const TILE_COLUMNS: u32 = 1 << 14;
const TILE_ELEMENTS: u32 = 1 << 16;

/** Columns of the tiles that a plane is cut in. */
export function tileColumns(columns: u32): u32 {
  return min(columns, TILE_COLUMNS);
}

/** About what a rectangle of `rows` x `columns` elements takes that is copied one by one. */
@inline
export function tileCost(rows: u32, columns: u32): u64 {
  return <u64>rows * (columns * 22 + 80);
}

/** Rows of the tiles that a plane of so many columns is cut in. */
export function tileRows(columns: u32): u32 {
  return (TILE_ELEMENTS / tileColumns(columns)) & ~3;
}

/**
 * {@link transposeWords} tile by tile. False where it yields. Slot `index` counts the tiles done: it
 * is 0 before, and whoever calls it sets it back.
 */
export function transposeTiles(
  dst: usize, dstStep: usize, src: usize, srcStep: usize, rows: u32, cols: u32, index: u32,
): bool {
  const width = tileColumns(cols);
  const height = tileRows(cols);
  const across = (cols + width - 1) / width;
  const tiles = across * ((rows + height - 1) / height);
  for (let tile = slot(index); tile < tiles; ) {
    const r = (tile / across) * height;
    const c = (tile % across) * width;
    const count = min(height, rows - r);
    const lanes = min(width, cols - c);
    const to = dst + <usize>r * dstStep + (<usize>c << 2);
    transposeWords(to, dstStep, src + (<usize>r << 2) + <usize>c * srcStep, srcStep, count, lanes);
    tile++;
    setSlot(index, tile);
    if (spent(tileCost(count, lanes))) return false;
  }
  return true;
}
