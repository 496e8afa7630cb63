/**
 * The program of a shard: checked once when it is loaded, so that running it needs no checks of
 * its own indexes. The form is `encodeShardHead` of the protocol.
 */
import {
  absentValue,
  CanisterError,
  opName,
  shardHeaderBytes,
  shardMagic,
  shardVersion,
} from '../generated/constants';
import { fail, number, text } from '../tensor/errors';
import { alloc, release } from '../tensor/memory';
import { dtypeBytes, MAX_RANK, Tensor, TENSOR_BYTES } from '../tensor/tensor';

/** Bytes of a node before its lists. */
export const nodeHeaderBytes: usize = 16;
const programHeaderBytes: u32 = 16;

/** The program's bytes; values and names point into it. */
let program: usize = 0;
let programBytes: u32 = 0;
export let valueCount: u32 = 0;
export let nodeCount: u32 = 0;
export let inputCount: u32 = 0;
export let outputCount: u32 = 0;
let values: usize = 0;
/** Addresses of the tensors that the node under way reads and writes, as many as any node has. */
export let inputTable: usize = 0;
export let outputTable: usize = 0;
let names: u32 = 0;
/** Address of the first node. */
export let firstNode: usize = 0;
export let weightsOffset: u32 = 0;
export let weightsLength: u32 = 0;
/** Where the program lies in the shard. */
export let programOffset: u32 = 0;
export let programLength: u32 = 0;

export function value(index: u32): Tensor {
  return changetype<Tensor>(values + <usize>index * TENSOR_BYTES);
}
/** Value index of input `i` of the stage. */
export function inputValue(i: u32): u32 {
  return load<u32>(program + programHeaderBytes + (i << 2));
}
/** Value index of output `i` of the stage. */
export function outputValue(i: u32): u32 {
  return load<u32>(program + programHeaderBytes + ((inputCount + i) << 2));
}

function refuse(problem: string, at: u32): bool {
  fail(CanisterError.badShard);
  text('the shard is not valid: ');
  text(problem);
  text(' ');
  number(at);
  text('; write it again with the partitioner of this release');
  return false;
}

/** Reads the 64 bytes that begin a shard of `shardBytes`; false with a failure's text. */
export function readShardHeader(bytes: usize, shardBytes: u32): bool {
  if (shardBytes < shardHeaderBytes) return refuse('its length is', shardBytes);
  if (load<u32>(bytes) != shardMagic) return refuse('its first word is', load<u32>(bytes));
  if (load<u32>(bytes, 4) != shardVersion) return refuse('its version is', load<u32>(bytes, 4));
  programOffset = load<u32>(bytes, 8);
  programLength = load<u32>(bytes, 12);
  weightsOffset = load<u32>(bytes, 16);
  weightsLength = load<u32>(bytes, 20);
  if (<u64>programOffset + programLength > shardBytes || programLength < programHeaderBytes) {
    return refuse('the program ends at', programOffset + programLength);
  }
  if (<u64>weightsOffset + weightsLength > shardBytes) {
    return refuse('the weights end at', weightsOffset + weightsLength);
  }
  return true;
}

/** Forgets the program. */
export function dropProgram(): void {
  release(program);
  release(values);
  release(inputTable);
  release(outputTable);
  program = 0;
  values = 0;
  inputTable = 0;
  outputTable = 0;
  valueCount = 0;
  nodeCount = 0;
  inputCount = 0;
  outputCount = 0;
}

/** Address of the name at `offset` from the first; 0 where it does not lie in the program. */
function nameAddress(offset: u32): usize {
  const at = <u64>names + offset;
  if (at + 2 > programBytes) return 0;
  const address = program + <usize>at;
  return at + 2 + load<u16>(address) > programBytes ? 0 : address;
}

/**
 * Takes over `bytes`, a program as it lies in the shard, released by {@link dropProgram}. The
 * weights will lie at `weights`. False with a failure's text where it is not valid.
 */
