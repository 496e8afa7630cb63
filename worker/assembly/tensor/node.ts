import { CanisterError, opName } from '../generated/constants';
import { fail, name as nameText, number, text, typeAndShape } from './errors';
import { alloc, release } from './memory';
import { dtypeBytes, Tensor } from './tensor';

/**
 * The node under way: set by the interpreter, read by operators. A node that yields keeps all of
 * this until it is done, so operators may leave their place in `progress`, `slots` and temporaries.
 */
export let nodeOp: u32 = 0;
export let nodeInputs: u32 = 0;
export let nodeOutputs: u32 = 0;
export let attrCount: u32 = 0;
/** 0 at the first call of the node; an operator that yields leaves where it is. */
export let progress: u32 = 0;

/** Nodes behind this one that are left out. */
export let leftOut: u32 = 0;

let inputTable: usize = 0;
let outputTable: usize = 0;
let attributes: usize = 0;
let dies: u64 = 0;
let nodeName: usize = 0;

const SLOTS: u32 = 16;
const slots: usize = memory.data(64, 16);
const TEMPORARIES: u32 = 4;
const temporaries: usize = memory.data(16);

/**
 * Begins a node.
 * @param inputs address of `inputCount` tensor addresses; 0 for an optional input left out
 * @param outputs address of `outputCount` tensor addresses; the tensors are empty (`data` 0)
 * @param words address of `wordCount` 32-bit attribute words
 * @param dying bit i: input i is read by no later node and is no output of the program, so its
 * buffer may be taken over
 * @param name address of the node's name, as tensors have it
 */
export function beginNode(
  op: u32,
  inputs: usize,
  inputCount: u32,
  outputs: usize,
  outputCount: u32,
  words: usize,
  wordCount: u32,
  dying: u64,
  name: usize,
): void {
  nodeOp = op;
  inputTable = inputs;
  nodeInputs = inputCount;
  outputTable = outputs;
  nodeOutputs = outputCount;
  attributes = words;
  attrCount = wordCount;
  dies = dying;
  nodeName = name;
  progress = 0;
  leftOut = 0;
  endNode();
}

/** Bytes of the temporaries of the node under way. */
export let temporaryBytes: usize = 0;

/** Releases the temporaries of the node under way: after it is done, failed or given up. */
export function endNode(): void {
  for (let i: u32 = 0; i < TEMPORARIES; i++) {
    release(load<u32>(temporaries + (i << 2)));
    store<u32>(temporaries + (i << 2), 0);
  }
  temporaryBytes = 0;
  memory.fill(slots, 0, SLOTS << 2);
}

/** Bytes of a node's state, for {@link suspendNode}. */
export const NODE_BYTES: usize = 48 + (TEMPORARIES << 2) + (SLOTS << 2);

/**
 * Puts the node under way aside, with its place, slots and temporaries, so that nodes of a program inside
 * it can run; {@link resumeNode} makes it the node under way again.
 * @param to address of NODE_BYTES bytes
 */
export function suspendNode(to: usize): void {
  store<u32>(to, nodeOp);
  store<u32>(to, nodeInputs, 4);
  store<u32>(to, nodeOutputs, 8);
  store<u32>(to, attrCount, 12);
  store<u32>(to, progress, 16);
  store<u32>(to, <u32>inputTable, 20);
  store<u32>(to, <u32>outputTable, 24);
  store<u32>(to, <u32>attributes, 28);
  store<u64>(to, dies, 32);
  store<u32>(to, <u32>nodeName, 40);
  store<u32>(to, <u32>temporaryBytes, 44);
  memory.copy(to + 48, temporaries, TEMPORARIES << 2);
  memory.copy(to + 48 + (TEMPORARIES << 2), slots, SLOTS << 2);
  // What it holds is its own: the next node begins with none.
  memory.fill(temporaries, 0, TEMPORARIES << 2);
}

/** Undoes {@link suspendNode}; the node then under way must have ended. */
export function resumeNode(from: usize): void {
  nodeOp = load<u32>(from);
  nodeInputs = load<u32>(from, 4);
  nodeOutputs = load<u32>(from, 8);
  attrCount = load<u32>(from, 12);
  progress = load<u32>(from, 16);
  inputTable = load<u32>(from, 20);
  outputTable = load<u32>(from, 24);
  attributes = load<u32>(from, 28);
  dies = load<u64>(from, 32);
  nodeName = load<u32>(from, 40);
  temporaryBytes = load<u32>(from, 44);
  memory.copy(temporaries, from + 48, TEMPORARIES << 2);
  memory.copy(slots, from + 48 + (TEMPORARIES << 2), SLOTS << 2);
}

/** Input `i`; as an address 0 where it is absent or beyond the node's inputs: see {@link hasInput}. */
export function input(i: u32): Tensor {
  if (i >= nodeInputs) return changetype<Tensor>(0);
  return changetype<Tensor>(<usize>load<u32>(inputTable + (i << 2)));
}

export function hasInput(i: u32): bool {
  return changetype<usize>(input(i)) != 0;
}

export function output(i: u32): Tensor {
  return changetype<Tensor>(<usize>load<u32>(outputTable + (i << 2)));
}

