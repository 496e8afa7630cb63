import { BinaryKind } from '../generated/constants';
import { loadTail, storeTail } from './lanes';

/** Which operands run along a row; the other is one number a row. */
const BOTH: u32 = 0;
const A_ONLY: u32 = 1;
const B_ONLY: u32 = 2;

/**
 * What a kind does to four lanes: a class each, so that rows are compiled once for each. There are no
 * objects of them; their method is called on none.
 */
@unmanaged
class Add {
  @inline
  of(a: v128, b: v128): v128 {
    return f32x4.add(a, b);
  }
}

@unmanaged
class Sub {
  @inline
  of(a: v128, b: v128): v128 {
    return f32x4.sub(a, b);
  }
}

@unmanaged
class Mul {
  @inline
  of(a: v128, b: v128): v128 {
    return f32x4.mul(a, b);
  }
}

@unmanaged
class Div {
  @inline
  of(a: v128, b: v128): v128 {
    return f32x4.div(a, b);
  }
}

@unmanaged
class Min {
  @inline
  of(a: v128, b: v128): v128 {
    return f32x4.min(a, b);
  }
}

@unmanaged
class Max {
  @inline
  of(a: v128, b: v128): v128 {
    return f32x4.max(a, b);
  }
}

@unmanaged
class Prelu {
  @inline
  of(a: v128, b: v128): v128 {
    return v128.bitselect(f32x4.mul(a, b), a, f32x4.lt(a, f32x4.splat(0)));
  }
}

/** Rows of n floats; four vectors a turn, then one, then the tail; `out` may be an operand's rows. */
@inline
function body<F>(
  aVectors: bool, bVectors: bool,
  a: usize, aRow: usize, b: usize, bRow: usize, out: usize, rows: u32, n: u32,
): void {
  const f = changetype<F>(0);
  if (rows != 0) do {
    let p = a;
    let q = b;
    const x = aVectors ? f32x4.splat(0) : v128.load32_splat(p);
    const y = bVectors ? f32x4.splat(0) : v128.load32_splat(q);
    let m = n >>> 4;
    if (m != 0) do {
      v128.store(out, f.of(aVectors ? v128.load(p) : x, bVectors ? v128.load(q) : y));
      v128.store(out, f.of(aVectors ? v128.load(p, 16) : x, bVectors ? v128.load(q, 16) : y), 16);
      v128.store(out, f.of(aVectors ? v128.load(p, 32) : x, bVectors ? v128.load(q, 32) : y), 32);
      v128.store(out, f.of(aVectors ? v128.load(p, 48) : x, bVectors ? v128.load(q, 48) : y), 48);
      if (aVectors) p += 64;
      if (bVectors) q += 64;
      out += 64;
    } while (--m);
    m = (n >>> 2) & 3;
    if (m != 0) do {
      v128.store(out, f.of(aVectors ? v128.load(p) : x, bVectors ? v128.load(q) : y));
      if (aVectors) p += 16;
      if (bVectors) q += 16;
      out += 16;
    } while (--m);
    m = n & 3;
    if (m != 0) {
      storeTail(out, f.of(aVectors ? loadTail(p, m) : x, bVectors ? loadTail(q, m) : y), m);
      out += m << 2;
    }
    a += aRow;
    b += bRow;
  } while (--rows);
}

// One function a mode: the compiler makes constants of the modes only where bodies stay apart.
function both<F>(a: usize, aRow: usize, b: usize, bRow: usize, out: usize, rows: u32, n: u32): void {
  body<F>(true, true, a, aRow, b, bRow, out, rows, n);
}
function aOnly<F>(a: usize, aRow: usize, b: usize, bRow: usize, out: usize, rows: u32, n: u32): void {
  body<F>(true, false, a, aRow, b, bRow, out, rows, n);
}
function bOnly<F>(a: usize, aRow: usize, b: usize, bRow: usize, out: usize, rows: u32, n: u32): void {
  body<F>(false, true, a, aRow, b, bRow, out, rows, n);
}

@inline
function inMode<F>(mode: u32, a: usize, aRow: usize, b: usize, bRow: usize, out: usize, rows: u32, n: u32): void {
  if (mode == BOTH) both<F>(a, aRow, b, bRow, out, rows, n);
  else if (mode == A_ONLY) aOnly<F>(a, aRow, b, bRow, out, rows, n);
  else bOnly<F>(a, aRow, b, bRow, out, rows, n);
}

/** a ** b one by one; squares, roots and cubes without the general function. */
function pow(
  aInner: usize, bInner: usize, a: usize, aRow: usize, b: usize, bRow: usize, out: usize, rows: u32, n: u32,
): void {
  for (; rows != 0; rows--, a += aRow, b += bRow) {
    let p = a;
    let q = b;
    for (let i = n; i != 0; i--, p += aInner, q += bInner, out += 4) {
      const x = load<f32>(p);
      const y = load<f32>(q);
      let z: f32;
      if (y == 2) z = x * x;
      else if (y == 3) z = x * x * x;
      else if (y == 0.5) z = Mathf.sqrt(x);
      else z = Mathf.pow(x, y);
      store<f32>(out, z);
    }
  }
}

/**
 * out[r][i] = a[r][i] op b[r][i] for rows of n floats. Steps from row to row in bytes; an operand's
 * inner step is 4, or 0 where it is one number a row; one of them is 4. The rows of `out` follow one
 * another; `out` may be the address of an operand with the same rows. False for an unknown kind.
 */
export function binaryRows(
  kind: u32, a: usize, aRow: usize, aInner: usize, b: usize, bRow: usize, bInner: usize,
  out: usize, rows: u32, n: u32,
): bool {
  const mode = aInner == 0 ? B_ONLY : bInner == 0 ? A_ONLY : BOTH;
  switch (kind) {
    case BinaryKind.add:
      inMode<Add>(mode, a, aRow, b, bRow, out, rows, n);
      return true;
    case BinaryKind.sub:
      inMode<Sub>(mode, a, aRow, b, bRow, out, rows, n);
      return true;
    case BinaryKind.mul:
      inMode<Mul>(mode, a, aRow, b, bRow, out, rows, n);
      return true;
    case BinaryKind.div:
      inMode<Div>(mode, a, aRow, b, bRow, out, rows, n);
      return true;
    case BinaryKind.min:
      inMode<Min>(mode, a, aRow, b, bRow, out, rows, n);
      return true;
    case BinaryKind.max:
      inMode<Max>(mode, a, aRow, b, bRow, out, rows, n);
      return true;
    case BinaryKind.prelu:
      inMode<Prelu>(mode, a, aRow, b, bRow, out, rows, n);
      return true;
    case BinaryKind.pow:
      pow(aInner, bInner, a, aRow, b, bRow, out, rows, n);
      return true;
    default:
      return false;
  }
}