export function readProgram(bytes: usize, length: u32, weights: usize): bool {
  dropProgram();
  program = bytes;
  programBytes = length;
  const countValues = load<u32>(bytes);
  const countNodes = load<u32>(bytes, 4);
  const countInputs = load<u32>(bytes, 8);
  const countOutputs = load<u32>(bytes, 12);
  const lists: u64 = programHeaderBytes + ((<u64>countInputs + countOutputs) << 2);
  if (lists + ((<u64>countValues) << 3) + <u64>countNodes * nodeHeaderBytes > length) {
    return refuse('the program is shorter than its counts say:', length);
  }
  values = alloc(<usize>countValues * TENSOR_BYTES);
  if (values == 0) return refuse('no heap for its values:', countValues);
  memory.fill(values, 0, <usize>countValues * TENSOR_BYTES);
  valueCount = countValues;
  nodeCount = countNodes;
  inputCount = countInputs;
  outputCount = countOutputs;
  const nodesAt = readValues(<u32>lists, weights);
  if (nodesAt == 0) return false;
  firstNode = program + nodesAt;
  return readNodes(nodesAt);
}

/** Reads the values; returns the offset of the nodes, 0 with a failure's text. */
function readValues(start: u32, weights: usize): u32 {
  let at = start;
  for (let index: u32 = 0; index < valueCount; index++) {
    if (<u64>at + 8 > programBytes) return refuseValue('is cut off', index);
    const tensor = value(index);
    const isConstant = <u32>load<u8>(program + at);
    tensor.dtype = load<u8>(program + at, 1);
    tensor.rank = load<u8>(program + at, 2);
    // Names are found once the nodes' end is known.
    tensor.name = load<u32>(program + at, 4);
    at += 8;
    if (isConstant > 1) return refuseValue('is of an unknown kind', index);
    if (dtypeBytes(tensor.dtype) == 0) return refuseValue('has an unknown type', index);
    if (tensor.rank > MAX_RANK) return refuseValue('has too many dimensions', index);
    if (isConstant == 0) continue;
    if (<u64>at + 8 + (tensor.rank << 2) > programBytes) return refuseValue('is cut off', index);
    const offset = load<u32>(program + at);
    tensor.byteLength = load<u32>(program + at, 4);
    tensor.isConstant = 1;
    tensor.data = weights + offset;
    at += 8;
    let bytes: u64 = dtypeBytes(tensor.dtype);
    for (let dim: u32 = 0; dim < tensor.rank; dim++, at += 4) {
      const size = load<u32>(program + at);
      tensor.setDim(dim, size);
      bytes = size == 0 || bytes < 0x100000000 ? bytes * size : bytes;
    }
    if (bytes > tensor.byteLength) return refuseValue('is larger than its bytes', index);
    if (<u64>offset + tensor.byteLength > weightsLength) {
      return refuseValue('lies outside of the weights', index);
    }
  }
  return at;
}

function refuseValue(problem: string, index: u32): u32 {
  fail(CanisterError.badShard);
  text('the shard is not valid: value ');
  number(index);
  text(' ');
  text(problem);
  return 0;
}

function refuseNode(problem: string, index: u32): bool {
  fail(CanisterError.badShard);
  text('the shard is not valid: node ');
  number(index);
  text(' ');
  text(problem);
  return false;
}

export function nodeInputCount(node: usize): u32 {
  return load<u16>(node, 2);
}
export function nodeOutputCount(node: usize): u32 {
  return load<u16>(node, 4);
}
export function nodeWordCount(node: usize): u32 {
  return load<u16>(node, 6);
}
export function nodeFreeCount(node: usize): u32 {
  return load<u16>(node, 8);
}

/** Bytes of the node at `node`. */
export function nodeBytes(node: usize): usize {
  const lists =
    nodeInputCount(node) + nodeOutputCount(node) + nodeWordCount(node) + nodeFreeCount(node);
  return nodeHeaderBytes + (<usize>lists << 2);
}

