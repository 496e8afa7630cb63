import { ResizeCoordinates, ResizeMode, ResizeNearest } from '../generated/constants';
import { input } from '../tensor/node';
import {
  resizeAntialias, resizeCoordinates, resizeCubicA, resizeExcludeOutside, resizeExtrapolation, resizeMode, resizeNearest,
} from './generated/attributes';

/**
 * What each element of a resized axis is made of. An entry of `nearest` is the place in the input, -1 for
 * none. Others are the first place, the number of places, and a weight for each: `places` words in all.
 * With no places the first weight is the value itself.
 */
let size: i32 = 0;
let wanted: i32 = 0;
let scale: f32 = 1;
let regionStart: f32 = 0;
let regionEnd: f32 = 1;
let crops: bool = false;
let taps: u32 = 1;

/** Sets the axis whose table {@link fillEntry} makes; `place` is its place among the node's `count` axes. */
export function setAxis(own: u32, result: u32, by: f32, place: u32, count: u32): void {
  size = own;
  wanted = result;
  scale = by;
  crops = resizeCoordinates() == ResizeCoordinates.tf_crop_and_resize;
  if (crops) {
    const region = input(1).data;
    regionStart = load<f32>(region + (<usize>place << 2));
    regionEnd = load<f32>(region + (<usize>(place + count) << 2));
  }
  if (resizeMode() == ResizeMode.nearest) taps = 1;
  else if (!resizeAntialias()) taps = resizeMode() == ResizeMode.linear ? 2 : 4;
  else taps = <u32>min<f32>(ceil(support()), 268435456) * 2 + 1;
}

/** Places that an element is made of, at most. */
export function tapsOfEntry(): u64 {
  return taps;
}

export function entryBytes(): usize {
  return resizeMode() == ResizeMode.nearest ? 4 : <usize>min<u64>((<u64>taps + 2) << 2, 1 << 30);
}

/** Half of the places that the filter of antialiasing reaches. */
@inline
function support(): f32 {
  const own: f32 = resizeMode() == ResizeMode.linear ? 1 : 2;
  return scale < 1 ? own / scale : own;
}

/** Where element `i` of the result lies in the input. */
function coordinate(i: i32): f32 {
  const x = <f32>i;
  switch (resizeCoordinates()) {
    case ResizeCoordinates.asymmetric:
      return x / scale;
    case ResizeCoordinates.pytorch_half_pixel:
      return wanted > 1 ? (x + 0.5) / scale - 0.5 : 0;
    case ResizeCoordinates.tf_half_pixel_for_nn:
      return (x + 0.5) / scale;
    case ResizeCoordinates.align_corners:
      return wanted == 1 ? 0 : (x * <f32>(size - 1)) / <f32>(wanted - 1);
    case ResizeCoordinates.tf_crop_and_resize: {
      const last = <f32>(size - 1);
      if (wanted <= 1) return <f32>(0.5 * <f64>(regionStart + regionEnd) * <f64>last);
      return regionStart * last + (x * (regionEnd - regionStart) * last) / <f32>(wanted - 1);
    }
    case ResizeCoordinates.half_pixel_symmetric: {
      const adjustment = <f32>wanted / (scale * <f32>size);
      const offset = (<f32>size / 2) * (1 - adjustment);
      return <f32>(<f64>offset + (<f64>x + 0.5) / <f64>scale - 0.5);
    }
    default:
      return (x + 0.5) / scale - 0.5;
  }
}

function nearest(x: f32): i32 {
  const whole = trunc(x);
  let place: f32;
  switch (resizeNearest()) {
    case ResizeNearest.simple:
      place = scale < 1 ? ceil(x) : whole;
      break;
    case ResizeNearest.round_prefer_floor:
      place = x == whole + 0.5 ? whole : roundAway(x);
      break;
    case ResizeNearest.round_prefer_ceil:
      place = x == whole + 0.5 ? whole + 1 : roundAway(x);
      break;
    case ResizeNearest.floor:
      place = floor(x);
      break;
    default:
      place = ceil(x);
  }
  return clampPlace(place);
}

/** To the nearest whole number, halves away from 0. */
@inline
function roundAway(x: f32): f32 {
  const rounded = trunc(x);
  if (abs(x - rounded) < 0.5) return rounded;
  return x < 0 ? rounded - 1 : rounded + 1;
}

