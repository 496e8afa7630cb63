import { DType } from '../generated/constants';
import { quantizeRun } from '../kernels/quantize';
import { failInput, input, output, outputAlloc, progress, setProgress, setSlot, setSlotF, slot, slotF } from '../tensor/node';
import { unitsOfBlock, yieldsAt } from './blocks';
import { DONE, FAILED, YIELD } from './status';

const SLOT_PLACE: u32 = 0;
const SLOT_LEAST: u32 = 1;
const SLOT_MOST: u32 = 2;
const SEARCHING: u32 = 1;
const QUANTIZING: u32 = 2;
/** About what an element takes. */
const COST: u64 = 6;

/** X to its integers, their scale and zero point, which cover all of X and 0. */
export function dynamicQuantize(): i32 {
  const x = input(0);
  if (progress == 0) {
    if (x.dtype != DType.float32) {
      failInput(0, 'float32');
      return FAILED;
    }
    output(0).shapeLike(x);
    if (!outputAlloc(0, DType.uint8, x.rank)) return FAILED;
    if (!outputAlloc(1, DType.float32, 0) || !outputAlloc(2, DType.uint8, 0)) return FAILED;
    setProgress(SEARCHING);
  }
  const count = x.count();
  const some = unitsOfBlock(COST);
  if (progress == SEARCHING) {
    for (let i = slot(SLOT_PLACE); i < count; ) {
      const n = min(some, count - i);
      bounds(x.data + (<usize>i << 2), n);
      i += n;
      if (yieldsAt(SLOT_PLACE, i, COST * n)) return YIELD;
    }
    setParameters();
    setSlot(SLOT_PLACE, 0);
    setProgress(QUANTIZING);
  }
  const scale = load<f32>(output(1).data);
  const zero = <i32>load<u8>(output(2).data);
  for (let i = slot(SLOT_PLACE); i < count; ) {
    const n = min(some, count - i);
    quantizeRun<u8>(x.data + (<usize>i << 2), output(0).data + i, n, scale, zero);
    i += n;
    if (i < count && yieldsAt(SLOT_PLACE, i, COST * n)) return YIELD;
  }
  return DONE;
}

/** Takes so many numbers into the bounds, which hold 0. */
function bounds(p: usize, n: u32): void {
  let least = f32x4.splat(slotF(SLOT_LEAST));
  let most = f32x4.splat(slotF(SLOT_MOST));
  for (; n >= 16; n -= 16, p += 64) {
    const a = v128.load(p);
    const b = v128.load(p, 16);
    const c = v128.load(p, 32);
    const d = v128.load(p, 48);
    least = f32x4.pmin(f32x4.pmin(f32x4.pmin(f32x4.pmin(least, a), b), c), d);
    most = f32x4.pmax(f32x4.pmax(f32x4.pmax(f32x4.pmax(most, a), b), c), d);
  }
  for (; n >= 4; n -= 4, p += 16) {
    const x = v128.load(p);
    least = f32x4.pmin(least, x);
    most = f32x4.pmax(most, x);
  }
  for (; n != 0; n--, p += 4) {
    const x = v128.load32_splat(p);
    least = f32x4.pmin(least, x);
    most = f32x4.pmax(most, x);
  }
  setSlotF(SLOT_LEAST, min(min(lane(least, 0), lane(least, 1)), min(lane(least, 2), lane(least, 3))));
  setSlotF(SLOT_MOST, max(max(lane(most, 0), lane(most, 1)), max(lane(most, 2), lane(most, 3))));
}

@inline
function lane(x: v128, i: u8): f32 {
  if (i == 0) return f32x4.extract_lane(x, 0);
  if (i == 1) return f32x4.extract_lane(x, 1);
  return i == 2 ? f32x4.extract_lane(x, 2) : f32x4.extract_lane(x, 3);
}

/** Scale and zero point of the bounds: 0 is one of the integers. */
function setParameters(): void {
  const least = slotF(SLOT_LEAST);
  const most = slotF(SLOT_MOST);
  const scale: f32 = most == least ? 1 : (most - least) / 255;
  const zero = nearest<f32>(min<f32>(255, max<f32>(0, -least / scale)));
  store<f32>(output(1).data, scale);
  store<u8>(output(2).data, <u8>zero);
}
