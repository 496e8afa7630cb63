import { BinaryKind } from '../generated/constants';
import { loadTail, storeTail } from './lanes';

/** Which operands run along a row; the other is one number a row. */
const BOTH: u32 = 0;
const A_ONLY: u32 = 1;
const B_ONLY: u32 = 2;

/** One kind on four lanes; `kind` is a constant where this is inlined. */
@inline
function binary4(kind: u32, a: v128, b: v128): v128 {
  if (kind == BinaryKind.add) return f32x4.add(a, b);
  if (kind == BinaryKind.sub) return f32x4.sub(a, b);
  if (kind == BinaryKind.mul) return f32x4.mul(a, b);
  if (kind == BinaryKind.div) return f32x4.div(a, b);
  if (kind == BinaryKind.min) return f32x4.min(a, b);
  if (kind == BinaryKind.max) return f32x4.max(a, b);
  return v128.bitselect(f32x4.mul(a, b), a, f32x4.lt(a, f32x4.splat(0)));
}

/** Rows of n floats; four vectors a turn, then one, then the tail; `out` may be an operand's rows. */
@inline
function body(
  kind: u32, aVectors: bool, bVectors: bool,
  a: usize, aRow: usize, b: usize, bRow: usize, out: usize, rows: u32, n: u32,
): void {
  for (; rows != 0; rows--) {
    let p = a;
    let q = b;
    const x = aVectors ? f32x4.splat(0) : v128.load32_splat(p);
    const y = bVectors ? f32x4.splat(0) : v128.load32_splat(q);
    let m = n >>> 4;
    if (m != 0) do {
      v128.store(out, binary4(kind, aVectors ? v128.load(p) : x, bVectors ? v128.load(q) : y));
      v128.store(out, binary4(kind, aVectors ? v128.load(p, 16) : x, bVectors ? v128.load(q, 16) : y), 16);
      v128.store(out, binary4(kind, aVectors ? v128.load(p, 32) : x, bVectors ? v128.load(q, 32) : y), 32);
      v128.store(out, binary4(kind, aVectors ? v128.load(p, 48) : x, bVectors ? v128.load(q, 48) : y), 48);
      if (aVectors) p += 64;
      if (bVectors) q += 64;
      out += 64;
    } while (--m);
    m = (n >>> 2) & 3;
    if (m != 0) do {
      v128.store(out, binary4(kind, aVectors ? v128.load(p) : x, bVectors ? v128.load(q) : y));
      if (aVectors) p += 16;
      if (bVectors) q += 16;
      out += 16;
    } while (--m);
    m = n & 3;
    if (m != 0) {
      storeTail(out, binary4(kind, aVectors ? loadTail(p, m) : x, bVectors ? loadTail(q, m) : y), m);
      out += m << 2;
    }
    a += aRow;
    b += bRow;
  }
}

@inline
function modes(
  kind: u32, mode: u32,
  a: usize, aRow: usize, b: usize, bRow: usize, out: usize, rows: u32, n: u32,
): void {
  if (mode == BOTH) body(kind, true, true, a, aRow, b, bRow, out, rows, n);
  else if (mode == A_ONLY) body(kind, true, false, a, aRow, b, bRow, out, rows, n);
  else body(kind, false, true, a, aRow, b, bRow, out, rows, n);
}

// One function a kind: the compiler makes constants of the kinds only where bodies stay apart.
function add(m: u32, a: usize, aRow: usize, b: usize, bRow: usize, out: usize, rows: u32, n: u32): void {
  modes(BinaryKind.add, m, a, aRow, b, bRow, out, rows, n);
}
function sub(m: u32, a: usize, aRow: usize, b: usize, bRow: usize, out: usize, rows: u32, n: u32): void {
  modes(BinaryKind.sub, m, a, aRow, b, bRow, out, rows, n);
}
function mul(m: u32, a: usize, aRow: usize, b: usize, bRow: usize, out: usize, rows: u32, n: u32): void {
  modes(BinaryKind.mul, m, a, aRow, b, bRow, out, rows, n);
}
function div(m: u32, a: usize, aRow: usize, b: usize, bRow: usize, out: usize, rows: u32, n: u32): void {
  modes(BinaryKind.div, m, a, aRow, b, bRow, out, rows, n);
}
function min(m: u32, a: usize, aRow: usize, b: usize, bRow: usize, out: usize, rows: u32, n: u32): void {
  modes(BinaryKind.min, m, a, aRow, b, bRow, out, rows, n);
}
function max(m: u32, a: usize, aRow: usize, b: usize, bRow: usize, out: usize, rows: u32, n: u32): void {
  modes(BinaryKind.max, m, a, aRow, b, bRow, out, rows, n);
}
function prelu(m: u32, a: usize, aRow: usize, b: usize, bRow: usize, out: usize, rows: u32, n: u32): void {
  modes(BinaryKind.prelu, m, a, aRow, b, bRow, out, rows, n);
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
      add(mode, a, aRow, b, bRow, out, rows, n);
      return true;
    case BinaryKind.sub:
      sub(mode, a, aRow, b, bRow, out, rows, n);
      return true;
    case BinaryKind.mul:
      mul(mode, a, aRow, b, bRow, out, rows, n);
      return true;
    case BinaryKind.div:
      div(mode, a, aRow, b, bRow, out, rows, n);
      return true;
    case BinaryKind.min:
      min(mode, a, aRow, b, bRow, out, rows, n);
      return true;
    case BinaryKind.max:
      max(mode, a, aRow, b, bRow, out, rows, n);
      return true;
    case BinaryKind.prelu:
      prelu(mode, a, aRow, b, bRow, out, rows, n);
      return true;
    case BinaryKind.pow:
      pow(aInner, bInner, a, aRow, b, bRow, out, rows, n);
      return true;
    default:
      return false;
  }
}
