/**
 * dst[r][c] = src[c][r] for elements of one byte: `rows` rows of `cols` elements, `dstStep` bytes apart at `dst`;
 * the columns `srcStep` bytes apart at `src`, each contiguous. By blocks of 8x8, rests one by one; any alignment.
 */
export function transposeBytes(
  dst: usize, dstStep: usize, src: usize, srcStep: usize, rows: u32, cols: u32,
): void {
  const wholeRows = rows & ~7;
  const wholeCols = cols & ~7;
  for (let r: u32 = 0; r < wholeRows; r += 8) {
    let from = src + r;
    let to = dst + <usize>r * dstStep;
    for (let n = wholeCols; n != 0; n -= 8, from += srcStep << 3, to += 8) square(to, dstStep, from, srcStep);
    rest(dst, dstStep, src, srcStep, r, r + 8, wholeCols, cols);
  }
  rest(dst, dstStep, src, srcStep, wholeRows, rows, 0, cols);
}

@inline
function square(dst: usize, dstStep: usize, src: usize, srcStep: usize): void {
  const ab = bytesOf(src, srcStep);
  const cd = bytesOf(src + (srcStep << 1), srcStep);
  const ef = bytesOf(src + (srcStep << 2), srcStep);
  const gh = bytesOf(src + srcStep * 6, srcStep);
  const low0 = v128.shuffle<i16>(ab, cd, 0, 8, 1, 9, 2, 10, 3, 11);
  const low1 = v128.shuffle<i16>(ef, gh, 0, 8, 1, 9, 2, 10, 3, 11);
  const high0 = v128.shuffle<i16>(ab, cd, 4, 12, 5, 13, 6, 14, 7, 15);
  const high1 = v128.shuffle<i16>(ef, gh, 4, 12, 5, 13, 6, 14, 7, 15);
  dst = twoRows(dst, dstStep, v128.shuffle<i32>(low0, low1, 0, 4, 1, 5));
  dst = twoRows(dst, dstStep, v128.shuffle<i32>(low0, low1, 2, 6, 3, 7));
  dst = twoRows(dst, dstStep, v128.shuffle<i32>(high0, high1, 0, 4, 1, 5));
  twoRows(dst, dstStep, v128.shuffle<i32>(high0, high1, 2, 6, 3, 7));
}

/** Eight bytes of two columns in turns. */
@inline
function bytesOf(src: usize, srcStep: usize): v128 {
  return i8x16.shuffle(
    v128.load64_zero(src), v128.load64_zero(src + srcStep), 0, 16, 1, 17, 2, 18, 3, 19, 4, 20, 5, 21, 6, 22, 7, 23,
  );
}

@inline
function twoRows(dst: usize, dstStep: usize, x: v128): usize {
  v128.store64_lane(dst, x, 0);
  v128.store64_lane(dst + dstStep, x, 1);
  return dst + (dstStep << 1);
}

function rest(
  dst: usize, dstStep: usize, src: usize, srcStep: usize, r0: u32, r1: u32, c0: u32, cols: u32,
): void {
  if (c0 == cols) return;
  for (let r = r0; r < r1; r++) {
    let p = src + r + <usize>c0 * srcStep;
    let q = dst + <usize>r * dstStep + c0;
    for (let c = c0; c < cols; c++, p += srcStep, q++) store<u8>(q, load<u8>(p));
  }
}

/** Three planes of `count` bytes, `planeStep` bytes apart at `src`, into triples at `dst`; any alignment. */
export function interleaveBytes3(dst: usize, src: usize, planeStep: usize, count: u32): void {
  let p = src;
  let q = src + planeStep;
  let r = q + planeStep;
  let n = count;
  for (; n >= 16; n -= 16, p += 16, q += 16, r += 16, dst += 48) {
    const a = v128.load(p);
    const b = v128.load(q);
    const c = v128.load(r);
    const x = i8x16.shuffle(a, b, 0, 16, 0, 1, 17, 0, 2, 18, 0, 3, 19, 0, 4, 20, 0, 5);
    v128.store(dst, i8x16.shuffle(x, c, 0, 1, 16, 3, 4, 17, 6, 7, 18, 9, 10, 19, 12, 13, 20, 15));
    const y = i8x16.shuffle(a, b, 21, 0, 6, 22, 0, 7, 23, 0, 8, 24, 0, 9, 25, 0, 10, 26);
    v128.store(dst, i8x16.shuffle(y, c, 0, 21, 2, 3, 22, 5, 6, 23, 8, 9, 24, 11, 12, 25, 14, 15), 16);
    const z = i8x16.shuffle(a, b, 0, 11, 27, 0, 12, 28, 0, 13, 29, 0, 14, 30, 0, 15, 31, 0);
    v128.store(dst, i8x16.shuffle(z, c, 26, 1, 2, 27, 4, 5, 28, 7, 8, 29, 10, 11, 30, 13, 14, 31), 32);
  }
  for (; n != 0; n--, p++, q++, r++, dst += 3) {
    store<u8>(dst, load<u8>(p));
    store<u8>(dst, load<u8>(q), 1);
    store<u8>(dst, load<u8>(r), 2);
  }
}
