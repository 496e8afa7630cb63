import { DType, GridMode, GridPadding } from '../generated/constants';
import { failInput, input, output, outputAlloc, progress, setProgress, setSlot, slot } from '../tensor/node';
import { Tensor } from '../tensor/tensor';
import { unitsOfBlock, yieldsAt } from './blocks';
import { gridSampleAlignCorners, gridSampleMode, gridSamplePadding } from './generated/attributes';
import { DONE, FAILED, YIELD } from './status';

const SLOT_PLACE: u32 = 0;
const SLOT_CHANNEL: u32 = 1;
/** Channels worked on between two looks at the budget, and about what a pixel of one takes, and a place. */
const PART: u32 = 1 << 12;
const PIXEL: u64 = 20;
const PLACE: u64 = 1500;
const MOST_TAPS: u32 = 4;

/** For each dimension, the last first: sizes, and indexes of taps (-1 where there is none) with their weights. */
const sizes: usize = memory.data(12);
const indexes: usize = memory.data(48);
const weights: usize = memory.data(48);
let taps: u32 = 0;
let spatial: u32 = 0;

/** X [n,c,sizes..], places [n,sizes..,dimensions] from -1 to 1, the last dimension first: [n,c,sizes..]. */
export function gridSample(): i32 {
  const x = input(0);
  const grid = input(1);
  if (progress == 0 && !begin(x, grid)) return FAILED;
  const out = output(0);
  if (out.byteLength == 0) return DONE;
  spatial = x.rank - 2;
  for (let k: u32 = 0; k < spatial; k++) store<u32>(sizes + (<usize>k << 2), x.dim(x.rank - 1 - k));
  taps = gridSampleMode() == GridMode.nearest ? 1 : gridSampleMode() == GridMode.linear ? 2 : 4;
  const channels = x.dim(1);
  const positions = grid.product(1, grid.rank - 1);
  const all = grid.dim(0) * positions;
  const plane = <usize>x.product(2, x.rank) << 2;
  const each = PIXEL * (spatial == 2 ? taps * taps : taps * taps * taps) + 40;
  const some = unitsOfBlock(PLACE + channels * each);
  let channel = slot(SLOT_CHANNEL);
  for (let p = slot(SLOT_PLACE); p < all; ) {
    const end = p + min(some, all - p);
    const first = p;
    for (; p < end; p++) {
      locate(grid.data + (<usize>p * spatial << 2));
      const image = x.data + <usize>(p / positions) * channels * plane;
      const to = out.data + (<usize>(p / positions) * channels * positions + p % positions << 2);
      while (channel < channels) {
        const until = channel + min(PART, channels - channel);
        for (let c = channel; c < until; c++) {
          store<f32>(to + (<usize>c * positions << 2), sample(image + <usize>c * plane, spatial - 1, 0));
        }
        const done = until - channel;
        channel = until;
        if (channel < channels && yieldsAt(SLOT_CHANNEL, channel, done * each)) {
          setSlot(SLOT_PLACE, p);
          return YIELD;
        }
      }
      channel = 0;
    }
    setSlot(SLOT_CHANNEL, 0);
    if (p < all && yieldsAt(SLOT_PLACE, p, (PLACE + min(channels, PART) * each) * (p - first))) return YIELD;
  }
  return DONE;
}

function begin(x: Tensor, grid: Tensor): bool {
  let fits = x.dtype == DType.float32 && (x.rank == 4 || x.rank == 5);
  fits = fits && (x.rank == 4 || gridSampleMode() != GridMode.cubic);
  for (let i: u32 = 2; fits && i < x.rank; i++) fits = x.dim(i) > 0 && x.dim(i) <= 0x1000000;
  if (!fits || gridSampleMode() > GridMode.cubic || gridSamplePadding() > GridPadding.reflection) {
    failInput(0, 'float32 [batch, channels, sizes] with two sizes or, unless cubic, three, and at least one pixel');
    return false;
  }
  const isGrid = grid.dtype == DType.float32 && grid.rank == x.rank && grid.dim(0) == x.dim(0);
  if (!isGrid || grid.dim(grid.rank - 1) != x.rank - 2) {
    failInput(1, 'float32 [batch, sizes, as many as there are sizes]');
    return false;
  }
  const out = output(0);
  out.shapeLike(x);
  for (let i: u32 = 2; i < x.rank; i++) out.setDim(i, grid.dim(i - 1));
  if (!outputAlloc(0, DType.float32, x.rank)) return false;
  setProgress(1);
  return true;
}