@inline
function clampPlace(place: f32): i32 {
  if (!(place > 0)) return 0;
  return place >= <f32>size ? size - 1 : min(<i32>place, size - 1);
}

/** Makes the entry of element `i`. */
export function fillEntry(at: usize, i: u32): void {
  const x = coordinate(i);
  const isOutside = crops && (x < 0 || x > <f32>(size - 1));
  if (resizeMode() == ResizeMode.nearest) {
    store<i32>(at, isOutside ? -1 : nearest(x));
    return;
  }
  if (isOutside) {
    store<i32>(at, 0);
    store<i32>(at, 0, 4);
    store<f32>(at, resizeExtrapolation(), 8);
  } else if (resizeAntialias()) filtered(at, x + 0.5);
  else if (resizeMode() == ResizeMode.linear) linear(at, x);
  else cubic(at, x);
}

function linear(at: usize, coordinate: f32): void {
  const x = max<f32>(0, min<f32>(coordinate, <f32>(size - 1)));
  const first = min(<i32>x, size - 1);
  const second = min(first + 1, size - 1);
  store<i32>(at, first);
  store<i32>(at, first == second ? 1 : 2, 4);
  store<f32>(at, first == second ? 1 : abs(x - <f32>second), 8);
  if (first != second) store<f32>(at, abs(x - <f32>first), 12);
}

@inline
function cubicWeight(distance: f32): f32 {
  const a = resizeCubicA();
  const d = abs(distance);
  if (d <= 1) return ((a + 2) * d - (a + 3)) * d * d + 1;
  return d < 2 ? ((a * d - 5 * a) * d + 8 * a) * d - 4 * a : 0;
}

function cubic(at: usize, x: f32): void {
  // Far outside all places are the one at the edge.
  const bounded = max<f32>(-3, min<f32>(x, <f32>size + 2));
  const middle = <i32>floor(bounded);
  const fraction = bounded - <f32>middle;
  const first = max(0, min(middle - 1, size - 1));
  const last = max(0, min(middle + 2, size - 1));
  store<i32>(at, first);
  store<i32>(at, last - first + 1, 4);
  memory.fill(at + 8, 0, 16);
  let sum: f32 = 0;
  for (let k = -1; k <= 2; k++) {
    const place = middle + k;
    const isOutside = place < 0 || place >= size;
    if (isOutside && resizeExcludeOutside()) continue;
    const weight = cubicWeight(fraction - <f32>k);
    sum += weight;
    const to = at + 8 + (<usize>(max(0, min(place, size - 1)) - first) << 2);
    store<f32>(to, load<f32>(to) + weight);
  }
  if (resizeExcludeOutside() && sum != 0) scaleWeights(at, last - first + 1, sum);
}

@inline
function scaleWeights(at: usize, count: i32, sum: f32): void {
  for (let k = 0; k < count; k++) {
    const to = at + 8 + (<usize>k << 2);
    store<f32>(to, load<f32>(to) / sum);
  }
}

/** The filter stretched over all places that an element of a smaller result stands for. */
function filtered(at: usize, center: f32): void {
  const reach = support();
  const inverse: f32 = scale < 1 ? scale : 1;
  const low = floor(max<f32>(center - reach + 0.5, -1073741824));
  const high = floor(min<f32>(center + reach + 0.5, 1073741824));
  const from = <i32>low;
  const until = from + min(max(<i32>high - from, 0), <i32>taps);
  const first = max(0, min(from, size - 1));
  const beyond = max(first + 1, min(until, size));
  store<i32>(at, first);
  store<i32>(at, beyond - first, 4);
  memory.fill(at + 8, 0, taps << 2);
  let sum: f32 = 0;
  for (let place = from; place < until; place++) {
    const isOutside = place < 0 || place >= size;
    if (isOutside && resizeExcludeOutside()) continue;
    const distance = (<f32>place - center + 0.5) * inverse;
    const d = abs(distance);
    let weight: f32;
    if (resizeMode() == ResizeMode.linear) weight = d < 1 ? 1 - d : 0;
    else weight = d < 2 ? cubicWeight(d) : 0;
    sum += weight;
    const to = at + 8 + (<usize>(max(first, min(place, beyond - 1)) - first) << 2);
    store<f32>(to, load<f32>(to) + weight);
  }
  if (sum != 0) scaleWeights(at, beyond - first, sum);
}
