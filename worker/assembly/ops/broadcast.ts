import { CanisterError } from '../generated/constants';
import { name, shape, text } from '../tensor/errors';
import { failNode, input, output } from '../tensor/node';
import { MAX_RANK } from '../tensor/tensor';

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

/** Elements from the first to the `outer`-th pair of last two dimensions, in operand `k`. */
export function outerOffset(k: u32, outer: u32): usize {
  let offset: usize = 0;
  for (let i = <i32>walkRank - 3; i >= 0; i--) {
    const size = walkDim(i);
    offset += <usize>(outer % size) * walkStride(k, i);
    outer /= size;
  }
  return offset;
}

/** Product of all but the last two dimensions. */
export function outerCount(): u32 {
  let count: u32 = 1;
  for (let i = <i32>walkRank - 3; i >= 0; i--) count *= walkDim(i);
  return count;
}
