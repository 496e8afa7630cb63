import { BinaryKind, RecurrentCell, UnaryKind } from '../generated/constants';
import { copyBytes } from '../kernels/copy';
import { binaryRows } from '../kernels/binary';
import { gruState, lstmMemory } from '../kernels/recurrent';
import { unary } from '../kernels/unary';
import { attr, attrF, input, hasInput } from '../tensor/node';
import {
  GateFunctionWords, recurrentCandidateAt, recurrentCell, recurrentClip, recurrentGateAt, recurrentHidden,
  recurrentResultAt,
} from './generated/attributes';

/** What a row does in a step of a recurrent layer, once its products are made. Rows follow `hidden`. */

/** The function of attributes at word `at` of `n` floats, in place, bounded before. */
function gate(at: u32, x: usize, n: u32): void {
  const clip = recurrentClip();
  if (clip > 0) unary(UnaryKind.clip, x, x, n, -clip, clip, 1, 0);
  apply(at, x, x, n);
}

/** The function of attributes at word `at` of `n` floats. */
function apply(at: u32, src: usize, dst: usize, n: u32): void {
  const inner = attrF(at + GateFunctionWords.inner);
  if (inner != 1) {
    unary(UnaryKind.affine, src, dst, n, inner, 0, 1, 0);
    src = dst;
  }
  const alpha = attrF(at + GateFunctionWords.alpha);
  const beta = attrF(at + GateFunctionWords.beta);
  const outer = attrF(at + GateFunctionWords.outer);
  unary(<u32>attr(at + GateFunctionWords.kind), src, dst, n, alpha, beta, outer, 0);
}

/** Whether there is a function of that kind. */
export function isGate(at: u32): bool {
  return unary(<u32>attr(at + GateFunctionWords.kind), 0, 0, 0, 0, 0, 1, 0);
}

function multiply(a: usize, b: usize, out: usize, n: u32): void {
  binaryRows(BinaryKind.mul, a, 0, 4, b, 0, 4, out, 1, n);
}

function add(to: usize, from: usize, n: u32): void {
  binaryRows(BinaryKind.add, to, 0, 4, from, 0, 4, to, 1, n);
}

/** to += a * peephole number `index`. */
function addPeephole(to: usize, a: usize, index: u32, spare: usize, n: u32): void {
  multiply(a, input(7).data + ((<usize>index * n) << 2), spare, n);
  add(to, spare, n);
}

/**
 * One row: `gates` holds the product of its state, `given` that of its inputs; `state` and `memory` become
 * those of this step. `spare` has room for `hidden` floats. Of a GRU that resets first, all up to the
 * product of the reset state, which is left in `spare`.
 */
export function cellRow(given: usize, gates: usize, state: usize, memory: usize, spare: usize): void {
  const n = recurrentHidden();
  const row = <usize>n << 2;
  switch (recurrentCell()) {
    case RecurrentCell.rnn:
      add(gates, given, n);
      gate(recurrentGateAt, gates, n);
      copyBytes(state, gates, row);
      return;
    case RecurrentCell.gru:
      add(gates, given, 2 * n);
      gate(recurrentGateAt, gates, 2 * n);
      multiply(gates + row, state, spare, n);
      return;
    case RecurrentCell.gruResetAfter:
      add(gates, given, 2 * n);
      gate(recurrentGateAt, gates, 2 * n);
      multiply(gates + row, gates + 2 * row, spare, n);
      gruEnd(given, gates, spare, state);
      return;
    default:
      lstmRow(given, gates, state, memory, spare);
  }
}

/** The end of a GRU's step: `candidate` holds the product that makes it. */
export function gruEnd(given: usize, gates: usize, candidate: usize, state: usize): void {
  const n = recurrentHidden();
  add(candidate, given + (<usize>n << 3), n);
  gate(recurrentCandidateAt, candidate, n);
  gruState(state, gates, candidate, n);
}

function lstmRow(given: usize, gates: usize, state: usize, memory: usize, spare: usize): void {
  const n = recurrentHidden();
  const row = <usize>n << 2;
  const output = gates + row;
  const forget = output + row;
  const candidate = forget + row;
  const coupled = recurrentCell() == RecurrentCell.lstmCoupled;
  const peeps = hasInput(7);
  add(gates, given, 4 * n);
  if (peeps) {
    addPeephole(gates, memory, 0, spare, n);
    if (!coupled) addPeephole(forget, memory, 2, spare, n);
    gate(recurrentGateAt, gates, n);
    gate(recurrentGateAt, forget, n);
  } else gate(recurrentGateAt, gates, 3 * n);
  if (coupled) unary(UnaryKind.affine, gates, forget, n, -1, 1, 1, 0);
  gate(recurrentCandidateAt, candidate, n);
  lstmMemory(memory, forget, gates, candidate, n);
  if (peeps) {
    addPeephole(output, memory, 1, spare, n);
    gate(recurrentGateAt, output, n);
  }
  apply(recurrentResultAt, memory, spare, n);
  multiply(output, spare, state, n);
}
