import { ErrorCode, UserError } from '../errors.js';
import { WASM_PAGE, type CanisterSnapshot, type Code } from '../state/index.js';
import type { GlobalValue, HeapState } from '../wasm/index.js';
import type { ExportedGlobal } from './types.js';

/**
 * Puts a snapshot's heap and globals into freshly made code. Throws UserError when the globals of
 * an uploaded snapshot are not those of its module.
 */
export function restoreHeap(code: Code, snapshot: CanisterSnapshot): void {
  if (snapshot.heap !== undefined) {
    code.instance.restoreState(snapshot.heap);
    return;
  }
  const globals = (snapshot.uploadedGlobals ?? []) as readonly GlobalValue[];
  const own = code.instance.saveState().globals;
  if (globals.length !== own.length || globals.some(({ type }, i) => type !== own[i]!.type)) {
    throw new UserError(
      ErrorCode.InvalidManagementPayload,
      'Wasm exported globals of canister module and snapshot metadata do not match.',
    );
  }
  code.instance.restoreState(heapState(snapshot.uploadedHeap ?? new Uint8Array(), globals));
}

function heapState(bytes: Uint8Array, globals: readonly GlobalValue[]): HeapState {
  const pages = bytes.length / WASM_PAGE;
  const content = new Map<number, Uint8Array>();
  for (let page = 0; page < pages; page++) {
    const part = bytes.subarray(page * WASM_PAGE, (page + 1) * WASM_PAGE);
    if (part.some((byte) => byte !== 0)) content.set(page, part.slice());
  }
  return { pages, content, globals };
}

/** Bytes of a snapshot's heap. */
export function readHeap(snapshot: CanisterSnapshot, offset: number, length: number): Uint8Array {
  if (snapshot.heap === undefined) {
    return (snapshot.uploadedHeap ?? new Uint8Array()).slice(offset, offset + length);
  }
  const target = new Uint8Array(length);
  for (const [page, bytes] of snapshot.heap.content) {
    const start = page * WASM_PAGE - offset;
    if (start >= length || start + bytes.length <= 0) continue;
    const skipped = Math.max(0, -start);
    target.set(bytes.subarray(skipped, Math.min(bytes.length, length - start)), start + skipped);
  }
  return target;
}

export function heapBytes(snapshot: CanisterSnapshot): number {
  return snapshot.heap === undefined
    ? (snapshot.uploadedHeap?.length ?? 0)
    : snapshot.heap.pages * WASM_PAGE;
}

export function globalsOf(snapshot: CanisterSnapshot): ExportedGlobal[] {
  const globals =
    snapshot.heap?.globals ?? ((snapshot.uploadedGlobals ?? []) as readonly GlobalValue[]);
  return globals.map(globalRecord);
}

function globalRecord({ type, bytes }: GlobalValue): ExportedGlobal {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.length);
  switch (type) {
    case 'i32':
      return { i32: view.getInt32(0, true) };
    case 'i64':
      return { i64: view.getBigInt64(0, true) };
    case 'f32':
      return { f32: view.getUint32(0, true) };
    case 'f64':
      return { f64: view.getBigUint64(0, true) };
    case 'v128':
      return { v128: view.getBigUint64(0, true) | (view.getBigUint64(8, true) << 64n) };
  }
}

export function globalValue(record: ExportedGlobal): GlobalValue {
  const value = (type: GlobalValue['type'], bits: bigint, size: number): GlobalValue => {
    const bytes = new Uint8Array(size);
    for (let i = 0; i < size; i++) bytes[i] = Number((bits >> BigInt(8 * i)) & 0xffn);
    return { type, bytes };
  };
  if ('i32' in record) return value('i32', BigInt.asUintN(32, BigInt(record.i32)), 4);
  if ('i64' in record) return value('i64', BigInt.asUintN(64, record.i64), 8);
  if ('f32' in record) return value('f32', BigInt(record.f32), 4);
  if ('f64' in record) return value('f64', record.f64, 8);
  return value('v128', record.v128, 16);
}
