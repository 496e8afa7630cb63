/**
 * Entry point of the engine alone, for tests: one node at a time, driven from outside. No part of
 * the canister.
 */
export { alloc, release, heapUsed, heapEnd, setHeapLimit } from '../tensor/memory';
export { setBudget } from '../tensor/budget';
export { beginNode, endNode } from '../tensor/node';
export { errorText, errorLength, errorCode } from '../tensor/errors';
export { runOp } from './index';

/** Where a check of the language fails. */
export function abort(message: usize, file: usize, line: u32, column: u32): void {
  unreachable();
}
