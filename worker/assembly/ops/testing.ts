/**
 * Entry point of the engine alone, for tests: one node at a time, driven from outside. No part of
 * the canister.
 */
import { errorLength, errorText } from '../tensor/errors';
import { alloc } from '../tensor/memory';
import { beginNode, endNode } from '../tensor/node';
import { Tensor, TENSOR_BYTES } from '../tensor/tensor';
import { runOp } from './index';

export { alloc, release, heapUsed, heapEnd, setHeapLimit } from '../tensor/memory';
export { setBudget } from '../tensor/budget';
export { beginNode, endNode } from '../tensor/node';
export { errorText, errorLength, errorCode } from '../tensor/errors';
export { runOp } from './index';

/** Where a check of the language fails. */
export function abort(message: usize, file: usize, line: u32, column: u32): void {
  unreachable();
}

@external('ic0', 'msg_arg_data_size')
declare function argumentSize(): usize;
@external('ic0', 'msg_arg_data_copy')
declare function copyArgument(to: usize, offset: usize, size: usize): void;
@external('ic0', 'msg_reply_data_append')
declare function appendReply(from: usize, size: usize): void;

let stagedOp: u32 = 0;
let stagedOutputs: usize = 0;
let stagedOutputCount: u32 = 0;
/** 0 done, 1 yields, 2 failed. */
let status: i32 = 0;
const statusWord: usize = memory.data(4);

/**
 * Makes one node of the argument, for counting what it costs. 32-bit words: operator, input count,
 * output count, attribute count, mask of dying inputs, attributes; then for each input 14 words of a
 * tensor, `data` as an offset into the argument, `rank` 0xffffffff where the input is absent.
 */
export function stage(): void {
  const argument = alloc(argumentSize());
  copyArgument(argument, 0, argumentSize());
  stagedOp = load<u32>(argument);
  const inputCount = load<u32>(argument, 4);
  const outputCount = load<u32>(argument, 8);
  stagedOutputCount = outputCount;
  const wordCount = load<u32>(argument, 12);
  const words = argument + 20;
  const tensors = words + (<usize>wordCount << 2);
  const inputs = alloc((<usize>inputCount << 2) + 4);
  const outputs = alloc((<usize>outputCount << 2) + 4);
  for (let i: u32 = 0; i < inputCount; i++) {
    const tensor = tensors + <usize>i * TENSOR_BYTES;
    const present = load<u32>(tensor, 4) != 0xffffffff;
    if (present) {
      const data = alloc(load<u32>(tensor, 8));
      memory.copy(data, argument + load<u32>(tensor, 12), load<u32>(tensor, 8));
      store<u32>(tensor, <u32>data, 12);
    }
    store<u32>(inputs + (<usize>i << 2), present ? <u32>tensor : 0);
  }
  stagedOutputs = outputs;
  for (let i: u32 = 0; i < outputCount; i++) {
    const tensor = alloc(TENSOR_BYTES);
    memory.fill(tensor, 0, TENSOR_BYTES);
    store<u32>(outputs + (<usize>i << 2), <u32>tensor);
  }
  beginNode(stagedOp, inputs, inputCount, outputs, outputCount, words, wordCount, load<u32>(argument, 16), 0);
}

/** Runs the staged node to its end. Traps where it fails. */
export function execute(): void {
  do {
    status = runOp(stagedOp);
  } while (status == 1);
  endNode();
  if (status != 0) unreachable();
}

/** Runs the staged node as far as one message would. */
export function step(): void {
  status = runOp(stagedOp);
  if (status != 1) endNode();
}

/**
 * Replies with the status and, once the node is done, the outputs: for each the struct of its tensor
 * and its bytes. Where it failed, the text.
 */
export function tell(): void {
  store<i32>(statusWord, status);
  appendReply(statusWord, 4);
  if (status == 2) appendReply(errorText(), errorLength());
  for (let i: u32 = 0; status == 0 && i < stagedOutputCount; i++) {
    const tensor = changetype<Tensor>(<usize>load<u32>(stagedOutputs + (<usize>i << 2)));
    appendReply(changetype<usize>(tensor), TENSOR_BYTES);
    appendReply(tensor.data, tensor.byteLength);
  }
}
