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

// One function a kind and mode: the compiler makes constants of them only where bodies stay apart.
function addBoth(a: usize, aRow: usize, b: usize, bRow: usize, out: usize, rows: u32, n: u32): void {
  body(BinaryKind.add, true, true, a, aRow, b, bRow, out, rows, n);
}
function addA(a: usize, aRow: usize, b: usize, bRow: usize, out: usize, rows: u32, n: u32): void {
  body(BinaryKind.add, true, false, a, aRow, b, bRow, out, rows, n);
}
function addB(a: usize, aRow: usize, b: usize, bRow: usize, out: usize, rows: u32, n: u32): void {
  body(BinaryKind.add, false, true, a, aRow, b, bRow, out, rows, n);
}
@inline
function add(mode: u32, a: usize, aRow: usize, b: usize, bRow: usize, out: usize, rows: u32, n: u32): void {
  if (mode == BOTH) addBoth(a, aRow, b, bRow, out, rows, n);
  else if (mode == A_ONLY) addA(a, aRow, b, bRow, out, rows, n);
  else addB(a, aRow, b, bRow, out, rows, n);
}

function subBoth(a: usize, aRow: usize, b: usize, bRow: usize, out: usize, rows: u32, n: u32): void {
  body(BinaryKind.sub, true, true, a, aRow, b, bRow, out, rows, n);
}
function subA(a: usize, aRow: usize, b: usize, bRow: usize, out: usize, rows: u32, n: u32): void {
  body(BinaryKind.sub, true, false, a, aRow, b, bRow, out, rows, n);
}
function subB(a: usize, aRow: usize, b: usize, bRow: usize, out: usize, rows: u32, n: u32): void {
  body(BinaryKind.sub, false, true, a, aRow, b, bRow, out, rows, n);
}
@inline
function sub(mode: u32, a: usize, aRow: usize, b: usize, bRow: usize, out: usize, rows: u32, n: u32): void {
  if (mode == BOTH) subBoth(a, aRow, b, bRow, out, rows, n);
  else if (mode == A_ONLY) subA(a, aRow, b, bRow, out, rows, n);
  else subB(a, aRow, b, bRow, out, rows, n);
}

function mulBoth(a: usize, aRow: usize, b: usize, bRow: usize, out: usize, rows: u32, n: u32): void {
  body(BinaryKind.mul, true, true, a, aRow, b, bRow, out, rows, n);
}
function mulA(a: usize, aRow: usize, b: usize, bRow: usize, out: usize, rows: u32, n: u32): void {
  body(BinaryKind.mul, true, false, a, aRow, b, bRow, out, rows, n);
}
function mulB(a: usize, aRow: usize, b: usize, bRow: usize, out: usize, rows: u32, n: u32): void {
  body(BinaryKind.mul, false, true, a, aRow, b, bRow, out, rows, n);
}
@inline
function mul(mode: u32, a: usize, aRow: usize, b: usize, bRow: usize, out: usize, rows: u32, n: u32): void {
  if (mode == BOTH) mulBoth(a, aRow, b, bRow, out, rows, n);
  else if (mode == A_ONLY) mulA(a, aRow, b, bRow, out, rows, n);
  else mulB(a, aRow, b, bRow, out, rows, n);
}

function divBoth(a: usize, aRow: usize, b: usize, bRow: usize, out: usize, rows: u32, n: u32): void {
  body(BinaryKind.div, true, true, a, aRow, b, bRow, out, rows, n);
}
function divA(a: usize, aRow: usize, b: usize, bRow: usize, out: usize, rows: u32, n: u32): void {
  body(BinaryKind.div, true, false, a, aRow, b, bRow, out, rows, n);
}
function divB(a: usize, aRow: usize, b: usize, bRow: usize, out: usize, rows: u32, n: u32): void {
  body(BinaryKind.div, false, true, a, aRow, b, bRow, out, rows, n);
}
@inline
function div(mode: u32, a: usize, aRow: usize, b: usize, bRow: usize, out: usize, rows: u32, n: u32): void {
  if (mode == BOTH) divBoth(a, aRow, b, bRow, out, rows, n);
  else if (mode == A_ONLY) divA(a, aRow, b, bRow, out, rows, n);
  else divB(a, aRow, b, bRow, out, rows, n);
}

function minBoth(a: usize, aRow: usize, b: usize, bRow: usize, out: usize, rows: u32, n: u32): void {
  body(BinaryKind.min, true, true, a, aRow, b, bRow, out, rows, n);
}
function minA(a: usize, aRow: usize, b: usize, bRow: usize, out: usize, rows: u32, n: u32): void {
  body(BinaryKind.min, true, false, a, aRow, b, bRow, out, rows, n);
}
function minB(a: usize, aRow: usize, b: usize, bRow: usize, out: usize, rows: u32, n: u32): void {
  body(BinaryKind.min, false, true, a, aRow, b, bRow, out, rows, n);
}
@inline
function min(mode: u32, a: usize, aRow: usize, b: usize, bRow: usize, out: usize, rows: u32, n: u32): void {
  if (mode == BOTH) minBoth(a, aRow, b, bRow, out, rows, n);
  else if (mode == A_ONLY) minA(a, aRow, b, bRow, out, rows, n);
  else minB(a, aRow, b, bRow, out, rows, n);
}

function maxBoth(a: usize, aRow: usize, b: usize, bRow: usize, out: usize, rows: u32, n: u32): void {
  body(BinaryKind.max, true, true, a, aRow, b, bRow, out, rows, n);
}
function maxA(a: usize, aRow: usize, b: usize, bRow: usize, out: usize, rows: u32, n: u32): void {
  body(BinaryKind.max, true, false, a, aRow, b, bRow, out, rows, n);
}
function maxB(a: usize, aRow: usize, b: usize, bRow: usize, out: usize, rows: u32, n: u32): void {
  body(BinaryKind.max, false, true, a, aRow, b, bRow, out, rows, n);
}
@inline
function max(mode: u32, a: usize, aRow: usize, b: usize, bRow: usize, out: usize, rows: u32, n: u32): void {
  if (mode == BOTH) maxBoth(a, aRow, b, bRow, out, rows, n);
  else if (mode == A_ONLY) maxA(a, aRow, b, bRow, out, rows, n);
  else maxB(a, aRow, b, bRow, out, rows, n);
}

function preluBoth(a: usize, aRow: usize, b: usize, bRow: usize, out: usize, rows: u32, n: u32): void {
  body(BinaryKind.prelu, true, true, a, aRow, b, bRow, out, rows, n);
}
function preluA(a: usize, aRow: usize, b: usize, bRow: usize, out: usize, rows: u32, n: u32): void {
  body(BinaryKind.prelu, true, false, a, aRow, b, bRow, out, rows, n);
}
function preluB(a: usize, aRow: usize, b: usize, bRow: usize, out: usize, rows: u32, n: u32): void {
  body(BinaryKind.prelu, false, true, a, aRow, b, bRow, out, rows, n);
}
@inline
function prelu(mode: u32, a: usize, aRow: usize, b: usize, bRow: usize, out: usize, rows: u32, n: u32): void {
  if (mode == BOTH) preluBoth(a, aRow, b, bRow, out, rows, n);
  else if (mode == A_ONLY) preluA(a, aRow, b, bRow, out, rows, n);
  else preluB(a, aRow, b, bRow, out, rows, n);
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
