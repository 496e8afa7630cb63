import { UnaryKind } from '../generated/constants';
import { loadTail, storeTail } from './lanes';
import { unary4 } from './unary-functions';
import { unaryScalar } from './unary-scalar';

/**
 * dst[i] = f(src[i]) for 0 <= i < count, times `scale` plus `shift` where `scaled`; dst may be src.
 * Four vectors a turn for functions of few instructions, then one, then the tail; any alignment.
 */
@inline
function body(
  kind: u32, scaled: bool,
  src: usize, dst: usize, count: u32, alpha: v128, beta: v128, scale: v128, shift: v128,
): void {
  let n = count >>> 4;
  if (isCheap(kind) && n != 0) do {
    v128.store(dst, step(kind, scaled, v128.load(src), alpha, beta, scale, shift));
    v128.store(dst, step(kind, scaled, v128.load(src, 16), alpha, beta, scale, shift), 16);
    v128.store(dst, step(kind, scaled, v128.load(src, 32), alpha, beta, scale, shift), 32);
    v128.store(dst, step(kind, scaled, v128.load(src, 48), alpha, beta, scale, shift), 48);
    src += 64;
    dst += 64;
  } while (--n);
  n = isCheap(kind) ? (count >>> 2) & 3 : count >>> 2;
  if (n != 0) do {
    v128.store(dst, step(kind, scaled, v128.load(src), alpha, beta, scale, shift));
    src += 16;
    dst += 16;
  } while (--n);
  n = count & 3;
  if (n != 0) storeTail(dst, step(kind, scaled, loadTail(src, n), alpha, beta, scale, shift), n);
}

@inline
function isCheap(kind: u32): bool {
  return (
    kind == UnaryKind.relu || kind == UnaryKind.clip || kind == UnaryKind.hardSwish ||
    kind == UnaryKind.affine
  );
}

@inline
function step(
  kind: u32, scaled: bool, x: v128, alpha: v128, beta: v128, scale: v128, shift: v128,
): v128 {
  const y = unary4(kind, x, alpha, beta);
  return scaled ? f32x4.add(f32x4.mul(y, scale), shift) : y;
}

@inline
function both(
  kind: u32, src: usize, dst: usize, count: u32, alpha: f32, beta: f32, scale: f32, shift: f32,
): void {
  const a = f32x4.splat(alpha);
  const b = f32x4.splat(beta);
  if (scale == 1 && shift == 0) body(kind, false, src, dst, count, a, b, a, b);
  else body(kind, true, src, dst, count, a, b, f32x4.splat(scale), f32x4.splat(shift));
}

// One function a kind: the compiler makes constants of the kinds only where bodies stay apart.
function relu(s: usize, d: usize, n: u32, a: f32, b: f32, scale: f32, shift: f32): void {
  both(UnaryKind.relu, s, d, n, a, b, scale, shift);
}
function clip(s: usize, d: usize, n: u32, a: f32, b: f32, scale: f32, shift: f32): void {
  both(UnaryKind.clip, s, d, n, a, b, scale, shift);
}
function hardSwish(s: usize, d: usize, n: u32, a: f32, b: f32, scale: f32, shift: f32): void {
  both(UnaryKind.hardSwish, s, d, n, a, b, scale, shift);
}
function hardSigmoid(s: usize, d: usize, n: u32, a: f32, b: f32, scale: f32, shift: f32): void {
  both(UnaryKind.hardSigmoid, s, d, n, a, b, scale, shift);
}
function sigmoid(s: usize, d: usize, n: u32, a: f32, b: f32, scale: f32, shift: f32): void {
  both(UnaryKind.sigmoid, s, d, n, a, b, scale, shift);
}
function quickGelu(s: usize, d: usize, n: u32, a: f32, b: f32, scale: f32, shift: f32): void {
  both(UnaryKind.quickGelu, s, d, n, a, b, scale, shift);
}
function gelu(s: usize, d: usize, n: u32, a: f32, b: f32, scale: f32, shift: f32): void {
  both(UnaryKind.gelu, s, d, n, a, b, scale, shift);
}
function tanh(s: usize, d: usize, n: u32, a: f32, b: f32, scale: f32, shift: f32): void {
  both(UnaryKind.tanh, s, d, n, a, b, scale, shift);
}
function leakyRelu(s: usize, d: usize, n: u32, a: f32, b: f32, scale: f32, shift: f32): void {
  both(UnaryKind.leakyRelu, s, d, n, a, b, scale, shift);
}
function erf(s: usize, d: usize, n: u32, a: f32, b: f32, scale: f32, shift: f32): void {
  both(UnaryKind.erf, s, d, n, a, b, scale, shift);
}
function exp(s: usize, d: usize, n: u32, a: f32, b: f32, scale: f32, shift: f32): void {
  both(UnaryKind.exp, s, d, n, a, b, scale, shift);
}
function sqrt(s: usize, d: usize, n: u32, a: f32, b: f32, scale: f32, shift: f32): void {
  both(UnaryKind.sqrt, s, d, n, a, b, scale, shift);
}
function reciprocal(s: usize, d: usize, n: u32, a: f32, b: f32, scale: f32, shift: f32): void {
  both(UnaryKind.reciprocal, s, d, n, a, b, scale, shift);
}
function neg(s: usize, d: usize, n: u32, a: f32, b: f32, scale: f32, shift: f32): void {
  both(UnaryKind.neg, s, d, n, a, b, scale, shift);
}
function abs(s: usize, d: usize, n: u32, a: f32, b: f32, scale: f32, shift: f32): void {
  both(UnaryKind.abs, s, d, n, a, b, scale, shift);
}
function floor(s: usize, d: usize, n: u32, a: f32, b: f32, scale: f32, shift: f32): void {
  both(UnaryKind.floor, s, d, n, a, b, scale, shift);
}
function ceil(s: usize, d: usize, n: u32, a: f32, b: f32, scale: f32, shift: f32): void {
  both(UnaryKind.ceil, s, d, n, a, b, scale, shift);
}
function round(s: usize, d: usize, n: u32, a: f32, b: f32, scale: f32, shift: f32): void {
  both(UnaryKind.round, s, d, n, a, b, scale, shift);
}
function sign(s: usize, d: usize, n: u32, a: f32, b: f32, scale: f32, shift: f32): void {
  both(UnaryKind.sign, s, d, n, a, b, scale, shift);
}
function affine(s: usize, d: usize, n: u32, a: f32, b: f32, scale: f32, shift: f32): void {
  both(UnaryKind.affine, s, d, n, a, b, scale, shift);
}

