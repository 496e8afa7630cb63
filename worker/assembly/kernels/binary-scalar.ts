import { BinaryKind } from '../generated/constants';

/**
 * out[r][i] = a[r][i] op b[r][i] for rows of n numbers of any type, as {@link binaryRows} does for f32;
 * inner steps are the element's size or 0. An integer divided by zero gives 0. False for an unknown kind.
 */
export function scalarRows<T>(
  kind: u32, a: usize, aRow: usize, aInner: usize, b: usize, bRow: usize, bInner: usize,
  out: usize, rows: u32, n: u32,
): bool {
  for (; rows != 0; rows--, a += aRow, b += bRow) {
    let p = a;
    let q = b;
    for (let i = n; i != 0; i--, p += aInner, q += bInner, out += sizeof<T>()) {
      const x = load<T>(p);
      const y = load<T>(q);
      let z: T;
      switch (kind) {
        case BinaryKind.add:
          z = <T>(x + y);
          break;
        case BinaryKind.sub:
          z = <T>(x - y);
          break;
        case BinaryKind.mul:
          z = <T>(x * y);
          break;
        case BinaryKind.div:
          z = quotient<T>(x, y);
          break;
        case BinaryKind.pow:
          z = power<T>(x, y);
          break;
        case BinaryKind.min:
          z = x != x || x < y ? x : y;
          break;
        case BinaryKind.max:
          z = x != x || x > y ? x : y;
          break;
        case BinaryKind.prelu:
          z = x < <T>0 ? <T>(x * y) : x;
          break;
        case BinaryKind.mod:
          z = remainder<T>(x, y);
          if (z != <T>0 && z < <T>0 != y < <T>0) z = <T>(z + y);
          break;
        case BinaryKind.fmod:
          z = remainder<T>(x, y);
          break;
        default:
          if (isFloat<T>() || kind < BinaryKind.shiftLeft || kind > BinaryKind.bitXor) return false;
          z = bits<T>(kind, x, y);
      }
      store<T>(out, z);
    }
  }
  return true;
}

@inline
function quotient<T>(x: T, y: T): T {
  if (isFloat<T>()) return x / y;
  // The smallest number has no negative: its division by -1 would trap.
  if (isSigned<T>() && y == <T>-1) return <T>(<T>0 - x);
  return y == <T>0 ? <T>0 : <T>(x / y);
}

/** What is left of x, with its sign. */
@inline
function remainder<T>(x: T, y: T): T {
  if (isFloat<T>()) return sizeof<T>() == 4 ? <T>Mathf.mod(<f32>x, <f32>y) : <T>Math.mod(<f64>x, <f64>y);
  return y == <T>0 ? <T>0 : <T>(x % y);
}

/** Shifts by as many bits as there are, or more, leave nothing. */
@inline
function bits<T>(kind: u32, x: T, y: T): T {
  if (isFloat<T>()) return x;
  if (kind == BinaryKind.bitAnd) return <T>(x & y);
  if (kind == BinaryKind.bitOr) return <T>(x | y);
  if (kind == BinaryKind.bitXor) return <T>(x ^ y);
  if (<u64>y >= sizeof<T>() * 8) return <T>0;
  return kind == BinaryKind.shiftLeft ? <T>(x << y) : <T>(x >> y);
}

function power<T>(base: T, exponent: T): T {
  if (isFloat<T>()) {
    return sizeof<T>() == 4 ? <T>Mathf.pow(<f32>base, <f32>exponent) : <T>Math.pow(<f64>base, <f64>exponent);
  }
  if (isSigned<T>() && exponent < <T>0) {
    if (base == <T>-1) return (exponent & <T>1) != <T>0 ? <T>-1 : <T>1;
    return base == <T>1 ? <T>1 : <T>0;
  }
  let result = <T>1;
  while (exponent > <T>0) {
    if ((exponent & <T>1) != <T>0) result = <T>(result * base);
    base = <T>(base * base);
    exponent = <T>(exponent >> <T>1);
  }
  return result;
}

/** Comparisons and, for bytes, and / or / xor, to bytes 0 and 1; else as {@link scalarRows}. */
export function compareRows<T>(
  kind: u32, a: usize, aRow: usize, aInner: usize, b: usize, bRow: usize, bInner: usize,
  out: usize, rows: u32, n: u32,
): bool {
  for (; rows != 0; rows--, a += aRow, b += bRow) {
    let p = a;
    let q = b;
    for (let i = n; i != 0; i--, p += aInner, q += bInner, out++) {
      const x = load<T>(p);
      const y = load<T>(q);
      let z: bool;
      switch (kind) {
        case BinaryKind.equal:
          z = x == y;
          break;
        case BinaryKind.less:
          z = x < y;
          break;
        case BinaryKind.lessOrEqual:
          z = x <= y;
          break;
        case BinaryKind.greater:
          z = x > y;
          break;
        case BinaryKind.greaterOrEqual:
          z = x >= y;
          break;
        case BinaryKind.and:
          z = x != <T>0 && y != <T>0;
          break;
        case BinaryKind.or:
          z = x != <T>0 || y != <T>0;
          break;
        case BinaryKind.xor:
          z = (x != <T>0) != (y != <T>0);
          break;
        default:
          return false;
      }
      store<u8>(out, <u8>z);
    }
  }
  return true;
}
