/** Takes the tensors of a bundle as the inputs of the program. */
import { bundleMagic, CanisterError, dtypeName, maxRank, maxStageInputs } from '../generated/constants';
import { fail, byte, name as nameText, number, text } from '../tensor/errors';
import { dtypeBytes, Tensor } from '../tensor/tensor';
import { inputCount, inputValue, value } from './shard';

const bundleHeaderBytes: u32 = 8;
const tensorHeaderBytes: u32 = 8;
/** Which inputs the bundle has given so far. */
const given = memory.data(<i32>maxStageInputs, 8);

function refuse(problem: string): bool {
  fail(CanisterError.badInput);
  text('tensor bundle: ');
  text(problem);
  return false;
}

/** Expected and given, for a tensor that does not fit input `slot`. */
function refuseTensor(slot: u32, dtype: u32, dims: usize, rank: u32, problem: string): bool {
  const expected = value(inputValue(slot));
  fail(CanisterError.badInput);
  text('input ');
  nameText(expected.name);
  text(' takes ');
  text(dtypeName(expected.dtype));
  text(', given ');
  text(dtypeName(dtype));
  byte(0x5b);
  for (let i: u32 = 0; i < rank; i++) {
    if (i > 0) byte(0x2c);
    number(load<u32>(dims + (i << 2)));
  }
  byte(0x5d);
  text(problem);
  return false;
}

/** The input a tensor is for: by its name, by its place where it has none. */
function inputNamed(name: usize, length: u32, place: u32): u32 {
  if (length == 0) return place;
  for (let slot: u32 = 0; slot < inputCount; slot++) {
    const known = value(inputValue(slot)).name;
    if (load<u16>(known) == length && memory.compare(known + 2, name, length) == 0) return slot;
  }
  return inputCount;
}

function refuseName(name: usize, length: u32): bool {
  fail(CanisterError.badInput);
  text('there is no input "');
  for (let i: u32 = 0; i < length; i++) byte(load<u8>(name + i));
  text('"; the inputs are ');
  for (let slot: u32 = 0; slot < inputCount; slot++) {
    if (slot > 0) text(', ');
    nameText(value(inputValue(slot)).name);
  }
  return false;
}

function refuseCount(count: u32): bool {
  fail(CanisterError.badInput);
  text('the program takes ');
  number(inputCount);
  text(' inputs, given ');
  number(count);
  return false;
}

/**
 * Checks a bundle against the program's inputs; false with a failure's text. With `take` the
 * inputs read from the bundle's own bytes, which must stay until the task ends.
 */
export function readInputs(bundle: usize, length: u32, take: bool): bool {
  if (length < bundleHeaderBytes) return refuse('it is shorter than its header');
  if (load<u32>(bundle) != bundleMagic) return refuse('it does not begin with "CTB1"');
  const count = load<u32>(bundle, 4);
  if (count != inputCount || count > maxStageInputs) return refuseCount(count);
  memory.fill(given, 0, inputCount);
  let at: u64 = bundleHeaderBytes;
  for (let place: u32 = 0; place < count; place++) {
    if (at + tensorHeaderBytes > length) return refuse('it is truncated');
    const header = bundle + <usize>at;
    const dtype = <u32>load<u8>(header);
    const rank = <u32>load<u8>(header, 1);
    const nameLength = <u32>load<u16>(header, 2);
    const dataLength = load<u32>(header, 4);
    const dims = header + tensorHeaderBytes;
    const nameAt = at + tensorHeaderBytes + (rank << 2);
    const dataAt = (nameAt + nameLength + 7) & ~7;
    at = (dataAt + dataLength + 7) & ~7;
    if (at > length) return refuse('it is truncated');
    if (rank > maxRank) return refuse('a tensor has more than 8 dimensions');

    const slot = inputNamed(bundle + <usize>nameAt, nameLength, place);
    if (slot == inputCount) return refuseName(bundle + <usize>nameAt, nameLength);
    const tensor = value(inputValue(slot));
    if (load<u8>(given + slot) != 0) return refuseTensor(slot, dtype, dims, rank, ' twice');
    store<u8>(given + slot, 1);
    if (dtype != tensor.dtype) return refuseTensor(slot, dtype, dims, rank, '');
    if (dataBytes(dtype, dims, rank) != dataLength) {
      return refuseTensor(slot, dtype, dims, rank, ' with another number of bytes');
    }
    if (take) takeInput(tensor, dims, rank, bundle + <usize>dataAt, dataLength);
  }
  return true;
}

/** Bytes a tensor of this shape takes; saturates. */
function dataBytes(dtype: u32, dims: usize, rank: u32): u64 {
  let bytes: u64 = dtypeBytes(dtype);
  for (let i: u32 = 0; i < rank; i++) {
    const size = load<u32>(dims + (i << 2));
    bytes = size == 0 || bytes < 0x100000000 ? bytes * size : bytes;
  }
  return bytes;
}

/** The data are the bundle's: as with a constant, nobody writes or releases them. */
function takeInput(tensor: Tensor, dims: usize, rank: u32, data: usize, length: u32): void {
  tensor.isConstant = 1;
  tensor.data = data;
  tensor.byteLength = length;
  tensor.rank = rank;
  for (let i: u32 = 0; i < rank; i++) tensor.setDim(i, load<u32>(dims + (i << 2)));
}
