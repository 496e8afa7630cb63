@inline
function wordsOf(p: usize, step: usize): v128 {
  return step == 0 ? v128.load32_splat(p) : v128.load(p);
}

/**
 * dst[i] = c[i] is not 0 ? x[i] : y[i], for `n` elements of four bytes and conditions of one. A step of 0 repeats
 * the first element, 4 goes on to the next.
 */
export function chooseWords(c: usize, x: usize, xStep: usize, y: usize, yStep: usize, dst: usize, n: u32): void {
  for (; n >= 4; n -= 4, c += 4, x += xStep << 2, y += yStep << 2, dst += 16) {
    const words = i32x4.extend_low_i16x8_u(i16x8.extend_low_i8x16_u(v128.load32_zero(c)));
    const isTrue = i32x4.ne(words, i32x4.splat(0));
    v128.store(dst, v128.bitselect(wordsOf(x, xStep), wordsOf(y, yStep), isTrue));
  }
  for (; n != 0; n--, c++, x += xStep, y += yStep, dst += 4) store<u32>(dst, load<u32>(load<u8>(c) != 0 ? x : y));
}
