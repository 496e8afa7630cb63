import { UnaryKind } from '../generated/constants';

/** dst[i] = f(src[i]) for the kinds that are rare enough to go one by one; dst may be src. */
export function unaryScalar(kind: u32, src: usize, dst: usize, count: u32): void {
  for (let i: u32 = 0; i < count; i++) {
    store<f32>(dst + (<usize>i << 2), unary1(kind, load<f32>(src + (<usize>i << 2))));
  }
}

/** log, sin, cos and softplus of one number. */
function unary1(kind: u32, x: f32): f32 {
  switch (kind) {
    case UnaryKind.log:
      return Mathf.log(x);
    case UnaryKind.sin:
      return Mathf.sin(x);
    case UnaryKind.cos:
      return Mathf.cos(x);
    default:
      return (x > 0 ? x : 0) + Mathf.log1p(Mathf.exp(-Mathf.abs(x)));
  }
}
