/**
 * dst[r][c] = src[c][r] for elements of 4 bytes: `rows` rows of `cols` elements, `dstStep` bytes apart
 * at `dst`; the columns `srcStep` bytes apart at `src`, each contiguous. By blocks of 4x4, rests one
 * by one; any alignment.
 */
export function transposeWords(
  dst: usize, dstStep: usize, src: usize, srcStep: usize, rows: u32, cols: u32,
): void {
  const wholeRows = rows & ~3;
  const wholeCols = cols & ~3;
  for (let r: u32 = 0; r < wholeRows; r += 4) {
    let from = src + (<usize>r << 2);
    let to = dst + <usize>r * dstStep;
    for (let n = wholeCols; n != 0; n -= 4) {
      let p = from;
      const a = v128.load(p);
      p += srcStep;
      const b = v128.load(p);
      p += srcStep;
      const c = v128.load(p);
      p += srcStep;
      const d = v128.load(p);
      const ab = v128.shuffle<i32>(a, b, 0, 4, 1, 5);
      const cd = v128.shuffle<i32>(c, d, 0, 4, 1, 5);
      const ef = v128.shuffle<i32>(a, b, 2, 6, 3, 7);
      const gh = v128.shuffle<i32>(c, d, 2, 6, 3, 7);
      let q = to;
      v128.store(q, v128.shuffle<i64>(ab, cd, 0, 2));
      q += dstStep;
      v128.store(q, v128.shuffle<i64>(ab, cd, 1, 3));
      q += dstStep;
      v128.store(q, v128.shuffle<i64>(ef, gh, 0, 2));
      q += dstStep;
      v128.store(q, v128.shuffle<i64>(ef, gh, 1, 3));
      from = p + srcStep;
      to += 16;
    }
    rest(dst, dstStep, src, srcStep, r, r + 4, wholeCols, cols);
  }
  rest(dst, dstStep, src, srcStep, wholeRows, rows, 0, cols);
}

function rest(
  dst: usize, dstStep: usize, src: usize, srcStep: usize, r0: u32, r1: u32, c0: u32, cols: u32,
): void {
  if (c0 == cols) return;
  for (let r = r0; r < r1; r++) {
    let p = src + (<usize>r << 2) + <usize>c0 * srcStep;
    let q = dst + <usize>r * dstStep + (<usize>c0 << 2);
    for (let c = c0; c < cols; c++, p += srcStep, q += 4) store<u32>(q, load<u32>(p));
  }
}
