import { Depth1, Depth16, Depth2, Depth3, Depth32, Depth4, Depth8 } from './depth';
import { gemmPiece } from './gemm-piece';

/**
 * Input channels that go through a panel without a look at the budget: a deeper product is done in
 * pieces of as many. A multiple of the depth of the pieces here, so sums are the same.
 */
export const DEPTH_PIECE: u32 = 4096;

/**
 * A rectangle of pixels through one panel, any depth: cut into pieces of 32 input channels and at
 * most one each of 16, 8, 4 and 3, 2 or 1. Begins with `bias` where `first`, else adds to `out`;
 * clamps the final sums where `clamp`. Steps in bytes; nx, ny, depth >= 1.
 */
export function gemm(
  width: usize, first: bool, clamp: bool,
  a: usize, aStepX: usize, aStepY: usize, out: usize, oStepX: usize, oStepY: usize,
  nx: u32, ny: u32, w: usize, bias: usize, depth: u32,
): void {
  let blocks = depth >>> 5;
  depth &= 31;
  if (blocks != 0) {
    if (first) {
      const whole = clamp && blocks == 1 && depth == 0;
      gemmPiece<Depth32>(width, true, whole, a, aStepX, aStepY, out, oStepX, oStepY, nx, ny, w, bias, 1);
      first = false;
      blocks--;
      a += 128;
      w += width << 5;
    }
    const last: u32 = clamp && depth == 0 ? 1 : 0;
    if (blocks > last) {
      blocks -= last;
      gemmPiece<Depth32>(width, false, false, a, aStepX, aStepY, out, oStepX, oStepY, nx, ny, w, bias, blocks);
      a += <usize>blocks << 7;
      w += (<usize>blocks * width) << 5;
      blocks = last;
    }
    if (blocks != 0) gemmPiece<Depth32>(width, false, true, a, aStepX, aStepY, out, oStepX, oStepY, nx, ny, w, bias, 1);
  }
  if (depth >= 16) {
    depth -= 16;
    gemmPiece<Depth16>(width, first, clamp && depth == 0, a, aStepX, aStepY, out, oStepX, oStepY, nx, ny, w, bias);
    first = false;
    a += 64;
    w += width << 4;
  }
  if (depth >= 8) {
    depth -= 8;
    gemmPiece<Depth8>(width, first, clamp && depth == 0, a, aStepX, aStepY, out, oStepX, oStepY, nx, ny, w, bias);
    first = false;
    a += 32;
    w += width << 3;
  }
  if (depth >= 4) {
    depth -= 4;
    gemmPiece<Depth4>(width, first, clamp && depth == 0, a, aStepX, aStepY, out, oStepX, oStepY, nx, ny, w, bias);
    first = false;
    a += 16;
    w += width << 2;
  }
  if (depth == 3) gemmPiece<Depth3>(width, first, clamp, a, aStepX, aStepY, out, oStepX, oStepY, nx, ny, w, bias);
  else if (depth == 2) gemmPiece<Depth2>(width, first, clamp, a, aStepX, aStepY, out, oStepX, oStepY, nx, ny, w, bias);
  else if (depth == 1) gemmPiece<Depth1>(width, first, clamp, a, aStepX, aStepY, out, oStepX, oStepY, nx, ny, w, bias);
}
