import { UnaryKind } from '../generated/constants';
import { erf4, gelu4 } from './erf';
import { exp4, sigmoid4 } from './exp';
import { tanh4 } from './tanh';

/**
 * One kind of Unary on four lanes. `kind` must be a constant where this is inlined, so that only the
 * kind's own instructions remain; the last kind is affine. NaN comes out as NaN.
 */
@inline
export function unary4(kind: u32, x: v128, alpha: v128, beta: v128): v128 {
  if (kind == UnaryKind.relu) return f32x4.pmax(x, f32x4.splat(0));
  if (kind == UnaryKind.clip) return f32x4.pmin(f32x4.pmax(x, alpha), beta);
  if (kind == UnaryKind.hardSwish) {
    const gate = unitClip(f32x4.add(f32x4.mul(x, f32x4.splat(0.16666667)), f32x4.splat(0.5)));
    return f32x4.mul(x, gate);
  }
  if (kind == UnaryKind.hardSigmoid) return unitClip(f32x4.add(f32x4.mul(x, alpha), beta));
  if (kind == UnaryKind.sigmoid) return sigmoid4(x);
  if (kind == UnaryKind.quickGelu) return f32x4.mul(x, sigmoid4(f32x4.mul(x, alpha)));
  if (kind == UnaryKind.gelu) return gelu4(x);
  if (kind == UnaryKind.tanh) return tanh4(x);
  if (kind == UnaryKind.leakyRelu) {
    return v128.bitselect(f32x4.mul(x, alpha), x, f32x4.lt(x, f32x4.splat(0)));
  }
  if (kind == UnaryKind.erf) return erf4(x);
  if (kind == UnaryKind.exp) {
    const overflow = f32x4.gt(x, f32x4.splat(88.7228));
    return v128.bitselect(f32x4.splat(Infinity), exp4(x), overflow);
  }
  if (kind == UnaryKind.sqrt) return f32x4.sqrt(x);
  if (kind == UnaryKind.reciprocal) return f32x4.div(f32x4.splat(1), x);
  if (kind == UnaryKind.neg) return f32x4.neg(x);
  if (kind == UnaryKind.abs) return f32x4.abs(x);
  if (kind == UnaryKind.floor) return f32x4.floor(x);
  if (kind == UnaryKind.ceil) return f32x4.ceil(x);
  if (kind == UnaryKind.round) return f32x4.nearest(x);
  if (kind == UnaryKind.sign) {
    const positive = v128.and(f32x4.gt(x, f32x4.splat(0)), f32x4.splat(1));
    const sign = f32x4.sub(positive, v128.and(f32x4.lt(x, f32x4.splat(0)), f32x4.splat(1)));
    // All bits set where x is no number: no number either.
    return v128.or(sign, f32x4.ne(x, x));
  }
  return f32x4.add(f32x4.mul(x, alpha), beta);
}

@inline
function unitClip(x: v128): v128 {
  return f32x4.pmin(f32x4.pmax(x, f32x4.splat(0)), f32x4.splat(1));
}
