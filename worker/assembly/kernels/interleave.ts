/**
 * Three planes of `count` floats, `planeStep` bytes apart at `src`, into triples at `dst`: the pixels
 * of an image whose colours lie apart. Four pixels a turn, then one; any alignment.
 */
export function interleave3(dst: usize, src: usize, planeStep: usize, count: u32): void {
  let p = src;
  let q = src + planeStep;
  let r = q + planeStep;
  let n = count >>> 2;
  if (n != 0) do {
    const a = v128.load(p);
    const b = v128.load(q);
    const c = v128.load(r);
    v128.store(dst, v128.shuffle<i32>(v128.shuffle<i32>(a, b, 0, 4, 1, 5), c, 0, 1, 4, 2));
    v128.store(dst, v128.shuffle<i32>(v128.shuffle<i32>(a, b, 5, 2, 6, 3), c, 0, 5, 1, 2), 16);
    v128.store(dst, v128.shuffle<i32>(v128.shuffle<i32>(a, b, 3, 7, 3, 7), c, 6, 0, 1, 7), 32);
    p += 16;
    q += 16;
    r += 16;
    dst += 48;
  } while (--n);
  for (n = count & 3; n != 0; n--, p += 4, q += 4, r += 4, dst += 12) {
    store<u32>(dst, load<u32>(p));
    store<u32>(dst, load<u32>(q), 4);
    store<u32>(dst, load<u32>(r), 8);
  }
}
