import { gemm1 } from './gemm1';
import { gemm16 } from './gemm16';
import { gemm2 } from './gemm2';
import { gemm3 } from './gemm3';
import { gemm32 } from './gemm32';
import { gemm4 } from './gemm4';
import { gemm8 } from './gemm8';

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
      gemm32(width, true, whole, a, aStepX, aStepY, out, oStepX, oStepY, nx, ny, w, bias, 1);
      first = false;
      blocks--;
      a += 128;
      w += width << 5;
    }
    const last: u32 = clamp && depth == 0 ? 1 : 0;
    if (blocks > last) {
      blocks -= last;
      gemm32(width, false, false, a, aStepX, aStepY, out, oStepX, oStepY, nx, ny, w, bias, blocks);
      a += <usize>blocks << 7;
      w += (<usize>blocks * width) << 5;
      blocks = last;
    }
    if (blocks != 0) gemm32(width, false, true, a, aStepX, aStepY, out, oStepX, oStepY, nx, ny, w, bias, 1);
  }
  if (depth >= 16) {
    depth -= 16;
    gemm16(width, first, clamp && depth == 0, a, aStepX, aStepY, out, oStepX, oStepY, nx, ny, w, bias);
    first = false;
    a += 64;
    w += width << 4;
  }
  if (depth >= 8) {
    depth -= 8;
    gemm8(width, first, clamp && depth == 0, a, aStepX, aStepY, out, oStepX, oStepY, nx, ny, w, bias);
    first = false;
    a += 32;
    w += width << 3;
  }
  if (depth >= 4) {
    depth -= 4;
    gemm4(width, first, clamp && depth == 0, a, aStepX, aStepY, out, oStepX, oStepY, nx, ny, w, bias);
    first = false;
    a += 16;
    w += width << 2;
  }
  if (depth == 3) gemm3(width, first, clamp, a, aStepX, aStepY, out, oStepX, oStepY, nx, ny, w, bias);
  else if (depth == 2) gemm2(width, first, clamp, a, aStepX, aStepY, out, oStepX, oStepY, nx, ny, w, bias);
  else if (depth == 1) gemm1(width, first, clamp, a, aStepX, aStepY, out, oStepX, oStepY, nx, ny, w, bias);
}
