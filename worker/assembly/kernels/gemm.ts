import { gemm1 } from './gemm1';
import { gemm16 } from './gemm16';
import { gemm32 } from './gemm32';
import { gemm4 } from './gemm4';
import { gemm8 } from './gemm8';

/**
 * A rectangle of pixels through one panel, any depth: cut into pieces of 32, 16, 8, 4 and 1 input
 * channels. Begins with `bias` where `first`, else adds to `out`; clamps the final sums where
 * `clamp`. Steps in bytes; nx, ny, depth >= 1.
 */
export function gemm(
  width: usize, first: bool, clamp: bool,
  a: usize, aStepX: usize, aStepY: usize, out: usize, oStepX: usize, oStepY: usize,
  nx: u32, ny: u32, w: usize, bias: usize, depth: u32,
): void {
  while (depth >= 32) {
    depth -= 32;
    gemm32(width, first, clamp && depth == 0, a, aStepX, aStepY, out, oStepX, oStepY, nx, ny, w, bias);
    first = false;
    a += 128;
    w += width << 5;
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
  while (depth > 0) {
    depth -= 1;
    gemm1(width, first, clamp && depth == 0, a, aStepX, aStepY, out, oStepX, oStepY, nx, ny, w, bias);
    first = false;
    a += 4;
    w += width;
  }
}
