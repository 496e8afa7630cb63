import { CanisterError, DType, RecurrentCell } from '../generated/constants';
import { copyBytes } from '../kernels/copy';
import { transposeWords } from '../kernels/transpose';
import { text } from '../tensor/errors';
import {
  failInput, failNode, hasInput, input, nodeOutputs, output, outputAlloc, progress, setProgress, setSlot,
  slot, temporary,
} from '../tensor/node';
import { Tensor } from '../tensor/tensor';
import { copyRows, fillElements, yieldsAt } from './blocks';
import { withoutEpilogue } from './epilogue';
import {
  recurrentAll, recurrentCandidateAt, recurrentCell, recurrentGateAt, recurrentHidden, recurrentPacked, recurrentResultAt,
  recurrentReverse,
} from './generated/attributes';
import { blockRows, multiplyPanels } from './panels';
import { cellRow, gruEnd, isGate } from './recurrent-cell';
import { roundStates, scaleGates } from './recurrent-integers';
import { DONE, FAILED, YIELD } from './status';
import { hasFloats, packedChannels } from './weights';
import { wholePanelsBytes } from './whole-panels';

/** Slots 0 to 3 are those of products and copies. */
const SLOT_STEP: u32 = 8;
const SLOT_PART: u32 = 9;
const SLOT_ROW: u32 = 10;
/** Parts of a step: product, rows; of a GRU that resets first another of both. */
const PARTS: u32 = 4;
/** What comes before the steps: each is done when `progress` is beyond it. */
const BEGUN: u32 = 1;
const STATE_SET: u32 = 2;
const MEMORY_SET: u32 = 3;
const STATES_SET: u32 = 4;
const FIRST_PACKED: u32 = 5;
const PACKED: u32 = 6;
/** Most numbers of states that are rounded between two looks at the budget. */
const MOST_ROUNDED: u64 = 1 << 20;
/** About what a number of a row takes beside products. */
const COST: u64 = 35;
const COST_STEP: u64 = 2000;

let steps: u32 = 0;
let batch: u32 = 0;
let hidden: u32 = 0;
/** Numbers of a row of all gates; of the first product, and of the second of a GRU that resets first. */
let width: u32 = 0;
let first: u32 = 0;
let second: u32 = 0;
let isLstm: bool = false;
/** Output of the last states, behind all of them. */
let last: u32 = 0;

/** A direction of a recurrent layer: see the description. */
export function recurrent(): i32 {
  readSizes();
  if (progress == 0) {
    if (!check() || !allocate()) return FAILED;
    setProgress(BEGUN);
  }
  if (batch == 0) return DONE;
  withoutEpilogue();
  if (progress < PACKED && !prepare()) return YIELD;
  for (let step = slot(SLOT_STEP); step < steps; ) {
    const status = takeStep(step);
    if (status != DONE) return status;
    step++;
    if (step < steps && yieldsAt(SLOT_STEP, step, COST_STEP + <u64>width * (COST + 2 * hidden))) return YIELD;
  }
  return DONE;
}

function readSizes(): void {
  const cell = recurrentCell();
  const gates: u32 = cell == RecurrentCell.rnn ? 1 : cell <= RecurrentCell.gruResetAfter ? 3 : 4;
  isLstm = cell > RecurrentCell.gruResetAfter;
  hidden = recurrentHidden();
  width = gates * hidden;
  second = cell == RecurrentCell.gru ? hidden : 0;
  first = width - second;
  last = recurrentAll() ? 1 : 0;
  if (input(0).rank != 3) return;
  steps = input(0).dim(0);
  batch = input(0).dim(1);
}

function check(): bool {
  const given = input(0);
  // Four gates of more would be no 32 bits.
  const fits = hidden != 0 && hidden < 1 << 28 && given.rank == 3 && given.dim(2) == width;
  if (given.dtype != DType.float32 || !fits) {
    failInput(0, 'float32 [steps, batch, gates * hidden]');
    return false;
  }
  if (recurrentPacked()) {
    if (!hasFloats(1, <u64>packedChannels(first) * hidden)) return false;
    if (second != 0 && !hasFloats(2, <u64>packedChannels(second) * hidden)) return false;
  } else if (!isFloats(1, <u64>width * hidden, true)) return false;
  const states = <u64>batch * hidden;
  if (!isFloats(3, width) || !isFloats(4, states) || !isFloats(5, states)) return false;
  if (!isFloats(7, 3 * <u64>hidden) || !checkLengths()) return false;
  if (!isFloats(8, width)) return false;
  if (hasInput(8) && (!isLstm || hasInput(3) || states > MOST_ROUNDED)) {
    failInput(8, 'left out, but of an LSTM without a bias whose states are at most 2^20 numbers');
    return false;
  }
  const known = isGate(recurrentGateAt) && isGate(recurrentCandidateAt) && isGate(recurrentResultAt);
  if (known && nodeOutputs == last + (isLstm ? 2 : 1)) return true;
  failNode(CanisterError.badShard);
  text('its gates or outputs are unknown');
  return false;
}

