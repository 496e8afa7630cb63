/**
 * Copies `bytes` forward; the ranges may overlap only where `dst` lies before `src`. Cheaper than
 * memory.copy, which is charged an instruction a byte.
 */
export function copyBytes(dst: usize, src: usize, bytes: usize): void {
  let n = bytes >>> 7;
  if (n != 0) do {
    v128.store(dst, v128.load(src));
    v128.store(dst, v128.load(src, 16), 16);
    v128.store(dst, v128.load(src, 32), 32);
    v128.store(dst, v128.load(src, 48), 48);
    v128.store(dst, v128.load(src, 64), 64);
    v128.store(dst, v128.load(src, 80), 80);
    v128.store(dst, v128.load(src, 96), 96);
    v128.store(dst, v128.load(src, 112), 112);
    src += 128;
    dst += 128;
  } while (--n);
  n = (bytes >>> 4) & 7;
  if (n != 0) do {
    v128.store(dst, v128.load(src));
    src += 16;
    dst += 16;
  } while (--n);
  n = bytes & 15;
  if (n >= 8) {
    store<u64>(dst, load<u64>(src));
    src += 8;
    dst += 8;
    n -= 8;
  }
  if (n >= 4) {
    store<u32>(dst, load<u32>(src));
    src += 4;
    dst += 4;
    n -= 4;
  }
  for (; n != 0; n--) store<u8>(dst++, load<u8>(src++));
}

/** Zeros from `at` up to `end`. Cheaper than memory.fill, which is charged an instruction a byte. */
export function fillZeros(at: usize, end: usize): void {
  for (; at + 16 <= end; at += 16) v128.store(at, i64x2.splat(0));
  for (; at + 4 <= end; at += 4) store<u32>(at, 0);
  for (; at < end; at++) store<u8>(at, 0);
}

/** `count` elements of T, `step` bytes apart at `src` (0 and negative too), one after another at `dst`. */
@inline
function gatherOf<T>(dst: usize, src: usize, step: usize, count: u32): void {
  for (; count != 0; count--, src += step, dst += sizeof<T>()) store<T>(dst, load<T>(src));
}

/** As the name says, for elements of 1, 2, 4 or 8 bytes. Steps in bytes. */
export function copyStrided(dst: usize, src: usize, step: usize, count: u32, elementBytes: u32): void {
  if (step == elementBytes) copyBytes(dst, src, <usize>count * elementBytes);
  else if (elementBytes == 4) gatherOf<u32>(dst, src, step, count);
  else if (elementBytes == 8) gatherOf<u64>(dst, src, step, count);
  else if (elementBytes == 1) gatherOf<u8>(dst, src, step, count);
  else gatherOf<u16>(dst, src, step, count);
}
