import { CanisterError } from '../generated/constants';
import { spent } from '../tensor/budget';
import { name, shape, text } from '../tensor/errors';
import { failNode, input, output, setSlot, slot } from '../tensor/node';
import { MAX_RANK } from '../tensor/tensor';
import { unitsOfBlock } from './blocks';

/**
 * Up to three operands walked together as numpy broadcasts them. Dimensions of size 1 are dropped
 * and neighbours merged where all operands allow, so that most cases come down to one or two.
 */
const OPERANDS: u32 = 3;
const dims: usize = memory.data(32);
const strides: usize = memory.data(96);
/** Dimensions left after merging; at least 1. */
export let walkRank: u32 = 0;

@inline
export function walkDim(i: u32): u32 {
  return load<u32>(dims + (<usize>i << 2));
}

/** Elements from one index of dimension `i` to the next in operand `k`; 0 where it is broadcast. */
@inline
export function walkStride(k: u32, i: u32): u32 {
  return load<u32>(strides + (<usize>(k * MAX_RANK + i) << 2));
}

@inline
function setStride(k: u32, i: u32, value: u32): void {
  store<u32>(strides + (<usize>(k * MAX_RANK + i) << 2), value);
}

/** Size of dimension `i` of `rank` of operand `k`, aligned at the last; 1 where it has none. */
@inline
function sizeOf(k: u32, i: u32, rank: u32): u32 {
  const tensor = input(k);
  const missing = rank - tensor.rank;
  return i < missing ? 1 : tensor.dim(i - missing);
}

/** Gives output 0 the shape the first `count` inputs broadcast to. False after a failure's text. */
export function broadcastShape(count: u32): bool {
  let rank: u32 = 0;
  for (let k: u32 = 0; k < count; k++) rank = max(rank, input(k).rank);
  const out = output(0);
  out.rank = rank;
  for (let i: u32 = 0; i < rank; i++) {
    let size: u32 = 1;
    for (let k: u32 = 0; k < count; k++) {
      const own = sizeOf(k, i, rank);
      if (own == size || own == 1) continue;
      if (size != 1) {
        failBroadcast(count);
        return false;
      }
      size = own;
    }
    out.setDim(i, size);
  }
  return true;
}

function failBroadcast(count: u32): void {
  failNode(CanisterError.badInput);
  text('shapes do not broadcast:');
  for (let k: u32 = 0; k < count; k++) {
    text(k == 0 ? ' ' : ', ');
    name(input(k).name);
    text(' ');
    shape(input(k));
  }
}

/** Prepares the walk of the first `count` inputs over output 0. */
export function prepareWalk(count: u32): void {
  const out = output(0);
  const rank = out.rank;
  walkRank = 0;
  for (let k: u32 = 0; k < count; k++) setStride(k, 0, 1);
  for (let i: u32 = 0; i < rank; i++) {
    const size = out.dim(i);
    if (size == 1) continue;
    let merges = walkRank > 0;
    const last = walkRank - 1;
    for (let k: u32 = 0; k < count && merges; k++) {
      const stride = elementStride(k, i, rank);
      merges = walkStride(k, last) == stride * size;
    }
    if (!merges) walkRank++;
    const to = walkRank - 1;
    store<u32>(dims + (<usize>to << 2), merges ? walkDim(to) * size : size);
    for (let k: u32 = 0; k < count; k++) setStride(k, to, elementStride(k, i, rank));
  }
  if (walkRank == 0) {
    walkRank = 1;
    store<u32>(dims, 1);
  }
}

function elementStride(k: u32, i: u32, rank: u32): u32 {
  const tensor = input(k);
  const missing = rank - tensor.rank;
  if (i < missing || tensor.dim(i - missing) == 1) return 0;
  return tensor.product(i - missing + 1, tensor.rank);
}

/** The piece of output 0 under way: whole rows of its walk, or a part of one. */
export let pieceRows: u32 = 0;
export let pieceWidth: u32 = 0;
/** Elements of output 0 in front of the piece. */
export let pieceStart: u32 = 0;
let piecePlane: u32 = 0;
let pieceRow: u32 = 0;
let pieceColumn: u32 = 0;
/** About what a row takes beside its elements. */
const ROW: u64 = 100;

/**
 * Goes on with the walk: sets the next piece, about a block of work where an element takes `cost`.
 * False at the end. Slot 0 is the element to go on at, so nothing else is to be kept by who yields.
 */
export function takePiece(count: u32, cost: u64): bool {
  pieceStart = slot(0);
  if (pieceStart >= count) return false;
  const n = walkDim(walkRank - 1);
  const height: u32 = walkRank > 1 ? walkDim(walkRank - 2) : 1;
  const row = pieceStart / n;
  pieceColumn = pieceStart - row * n;
  piecePlane = row / height;
  pieceRow = row - piecePlane * height;
  const some = unitsOfBlock(cost) & ~3;
  if (n > some) {
    pieceRows = 1;
    pieceWidth = min(some, n - pieceColumn);
  } else {
    pieceRows = min(height - pieceRow, unitsOfBlock(n * cost + ROW));
    pieceWidth = n;
  }
  setSlot(0, pieceStart + pieceRows * pieceWidth);
  return true;
}

/** Whether to yield behind the piece. */
export function pieceYields(count: u32, cost: u64): bool {
  return slot(0) < count && spent(pieceRows * (pieceWidth * cost + ROW));
}

/** Elements from the first to the piece's first, in operand `k`. */
export function pieceOffset(k: u32): usize {
  let offset = <usize>pieceColumn * walkStride(k, walkRank - 1);
  if (walkRank > 1) offset += <usize>pieceRow * walkStride(k, walkRank - 2);
  let outer = piecePlane;
  for (let i = <i32>walkRank - 3; i >= 0; i--) {
    const size = walkDim(i);
    offset += <usize>(outer % size) * walkStride(k, i);
    outer /= size;
  }
  return offset;
}

/** Elements from one row of the piece to the next in operand `k`. */
export function pieceStep(k: u32): usize {
  return walkRank > 1 ? <usize>walkStride(k, walkRank - 2) : 0;
}