/** Follows the program once: every value a node reads is there when it runs. */
function readNodes(start: u32): bool {
  const known = alloc(valueCount);
  if (known == 0) return refuse('no heap for its values:', valueCount);
  for (let index: u32 = 0; index < valueCount; index++) {
    store<u8>(known + index, value(index).isConstant);
  }
  const good = followInputs(known) && followNodes(start, known) && followOutputs(known);
  release(known);
  return good && findNames();
}

function followInputs(known: usize): bool {
  for (let i: u32 = 0; i < inputCount; i++) {
    const index = inputValue(i);
    if (index >= valueCount || load<u8>(known + index) != 0) {
      return refuse('this input is no value or a constant:', i);
    }
    store<u8>(known + index, 1);
  }
  return true;
}

function followOutputs(known: usize): bool {
  for (let i: u32 = 0; i < outputCount; i++) {
    const index = outputValue(i);
    if (index >= valueCount || load<u8>(known + index) == 0) {
      return refuse('this output is computed by no node:', i);
    }
  }
  return true;
}

function followNodes(start: u32, known: usize): bool {
  let at = start;
  let mostInputs: u32 = 0;
  let mostOutputs: u32 = 0;
  for (let node: u32 = 0; node < nodeCount; node++) {
    const address = program + at;
    if (<u64>at + nodeHeaderBytes > programBytes) return refuseNode('is cut off', node);
    const bytes = nodeBytes(address);
    if (<u64>at + bytes > programBytes) return refuseNode('is cut off', node);
    if (opName(load<u16>(address)) == 'unknown') {
      return refuseNode('has an operator this worker does not know', node);
    }
    const inputs = nodeInputCount(address);
    const outputs = nodeOutputCount(address);
    const words = nodeWordCount(address);
    const frees = nodeFreeCount(address);
    mostInputs = max(mostInputs, inputs);
    mostOutputs = max(mostOutputs, outputs);
    let list = address + nodeHeaderBytes;
    for (let i: u32 = 0; i < inputs; i++, list += 4) {
      const index = load<u32>(list);
      if (index == absentValue) continue;
      if (index >= valueCount || load<u8>(known + index) == 0) {
        return refuseNode('reads a value that is not there', node);
      }
    }
    for (let i: u32 = 0; i < outputs; i++, list += 4) {
      const index = load<u32>(list);
      if (index >= valueCount || load<u8>(known + index) != 0) {
        return refuseNode('writes a value that is there already', node);
      }
      store<u8>(known + index, 1);
    }
    list += words << 2;
    for (let i: u32 = 0; i < frees; i++, list += 4) {
      const index = load<u32>(list);
      if (index >= valueCount || load<u8>(known + index) == 0 || value(index).isConstant != 0) {
        return refuseNode('frees a value that is not there', node);
      }
      store<u8>(known + index, 0);
    }
    at += <u32>bytes;
  }
  names = at;
  inputTable = alloc(<usize>mostInputs << 2);
  outputTable = alloc(<usize>mostOutputs << 2);
  if (inputTable == 0 || outputTable == 0) return refuse('no heap for its nodes:', nodeCount);
  return true;
}

/** Turns the values' name offsets into addresses, and checks those of the nodes. */
function findNames(): bool {
  for (let index: u32 = 0; index < valueCount; index++) {
    const tensor = value(index);
    tensor.name = nameAddress(<u32>tensor.name);
    if (tensor.name == 0) return refuseValue('has no name', index) != 0;
  }
  let node = firstNode;
  for (let index: u32 = 0; index < nodeCount; index++) {
    if (nameAddress(load<u32>(node, 12)) == 0) return refuseNode('has no name', index);
    node += nodeBytes(node);
  }
  return true;
}

/** Address of the name of the node at `node`. */
export function nodeName(node: usize): usize {
  return nameAddress(load<u32>(node, 12));
}
