/** Writes the outputs of a finished task as a bundle, without copying their data. */
import { bundleMagic } from '../generated/constants';
import { alloc } from '../tensor/memory';
import { Tensor } from '../tensor/tensor';
import { outputCount, outputValue, value } from './shard';

/** A piece of a message: its bytes, and the block to release once it is sent (0: none). */
@unmanaged
export class Segment {
  bytes: usize;
  length: u32;
  block: usize;
}
export const segmentBytes: usize = offsetof<Segment>();

/** The rows that are written: `rowCount` of `rowTotal` from `rowFirst` on; all where `rowTotal` is 0. */
let rowFirst: u32 = 0;
let rowCount: u32 = 0;
let rowTotal: u32 = 0;

/** Chooses the rows that the functions below measure and write; `total` 0: all. */
export function selectRows(first: u32, count: u32, total: u32): void {
  rowFirst = first;
  rowCount = count;
  rowTotal = total == count ? 0 : total;
}

/** Whether each output has `total` rows, or a multiple of it, so that they can be told apart. */
export function hasRows(total: u32): bool {
  for (let i: u32 = 0; i < outputCount; i++) {
    const tensor = value(outputValue(i));
    if (tensor.rank == 0 || tensor.dim(0) % total != 0) return false;
  }
  return true;
}

/** Bytes of the rows selected. */
function dataBytes(tensor: Tensor): u32 {
  return rowTotal == 0 ? tensor.byteLength : (tensor.byteLength / rowTotal) * rowCount;
}
/** Size of dimension 0 of the rows selected. */
function firstDim(tensor: Tensor): u32 {
  return rowTotal == 0 ? tensor.dim(0) : (tensor.dim(0) / rowTotal) * rowCount;
}
function dataStart(tensor: Tensor): usize {
  return rowTotal == 0 ? tensor.data : tensor.data + (tensor.byteLength / rowTotal) * rowFirst;
}
/** Whether the last rows are selected: with them the outputs' blocks pass to the pieces. */
function isLastSelection(): bool {
  return rowTotal == 0 || rowFirst + rowCount == rowTotal;
}

export function segmentAt(list: usize, index: u32): Segment {
  return changetype<Segment>(list + <usize>index * segmentBytes);
}

/** Pieces the outputs take: their headers and their data. */
export function outputSegments(): u32 {
  return 1 + 2 * outputCount;
}

function padded(length: u32): u32 {
  return (length + 7) & ~7;
}

function nameLength(tensor: Tensor, named: bool): u32 {
  return named ? load<u16>(tensor.name) : 0;
}

/** Bytes of the bundle but for the tensors' data and the zeros behind them. */
function tensorHeadBytes(tensor: Tensor, named: bool): u32 {
  return padded(8 + (tensor.rank << 2) + nameLength(tensor, named));
}

/** Bytes of the whole bundle. */
export function outputBytes(named: bool): u64 {
  let bytes: u64 = 8;
  for (let i: u32 = 0; i < outputCount; i++) {
    const tensor = value(outputValue(i));
    bytes += <u64>tensorHeadBytes(tensor, named) + ((<u64>dataBytes(tensor) + 7) & ~7);
  }
  return bytes;
}

/** Bytes that {@link writeOutputs} writes itself: all that is not data. */
export function outputHeadBytes(named: bool): u32 {
  let bytes: u32 = 8;
  for (let i: u32 = 0; i < outputCount; i++) {
    bytes += tensorHeadBytes(value(outputValue(i)), named) + 8;
  }
  return bytes;
}

/**
 * Writes the headers at `out` and the pieces of the bundle to `list`. With the last rows the outputs'
 * blocks pass to the pieces; data of inputs that pass through stay where they are.
 */
export function writeOutputs(out: usize, list: usize, named: bool): void {
  let pieceStart = out;
  let at = out;
  store<u32>(at, bundleMagic);
  store<u32>(at, outputCount, 4);
  at += 8;
  let index: u32 = 0;
  for (let i: u32 = 0; i < outputCount; i++) {
    const tensor = value(outputValue(i));
    const head = tensorHeadBytes(tensor, named);
    const name = nameLength(tensor, named);
    memory.fill(at, 0, head);
    store<u8>(at, tensor.dtype);
    store<u8>(at, tensor.rank, 1);
    store<u16>(at, name, 2);
    store<u32>(at, dataBytes(tensor), 4);
    if (tensor.rank > 0) store<u32>(at + 8, firstDim(tensor));
    for (let dim: u32 = 1; dim < tensor.rank; dim++) {
      store<u32>(at + 8 + (dim << 2), tensor.dim(dim));
    }
    memory.copy(at + 8 + (tensor.rank << 2), tensor.name + 2, name);
    at += head;
    const headSegment = segmentAt(list, index++);
    headSegment.bytes = pieceStart;
    headSegment.length = <u32>(at - pieceStart);
    headSegment.block = 0;

    const dataSegment = segmentAt(list, index++);
    dataSegment.bytes = dataStart(tensor);
    dataSegment.length = dataBytes(tensor);
    dataSegment.block = tensor.isConstant != 0 || !isLastSelection() ? 0 : tensor.data;
    pieceStart = at;
    const zeros = padded(dataBytes(tensor)) - dataBytes(tensor);
    memory.fill(at, 0, zeros);
    at += zeros;
  }
  const last = segmentAt(list, index);
  last.bytes = pieceStart;
  last.length = <u32>(at - pieceStart);
  last.block = 0;
  if (!isLastSelection()) return;
  for (let i: u32 = 0; i < outputCount; i++) {
    const tensor = value(outputValue(i));
    if (tensor.isConstant == 0) tensor.data = 0;
  }
}