/** Whether input `i` has so many floats, or is left out. */
function isFloats(i: u32, count: u64, needed: bool = false): bool {
  if (!hasInput(i) && !needed) return true;
  if (hasInput(i) && input(i).dtype == DType.float32 && <u64>input(i).byteLength == count << 2) return true;
  failInput(i, 'float32 of the sizes of the layer');
  return false;
}

function checkLengths(): bool {
  if (!hasInput(6)) return true;
  const lengths = input(6);
  let right = lengths.dtype == DType.int32 && lengths.rank == 1 && lengths.dim(0) == batch;
  for (let i: u32 = 0; right && i < batch; i++) right = load<u32>(lengths.data + (<usize>i << 2)) <= steps;
  if (!right) failInput(6, 'int32 [batch], each from 0 to the number of steps');
  return right;
}

/** Outputs, and all temporaries that steps need. */
function allocate(): bool {
  for (let i: u32 = 0; i < nodeOutputs; i++) {
    const out = output(i);
    let rank: u32 = 0;
    if (i < last) out.setDim(rank++, steps);
    out.setDim(rank++, 1);
    out.setDim(rank++, batch);
    out.setDim(rank++, hidden);
    if (!outputAlloc(i, DType.float32, rank)) return false;
  }
  if (batch == 0 || steps == 0) return true;
  const ragged = <usize>min(blockRows(hidden), batch) << 6;
  if (temporary(0, max(ragged, wholePanelsBytes(batch, first & ~15))) == 0) return false;
  // Panels are read whole, so that there are zeros behind the last number.
  const biasBytes = (<usize>width << 2) + 64;
  const bias = temporary(1, biasBytes);
  if (bias == 0) return false;
  memory.fill(bias, 0, biasBytes);
  if (hasInput(3)) copyBytes(bias, input(3).data, <usize>width << 2);
  const packed = <u64>(packedChannels(first) + packedChannels(second)) * hidden << 2;
  if (!recurrentPacked() && !roomFor(2, packed)) return false;
  const integers = hasInput(8) ? <u64>batch * hidden + 1 : 0;
  return roomFor(3, (<u64>batch * (<u64>first + hidden + second) + integers) << 2);
}

function roomFor(i: u32, bytes: u64): bool {
  return temporary(i, <usize>min<u64>(bytes, 0xf0000000)) != 0;
}

/** First states, zeros behind the last step of each row, packed matrices. False where it yields. */
function prepare(): bool {
  if (progress == BEGUN) {
    if (!setState(output(last), 4)) return false;
    setProgress(STATE_SET);
  }
  if (progress == STATE_SET) {
    if (isLstm && !setState(output(last + 1), 5)) return false;
    setProgress(MEMORY_SET);
  }
  if (progress == MEMORY_SET) {
    const fills = hasInput(6) && last != 0;
    if (fills && !fillElements(output(0).data, output(0).byteLength, 4, 0)) return false;
    setProgress(STATES_SET);
  }
  const needed = !recurrentPacked() && steps != 0;
  if (progress == STATES_SET) {
    if (needed && !pack(firstMatrix(), input(1).data, first)) return false;
    setProgress(FIRST_PACKED);
  }
  const rest = input(1).data + ((<usize>first * hidden) << 2);
  if (needed && second != 0 && !pack(secondMatrix(), rest, second)) return false;
  setProgress(PACKED);
  return true;
}

function setState(state: Tensor, i: u32): bool {
  if (!hasInput(i)) return fillElements(state.data, state.byteLength, 4, 0);
  return copyRows(state.data, 0, input(i).data, 0, 1, state.byteLength);
}

function firstMatrix(): usize {
  return recurrentPacked() ? input(1).data : temporary(2, 0);
}

function secondMatrix(): usize {
  return recurrentPacked() ? input(2).data : temporary(2, 0) + ((<usize>packedChannels(first) * hidden) << 2);
}

