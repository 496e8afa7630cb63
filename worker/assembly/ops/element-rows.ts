import { DType } from '../generated/constants';
import { failInput, input } from '../tensor/node';
import { dtypeBytes, Tensor } from '../tensor/tensor';
import { failIndex, indexAt, resolveAxis } from './axes';

/** Element `i` of int64 or int32 indices, counted from the front of `size`; -1, with a text, where there is none. */
@inline
export function placeAt(indices: Tensor, i: u32, size: u32): i64 {
  const index = indexAt(indices, i);
  const place = index < 0 ? index + size : index;
  if (place >= 0 && place < <i64>size) return place;
  failIndex(index, size);
  return -1;
}

/** Checks indices of GatherElements and ScatterElements; their axis, or -1 after a failure's text. */
export function elementAxis(given: i32): i32 {
  const x = input(0);
  const indices = input(1);
  const axis = resolveAxis(given, x.rank);
  if (axis < 0) {
    failInput(0, 'of a shape that has the axis of the node');
    return -1;
  }
  let fits = (indices.dtype == DType.int64 || indices.dtype == DType.int32) && indices.rank == x.rank;
  for (let i: u32 = 0; fits && i < x.rank; i++) {
    if (<i32>i != axis && indices.dim(i) > x.dim(i)) fits = false;
  }
  if (fits) return axis;
  failInput(1, 'int64 or int32, in no other dimension than the axis larger than the tensor');
  return -1;
}

/** Element of `x` at which row `row` of `indices` begins, the axis left out. */
export function rowStart(x: Tensor, indices: Tensor, axis: i32, row: u32): u32 {
  const last = <i32>x.rank - 1;
  let step: u32 = x.dim(last);
  let at: u32 = 0;
  for (let i = last - 1; i >= 0; i--) {
    const place = row % indices.dim(i);
    row /= indices.dim(i);
    if (i != axis) at += place * step;
    step *= x.dim(i);
  }
  return at;
}

/** Checks indices [.., k] whose lists begin behind `batch` dimensions of `x`; k, or -1 after a failure's text. */
export function listLength(batch: u32): i32 {
  const x = input(0);
  const indices = input(1);
  let fits = (indices.dtype == DType.int64 || indices.dtype == DType.int32) && indices.rank > batch;
  const k: u32 = fits ? indices.dim(indices.rank - 1) : 0;
  if (fits && (k > x.rank || batch + k > x.rank)) fits = false;
  for (let i: u32 = 0; fits && i < batch; i++) if (indices.dim(i) != x.dim(i)) fits = false;
  if (fits) return k;
  failInput(1, 'int64 or int32, lists of as many indices as the tensor has dimensions, or fewer');
  return -1;
}

/** Block of `x` that list `list` of k indices names, counted in blocks; -1 where there is none. */
export function blockOf(x: Tensor, indices: Tensor, batch: u32, k: u32, list: u32, lists: u32): i64 {
  let at: u64 = 0;
  if (batch > 0) at = list / (lists / max<u32>(1, x.product(0, batch)));
  for (let i: u32 = 0; i < k; i++) {
    const size = x.dim(batch + i);
    const place = placeAt(indices, list * k + i, size);
    if (place < 0) return -1;
    at = at * size + place;
  }
  return at;
}

/** Bytes of the blocks that lists of k indices behind `batch` dimensions name. */
export function blockBytes(x: Tensor, batch: u32, k: u32): usize {
  return <usize>x.product(batch + k, x.rank) * dtypeBytes(x.dtype);
}
