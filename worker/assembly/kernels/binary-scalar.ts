import { BinaryKind } from '../generated/constants';

/**
 * out[r][i] = a[r][i] op b[r][i] for rows of n integers, as {@link binaryRows} does for floats; inner
 * steps are the element's size or 0. A division by zero gives 0. False for an unknown kind.
 */
export function integerRows<T>(
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
          // The smallest number has no negative: its division by -1 would trap.
          z = y == <T>0 ? <T>0 : y == <T>-1 ? <T>(<T>0 - x) : <T>(x / y);
          break;
        case BinaryKind.pow:
          z = power<T>(x, y);
          break;
        case BinaryKind.min:
          z = x < y ? x : y;
          break;
        case BinaryKind.max:
          z = x > y ? x : y;
          break;
        default:
          return false;
      }
      store<T>(out, z);
    }
  }
  return true;
}

function power<T>(base: T, exponent: T): T {
  if (exponent < <T>0) return base == <T>1 ? <T>1 : <T>0;
  let result = <T>1;
  while (exponent > <T>0) {
    if ((exponent & <T>1) != <T>0) result = <T>(result * base);
    base = <T>(base * base);
    exponent = <T>(exponent >> <T>1);
  }
  return result;
}

/** Comparisons and, for bytes, and / or / xor, to bytes 0 and 1; else as {@link integerRows}. */
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