/** Packs a matrix of `n` rows of `hidden` floats, a column of the product each. False where it yields. */
function pack(to: usize, from: usize, n: u32): bool {
  const rowBytes = <usize>hidden << 2;
  for (let start = slot(0); start < n; start += 16) {
    const lanes = min<u32>(16, n - start);
    const step = <usize>packedChannels(lanes) << 2;
    const panel = to + <usize>start * rowBytes;
    if ((lanes & 3) != 0) memory.fill(panel, 0, <usize>hidden * step);
    transposeWords(panel, step, from + <usize>start * rowBytes, rowBytes, hidden, lanes);
    if (yieldsAt(0, start + 16, <u64>hidden * (lanes * 8 + 64))) return false;
  }
  setSlot(0, 0);
  return true;
}

/** One step, of which some parts may be done. */
function takeStep(step: u32): i32 {
  const gates = temporary(3, 0);
  const spare = gates + ((<usize>batch * first) << 2);
  const candidates = spare + ((<usize>batch * hidden) << 2);
  for (let part = slot(SLOT_PART); part < PARTS; part++) {
    if (part >= 2 && second == 0) break;
    setSlot(SLOT_PART, part);
    let status: i32;
    if (part == 0) status = product(stateRows(), firstMatrix(), first, 0, gates);
    else if (part == 2) status = product(spare, secondMatrix(), second, first, candidates);
    else status = rows(step, part == 3, gates, spare, candidates) ? DONE : YIELD;
    if (status == DONE) continue;
    setSlot(SLOT_STEP, step);
    return status;
  }
  setSlot(SLOT_PART, 0);
  return DONE;
}

/** The rows of the first product: the states, or the integers that they are rounded to. */
function stateRows(): usize {
  const states = output(last).data;
  if (!hasInput(8)) return states;
  store<f32>(stateScale(), roundStates(states, batch * hidden, integers()));
  return integers();
}

/** Where the integers of the states lie: behind what an LSTM needs for its gates. */
@inline
function integers(): usize {
  return temporary(3, 0) + ((<usize>batch * (first + hidden)) << 2);
}

/** Where the scale of the states lies: behind them. */
@inline
function stateScale(): usize {
  return integers() + ((<usize>batch * hidden) << 2);
}

/** out [batch, n] = a [batch, hidden] x matrix + the bias from number `from` on. */
function product(a: usize, matrix: usize, n: u32, from: u32, out: usize): i32 {
  const bias = temporary(1, 0) + (<usize>from << 2);
  const status = multiplyPanels(a, batch, hidden, matrix, n, bias, out);
  if (status == DONE) for (let i: u32 = 0; i < 4; i++) setSlot(i, 0);
  return status;
}

/** All rows that have this step: up to the second product, or (`isEnd`) behind it. False where it yields. */
function rows(step: u32, isEnd: bool, gates: usize, spare: usize, candidates: usize): bool {
  const lengths = hasInput(6) ? input(6).data : 0;
  const rowBytes = <usize>hidden << 2;
  const all = last != 0 && (isEnd || second == 0) ? output(0).data : 0;
  for (let row = slot(SLOT_ROW); row < batch; ) {
    const length = lengths == 0 ? steps : load<u32>(lengths + (<usize>row << 2));
    if (length == 0 && step == 0) {
      // As onnxruntime has it, a row of no steps has no state either.
      for (let i = last; i < nodeOutputs; i++) memory.fill(output(i).data + <usize>row * rowBytes, 0, rowBytes);
    }
    if (step < length) {
      const time = recurrentReverse() ? length - 1 - step : step;
      const place = <usize>time * batch + row;
      const given = input(0).data + place * (<usize>width << 2);
      const own = gates + <usize>row * (<usize>first << 2);
      const at = <usize>row * rowBytes;
      const state = output(last).data + at;
      if (hasInput(8)) scaleGates(own, width, load<f32>(stateScale()), input(8).data);
      if (isEnd) gruEnd(given, own, candidates + at, state);
      else cellRow(given, own, state, isLstm ? output(last + 1).data + at : 0, spare + at);
      if (all != 0) copyBytes(all + place * rowBytes, state, rowBytes);
    }
    row++;
    if (row < batch && yieldsAt(SLOT_ROW, row, <u64>width * COST)) return false;
  }
  setSlot(SLOT_ROW, 0);
  return true;
}