/** Whether the node may take over the buffer of input `i`. */
export function inputDies(i: u32): bool {
  return i < 64 && ((dies >> i) & 1) == 1 && input(i).isConstant == 0;
}

/** Attribute word `i` as a signed integer. */
export function attr(i: u32): i32 {
  return load<i32>(attributes + (i << 2));
}

/** Attribute word `i` as a float. */
export function attrF(i: u32): f32 {
  return load<f32>(attributes + (i << 2));
}

/** Attribute words `i` and `i + 1`, the low one first. */
export function attrBits(i: u32): u64 {
  return load<u64>(attributes + (i << 2));
}

/**
 * Word at which attribute number `lists` behind the word `first` begins, where those before it are lists
 * with their lengths. Beyond all words where a length is.
 */
export function listAt(first: u32, lists: u32): u32 {
  let at = first;
  for (; lists != 0; lists--) {
    if (at >= attrCount) return u32.MAX_VALUE;
    const count = <u32>attr(at);
    if (count > attrCount) return u32.MAX_VALUE;
    at += 1 + count;
  }
  return at;
}

/** Leaves out so many nodes behind this one. */
export function leaveOut(nodes: u32): void {
  leftOut = nodes;
}

export function setProgress(value: u32): void {
  progress = value;
}

/** One of 16 words that outlive a yield; 0 at the first call. */
export function slot(i: u32): u32 {
  return load<u32>(slots + (i << 2));
}

export function setSlot(i: u32, value: u32): void {
  store<u32>(slots + (i << 2), value);
}

/** Word `i` as a float. */
export function slotF(i: u32): f32 {
  return load<f32>(slots + (i << 2));
}

export function setSlotF(i: u32, value: f32): void {
  store<f32>(slots + (i << 2), value);
}

/** Address of word `i`, for kernels that keep more than a word; at a multiple of 16 where `i` is one of 4. */
export function slotAddress(i: u32): usize {
  return slots + (i << 2);
}

/**
 * Memory that outlives a yield and ends with the node; at most 4 a node, `i` below 4. The same
 * address is returned when asked again. 0 after a failure text where there is no room.
 */
export function temporary(i: u32, bytes: usize): usize {
  const at = temporaries + (i << 2);
  let address: usize = load<u32>(at);
  if (address == 0) {
    address = alloc(bytes);
    if (address == 0) failMemory(bytes);
    else temporaryBytes += bytes;
    store<u32>(at, <u32>address);
  }
  return address;
}

/**
 * Allocates output `i` after its rank and dimensions are set. False, with the failure's text, where
 * it would be too large.
 */
export function outputAlloc(i: u32, dtype: u32, rank: u32): bool {
  const tensor = output(i);
  tensor.dtype = dtype;
  tensor.rank = rank;
  const bytes = shapeBytes(tensor);
  if (bytes > u64(0xf0000000)) {
    failMemory(bytes);
    return false;
  }
  tensor.byteLength = <u32>bytes;
  tensor.data = alloc(<usize>bytes);
  if (tensor.data == 0) {
    failMemory(bytes);
    return false;
  }
  return true;
}

/**
 * Gives output 0 the buffer of input `i`, which must die here; the input then holds nothing. Rank
 * and dimensions of the output are set and its byte length equals the input's.
 */
export function takeOver(i: u32, dtype: u32, rank: u32): void {
  const from = input(i);
  const to = output(0);
  to.dtype = dtype;
  to.rank = rank;
  to.byteLength = from.byteLength;
  to.data = from.data;
  from.data = 0;
}

/** Bytes a tensor of this type and shape takes, saturated. */
function shapeBytes(tensor: Tensor): u64 {
  let total: u64 = dtypeBytes(tensor.dtype);
  for (let i: u32 = 0; i < tensor.rank; i++) if (tensor.dim(i) == 0) return 0;
  for (let i: u32 = 0; i < tensor.rank; i++) {
    total *= tensor.dim(i);
    if (total > u64(0xffffffff)) return u64(0xffffffff);
  }
  return total;
}

/** Begins the text of a failure of this node: `node "conv1" (Conv): `. */
export function failNode(code: string): void {
  fail(code);
  text('node ');
  nameText(nodeName);
  text(' (');
  text(opName(nodeOp));
  text('): ');
}

function failMemory(bytes: u64): void {
  failNode(CanisterError.outOfMemory);
  text('no room for ');
  number(bytes);
  text(' bytes; use smaller inputs or more workers');
}

/** Fails with `input "x" float32[1,2]: must be <expected>`. */
export function failInput(i: u32, expected: string): void {
  failNode(CanisterError.badInput);
  text('input ');
  if (hasInput(i)) {
    nameText(input(i).name);
    text(' ');
    typeAndShape(input(i));
  } else {
    number(i);
    text(', which is absent,');
  }
  text(' must be ');
  text(expected);
}

/** Fails with `inputs "a" float32[2], "b" float32[3]: <problem>`. */
export function failInputs(i: u32, j: u32, problem: string): void {
  failNode(CanisterError.badInput);
  text('inputs ');
  nameText(input(i).name);
  text(' ');
  typeAndShape(input(i));
  text(' and ');
  nameText(input(j).name);
  text(' ');
  typeAndShape(input(j));
  text(': ');
  text(problem);
}
