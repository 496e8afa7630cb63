import { UnaryKind } from '../generated/constants';

/**
 * dst[i] = f(src[i]) for floats one by one: the kinds that are rare, and all kinds of f64 but erf and
 * gelu. False for an unknown kind. dst may be src.
 */
export function unaryScalar<T>(
  kind: u32, src: usize, dst: usize, count: u32, alpha: f32, beta: f32,
): bool {
  if (!isKnown(kind)) return false;
  for (let i: u32 = 0; i < count; i++, src += sizeof<T>(), dst += sizeof<T>()) {
    store<T>(dst, unary1<T>(kind, load<T>(src), <T>alpha, <T>beta));
  }
  return true;
}

function isKnown(kind: u32): bool {
  if (kind == UnaryKind.gelu || kind == UnaryKind.erf || kind == UnaryKind.not) return false;
  if (kind >= UnaryKind.acos) return kind <= UnaryKind.geluTanh;
  return kind <= UnaryKind.leakyRelu || (kind >= UnaryKind.exp && kind <= UnaryKind.affine);
}

function unary1<T>(kind: u32, x: T, alpha: T, beta: T): T {
  switch (kind) {
    case UnaryKind.none:
      return x;
    case UnaryKind.relu:
      return x < <T>0 ? <T>0 : x;
    case UnaryKind.clip:
      return x < alpha ? alpha : x > beta ? beta : x;
    case UnaryKind.hardSwish:
      return x * unit<T>(x / <T>6 + <T>0.5);
    case UnaryKind.hardSigmoid:
      return unit<T>(alpha * x + beta);
    case UnaryKind.sigmoid:
      return sigmoid<T>(x);
    case UnaryKind.quickGelu:
      return x * sigmoid<T>(alpha * x);
    case UnaryKind.tanh:
      return tanh<T>(x);
    case UnaryKind.leakyRelu:
      return x < <T>0 ? alpha * x : x;
    case UnaryKind.exp:
      return exp<T>(x);
    case UnaryKind.log:
      return sizeof<T>() == 4 ? <T>Mathf.log(<f32>x) : <T>Math.log(<f64>x);
    case UnaryKind.sqrt:
      return sqrt<T>(x);
    case UnaryKind.reciprocal:
      return <T>1 / x;
    case UnaryKind.neg:
      return -x;
    case UnaryKind.abs:
      return abs<T>(x);
    case UnaryKind.floor:
      return floor<T>(x);
    case UnaryKind.ceil:
      return ceil<T>(x);
    case UnaryKind.round:
      return nearest<T>(x);
    case UnaryKind.sign:
      return x > <T>0 ? <T>1 : x < <T>0 ? <T>-1 : x;
    case UnaryKind.sin:
      return sizeof<T>() == 4 ? <T>Mathf.sin(<f32>x) : <T>Math.sin(<f64>x);
    case UnaryKind.cos:
      return sizeof<T>() == 4 ? <T>Mathf.cos(<f32>x) : <T>Math.cos(<f64>x);
    case UnaryKind.softplus:
      return softplus<T>(x);
    case UnaryKind.affine:
      return alpha * x + beta;
    case UnaryKind.acos:
      return sizeof<T>() == 4 ? <T>Mathf.acos(<f32>x) : <T>Math.acos(<f64>x);
    case UnaryKind.acosh:
      return sizeof<T>() == 4 ? <T>Mathf.acosh(<f32>x) : <T>Math.acosh(<f64>x);
    case UnaryKind.asin:
      return sizeof<T>() == 4 ? <T>Mathf.asin(<f32>x) : <T>Math.asin(<f64>x);
    case UnaryKind.asinh:
      return sizeof<T>() == 4 ? <T>Mathf.asinh(<f32>x) : <T>Math.asinh(<f64>x);
    case UnaryKind.atan:
      return sizeof<T>() == 4 ? <T>Mathf.atan(<f32>x) : <T>Math.atan(<f64>x);
    case UnaryKind.atanh:
      return sizeof<T>() == 4 ? <T>Mathf.atanh(<f32>x) : <T>Math.atanh(<f64>x);
    case UnaryKind.cosh:
      return sizeof<T>() == 4 ? <T>Mathf.cosh(<f32>x) : <T>Math.cosh(<f64>x);
    case UnaryKind.sinh:
      return sizeof<T>() == 4 ? <T>Mathf.sinh(<f32>x) : <T>Math.sinh(<f64>x);
    case UnaryKind.tan:
      return sizeof<T>() == 4 ? <T>Mathf.tan(<f32>x) : <T>Math.tan(<f64>x);
    case UnaryKind.elu:
      return x < <T>0 ? alpha * (exp<T>(x) - <T>1) : x;
    case UnaryKind.selu:
      return beta * (x > <T>0 ? x : alpha * (exp<T>(x) - <T>1));
    case UnaryKind.celu:
      return x > <T>0 ? x : alpha * (exp<T>(x / alpha) - <T>1);
    case UnaryKind.thresholdedRelu:
      return x > alpha ? x : <T>0;
    case UnaryKind.softsign:
      return x / (<T>1 + abs<T>(x));
    case UnaryKind.mish:
      return x * tanh<T>(softplus<T>(x));
    case UnaryKind.shrink:
      return x < -beta ? x + alpha : x > beta ? x - alpha : <T>0;
    default:
      return <T>0.5 * x * (<T>1 + tanh<T>(<T>0.7978845608028654 * (x + <T>0.044715 * x * x * x)));
  }
}

@inline
function unit<T>(x: T): T {
  return x < <T>0 ? <T>0 : x > <T>1 ? <T>1 : x;
}

@inline
function exp<T>(x: T): T {
  return sizeof<T>() == 4 ? <T>Mathf.exp(<f32>x) : <T>Math.exp(<f64>x);
}

@inline
function tanh<T>(x: T): T {
  return sizeof<T>() == 4 ? <T>Mathf.tanh(<f32>x) : <T>Math.tanh(<f64>x);
}

@inline
function sigmoid<T>(x: T): T {
  return <T>1 / (<T>1 + exp<T>(-x));
}

@inline
function softplus<T>(x: T): T {
  const rest = exp<T>(-abs<T>(x));
  return (x > <T>0 ? x : <T>0) + (sizeof<T>() == 4 ? <T>Mathf.log1p(<f32>rest) : <T>Math.log1p(<f64>rest));
}
