/** Runs the program for one task, over as many messages as the budget makes of it. */
import { absentValue, CanisterError, OpCode } from '../generated/constants';
import { DONE, FAILED, runOp, YIELD } from '../ops/index';
import { exhausted, used } from '../tensor/budget';
import { release } from '../tensor/memory';
import { fail, name as nameText, text } from '../tensor/errors';
import { beginNode, endNode, failNode, leftOut, temporaryBytes } from '../tensor/node';
import { Tensor } from '../tensor/tensor';
import {
  firstNode,
  inputCount,
  inputTable,
  inputValue,
  nodeBytes,
  nodeCount,
  nodeFreeCount,
  nodeHeaderBytes,
  nodeInputCount,
  nodeName,
  nodeOutputCount,
  nodeWordCount,
  outputCount,
  outputTable,
  outputValue,
  value,
  valueCount,
} from './shard';

let node: usize = 0;
let nodesDone: u32 = 0;
/** Whether the node at `node` was begun in an earlier message. */
let isBegun: bool = false;
/** Nodes that come and are left out: their branch is not taken. */
let skipped: u32 = 0;
/** Bytes of activations that are held, and the most there were, with what kernels took besides. */
let held: u64 = 0;
export let mostHeld: u64 = 0;
/** Instructions spent in operators, and in {@link advance} as a whole, since the canister's start. */
export let operatorInstructions: u64 = 0;
export let programInstructions: u64 = 0;

/** Begins a task whose inputs were taken from `inputBytes` bytes. */
export function beginTask(inputBytes: u32): void {
  node = firstNode;
  nodesDone = 0;
  isBegun = false;
  skipped = 0;
  held = inputBytes;
  mostHeld = held;
}

/** Goes on until the program is DONE, has FAILED, or must YIELD to another message. */
export function advance(): i32 {
  const start = used();
  const status = runNodes();
  programInstructions += used() - start;
  return status;
}

function runNodes(): i32 {
  while (nodesDone < nodeCount) {
    if (skipped != 0) {
      skipped--;
      passOver();
      continue;
    }
    if (!isBegun) {
      prepare();
      isBegun = true;
      if (!inputsAreThere()) return FAILED;
    }
    const start = used();
    const status = runOp(load<u16>(node));
    operatorInstructions += used() - start;
    if (status == FAILED) return FAILED;
    if (status == YIELD) return YIELD;
    skipped = leftOut;
    leave();
    if (nodesDone < nodeCount && exhausted()) return YIELD;
  }
  return outputsAreThere() ? DONE : FAILED;
}

/** Hands the node's inputs, outputs and attributes to the operators. */
function prepare(): void {
  const inputs = nodeInputCount(node);
  const outputs = nodeOutputCount(node);
  const words = nodeWordCount(node);
  const frees = nodeFreeCount(node);
  const inputList = node + nodeHeaderBytes;
  const outputList = inputList + (inputs << 2);
  const attributes = outputList + (outputs << 2);
  const freeList = attributes + (words << 2);
  let dying: u64 = 0;
  for (let i: u32 = 0; i < inputs; i++) {
    const index = load<u32>(inputList + (i << 2));
    const tensor: usize = index == absentValue ? 0 : changetype<usize>(value(index));
    store<u32>(inputTable + (i << 2), <u32>tensor);
    if (i < 64 && contains(freeList, frees, index) && occursOnce(inputList, inputs, index)) {
      dying |= (<u64>1) << i;
    }
  }
  for (let i: u32 = 0; i < outputs; i++) {
    const tensor = value(load<u32>(outputList + (i << 2)));
    tensor.data = 0;
    tensor.byteLength = 0;
    store<u32>(outputTable + (i << 2), <u32>changetype<usize>(tensor));
  }
  const op = load<u16>(node);
  const name = nodeName(node);
  beginNode(op, inputTable, inputs, outputTable, outputs, attributes, words, dying, name);
}

