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
    bytes += <u64>tensorHeadBytes(tensor, named) + ((<u64>tensor.byteLength + 7) & ~7);
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
 * Writes the headers at `out` and the pieces of the bundle to `list`. The outputs' blocks pass to
 * the pieces; data of inputs that pass through stay where they are.
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
    store<u32>(at, tensor.byteLength, 4);
    for (let dim: u32 = 0; dim < tensor.rank; dim++) {
      store<u32>(at + 8 + (dim << 2), tensor.dim(dim));
    }
    memory.copy(at + 8 + (tensor.rank << 2), tensor.name + 2, name);
    at += head;
    const headSegment = segmentAt(list, index++);
    headSegment.bytes = pieceStart;
    headSegment.length = <u32>(at - pieceStart);
    headSegment.block = 0;

    const dataSegment = segmentAt(list, index++);
    dataSegment.bytes = tensor.data;
    dataSegment.length = tensor.byteLength;
    dataSegment.block = tensor.isConstant != 0 ? 0 : tensor.data;
    pieceStart = at;
    const zeros = padded(tensor.byteLength) - tensor.byteLength;
    memory.fill(at, 0, zeros);
    at += zeros;
  }
  const last = segmentAt(list, index);
  last.bytes = pieceStart;
  last.length = <u32>(at - pieceStart);
  last.block = 0;
  for (let i: u32 = 0; i < outputCount; i++) {
    const tensor = value(outputValue(i));
    if (tensor.isConstant == 0) tensor.data = 0;
  }
}