/** Where a place from -1 to 1 lies along a dimension, in pixels. */
@inline
function pixel(at: f32, size: u32): f32 {
  return gridSampleAlignCorners() ? ((at + 1) / 2) * <f32>(size - 1) : ((at + 1) * <f32>size - 1) / 2;
}

@inline
function least(): f32 {
  return gridSampleAlignCorners() ? 0 : -0.5;
}

@inline
function most(size: u32): f32 {
  return gridSampleAlignCorners() ? <f32>(size - 1) : <f32>size - 0.5;
}

/** Thrown back at both ends of an image, as often as it takes. */
function reflected(at: f32, size: u32): f32 {
  const from = least();
  const to = most(size);
  const range = to - from;
  const off = at < from ? from - at : at - to;
  if (!(off > 0) || range == 0) return off > 0 ? from : at;
  const times = <i64>(off / range);
  const rest = off - <f32>times * range;
  const fromStart = (at < from) == ((times & 1) == 0);
  return fromStart ? from + rest : to - rest;
}

/** Finds the taps of a place along each dimension. */
function locate(place: usize): void {
  for (let k: u32 = 0; k < spatial; k++) {
    const size = load<u32>(sizes + (<usize>k << 2));
    const at = pixel(load<f32>(place + (<usize>k << 2)), size);
    along(taps == 1 ? nearest(at) : at, size, <usize>k * MOST_TAPS << 2);
  }
}

/** Taps along one dimension. */
function along(at: f32, size: u32, offset: usize): void {
  if (taps == 1) {
    store<i32>(indexes + offset, inside(<i64>at, size));
    store<f32>(weights + offset, 1);
    return;
  }
  const whole = floor(at);
  const t = at - whole;
  const first = <i64>whole - (taps == 4 ? 1 : 0);
  for (let k: u32 = 0; k < taps; k++) {
    store<i32>(indexes + offset + (<usize>k << 2), inside(first + k, size));
    const weight: f32 = taps == 4 ? cubic(t + 1 - <f32>k) : k == 0 ? 1 - t : t;
    store<f32>(weights + offset + (<usize>k << 2), weight);
  }
}

function cubic(distance: f32): f32 {
  const a: f32 = -0.75;
  const d = abs(distance);
  if (d <= 1) return ((a + 2) * d - (a + 3)) * d * d + 1;
  return ((a * d - 5 * a) * d + 8 * a) * d - 4 * a;
}

/** The pixel that stands at an index, by the padding; -1 where that is 0. */
function inside(index: i64, size: u32): i32 {
  if (index >= 0 && index < <i64>size) return <i32>index;
  if (gridSamplePadding() == GridPadding.zeros) return -1;
  if (gridSamplePadding() == GridPadding.border) return index < 0 ? 0 : size - 1;
  const back = <i64>reflected(<f32>index, size);
  return <i32>max<i64>(0, min<i64>(back, <i64>size - 1));
}

/** Weighted sum over dimension k and those behind it, of the pixels that begin with index `before`. */
function sample(image: usize, k: u32, before: u32): f32 {
  const offset = <usize>k * MOST_TAPS << 2;
  const size = load<u32>(sizes + (<usize>k << 2));
  let sum: f32 = 0;
  for (let t: u32 = 0; t < taps; t++) {
    const at = load<i32>(indexes + offset + (<usize>t << 2));
    let value: f32 = 0;
    if (at >= 0) {
      const index = before * size + at;
      value = k == 0 ? load<f32>(image + (<usize>index << 2)) : sample(image, k - 1, index);
    }
    // What is no number stays none beside the image too.
    sum += load<f32>(weights + offset + (<usize>t << 2)) * value;
  }
  return sum;
}