/** Whether no branch has left out what the node reads; Select looks itself. */
function inputsAreThere(): bool {
  if (load<u16>(node) == OpCode.Select) return true;
  const inputs = nodeInputCount(node);
  for (let i: u32 = 0; i < inputs; i++) {
    const address: usize = load<u32>(inputTable + (i << 2));
    if (address == 0 || changetype<Tensor>(address).data != 0) continue;
    failNode(CanisterError.badShard);
    text('its input ');
    nameText(changetype<Tensor>(address).name);
    text(' was left out by a branch');
    return false;
  }
  return true;
}

/** Whether no branch has left out what the program gives. */
function outputsAreThere(): bool {
  for (let i: u32 = 0; i < outputCount; i++) {
    const tensor = value(outputValue(i));
    if (tensor.data != 0) continue;
    fail(CanisterError.badShard);
    text('output ');
    nameText(tensor.name);
    text(' was left out by a branch');
    return false;
  }
  return true;
}

/** Goes on behind a node that is left out: what it would give is empty, what it was the last to read is freed. */
function passOver(): void {
  const inputs = nodeInputCount(node);
  const outputs = nodeOutputCount(node);
  const outputList = node + nodeHeaderBytes + (inputs << 2);
  for (let i: u32 = 0; i < outputs; i++) {
    const tensor = value(load<u32>(outputList + (i << 2)));
    tensor.data = 0;
    tensor.byteLength = 0;
  }
  const freeList = outputList + ((outputs + nodeWordCount(node)) << 2);
  const frees = nodeFreeCount(node);
  for (let i: u32 = 0; i < frees; i++) forget(value(load<u32>(freeList + (i << 2))));
  node += nodeBytes(node);
  nodesDone++;
}

function contains(list: usize, length: u32, index: u32): bool {
  for (let i: u32 = 0; i < length; i++) if (load<u32>(list + (i << 2)) == index) return true;
  return false;
}

/** A value that is read twice by one node must not be taken over through one of the two. */
function occursOnce(list: usize, length: u32, index: u32): bool {
  let times = 0;
  for (let i: u32 = 0; i < length; i++) if (load<u32>(list + (i << 2)) == index) times++;
  return times == 1;
}

/** Frees what the node was the last to read and goes to the next one. */
function leave(): void {
  const temporaries = temporaryBytes;
  endNode();
  const inputs = nodeInputCount(node);
  const outputs = nodeOutputCount(node);
  const words = nodeWordCount(node);
  const frees = nodeFreeCount(node);
  for (let i: u32 = 0; i < inputs; i++) {
    const address: usize = load<u32>(inputTable + (i << 2));
    if (address == 0) continue;
    const tensor = changetype<Tensor>(address);
    if (tensor.data == 0) forget(tensor);
  }
  for (let i: u32 = 0; i < outputs; i++) {
    held += changetype<Tensor>(<usize>load<u32>(outputTable + (i << 2))).byteLength;
  }
  if (held + temporaries > mostHeld) mostHeld = held + temporaries;
  const freeList = node + nodeHeaderBytes + ((inputs + outputs + words) << 2);
  for (let i: u32 = 0; i < frees; i++) forget(value(load<u32>(freeList + (i << 2))));
  node += nodeBytes(node);
  nodesDone++;
  isBegun = false;
}

function forget(tensor: Tensor): void {
  if (tensor.isConstant != 0) return;
  release(tensor.data);
  held -= tensor.byteLength;
  tensor.data = 0;
  tensor.byteLength = 0;
}

/** Frees all that the task still holds, whether it is done, failed or given up. */
export function endTask(): void {
  endNode();
  for (let i: u32 = 0; i < inputCount; i++) {
    const tensor = value(inputValue(i));
    tensor.isConstant = 0;
    tensor.data = 0;
    tensor.byteLength = 0;
  }
  for (let index: u32 = 0; index < valueCount; index++) {
    const tensor = value(index);
    if (tensor.isConstant == 0 && tensor.data != 0) forget(tensor);
  }
}