/**
 * dst[i] = f(src[i]) * scale + shift for 0 <= i < count; f is a kind of Unary with its alpha and
 * beta, or Activation.none. False for an unknown kind. dst may be src.
 */
export function unary(
  kind: u32, src: usize, dst: usize, count: u32, alpha: f32, beta: f32, scale: f32, shift: f32,
): bool {
  switch (kind) {
    case 0:
      affine(src, dst, count, scale, shift, 1, 0);
      return true;
    case UnaryKind.relu:
      relu(src, dst, count, alpha, beta, scale, shift);
      return true;
    case UnaryKind.clip:
      clip(src, dst, count, alpha, beta, scale, shift);
      return true;
    case UnaryKind.hardSwish:
      hardSwish(src, dst, count, alpha, beta, scale, shift);
      return true;
    case UnaryKind.hardSigmoid:
      hardSigmoid(src, dst, count, alpha, beta, scale, shift);
      return true;
    case UnaryKind.sigmoid:
      sigmoid(src, dst, count, alpha, beta, scale, shift);
      return true;
    case UnaryKind.quickGelu:
      quickGelu(src, dst, count, alpha, beta, scale, shift);
      return true;
    case UnaryKind.gelu:
      gelu(src, dst, count, alpha, beta, scale, shift);
      return true;
    case UnaryKind.tanh:
      tanh(src, dst, count, alpha, beta, scale, shift);
      return true;
    case UnaryKind.leakyRelu:
      leakyRelu(src, dst, count, alpha, beta, scale, shift);
      return true;
    case UnaryKind.erf:
      erf(src, dst, count, alpha, beta, scale, shift);
      return true;
    case UnaryKind.exp:
      exp(src, dst, count, alpha, beta, scale, shift);
      return true;
    case UnaryKind.sqrt:
      sqrt(src, dst, count, alpha, beta, scale, shift);
      return true;
    case UnaryKind.reciprocal:
      reciprocal(src, dst, count, alpha, beta, scale, shift);
      return true;
    case UnaryKind.neg:
      neg(src, dst, count, alpha, beta, scale, shift);
      return true;
    case UnaryKind.abs:
      abs(src, dst, count, alpha, beta, scale, shift);
      return true;
    case UnaryKind.floor:
      floor(src, dst, count, alpha, beta, scale, shift);
      return true;
    case UnaryKind.ceil:
      ceil(src, dst, count, alpha, beta, scale, shift);
      return true;
    case UnaryKind.round:
      round(src, dst, count, alpha, beta, scale, shift);
      return true;
    case UnaryKind.sign:
      sign(src, dst, count, alpha, beta, scale, shift);
      return true;
    case UnaryKind.affine:
      affine(src, dst, count, alpha, beta, scale, shift);
      return true;
    default:
      if (!unaryScalar<f32>(kind, src, dst, count, alpha, beta)) return false;
      if (scale != 1 || shift != 0) affine(dst, dst, count, scale, shift, 1, 0);
      return true;
  }
}
