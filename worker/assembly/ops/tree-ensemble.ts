import { ClassRule, DType, PostTransform, TreeAggregate, TreeMode } from '../generated/constants';
import {
  failInput, hasInput, input, nodeOutputs, output, outputAlloc, progress, setProgress, setSlot, slot, temporary,
} from '../tensor/node';
import { Tensor } from '../tensor/tensor';
import { yieldsAt } from './blocks';
import {
  treeEnsembleAggregate, treeEnsembleClasses, treeEnsembleTargets, treeEnsembleTransform,
} from './generated/attributes';
import { logistic, TRANSFORM, transformScores } from './post-transform';
import { DONE, FAILED, YIELD } from './status';

const SLOT_ROW: u32 = 0;
const SLOT_TREE: u32 = 1;
const NODES: u32 = 1;
const THRESHOLDS: u32 = 2;
const TARGETS: u32 = 3;
const SCORES: u32 = 4;
const ROOTS: u32 = 5;
const START: u32 = 6;
/** About what a tree takes, a node of it that is passed, and a score of its leaf. */
const TREE: u64 = 45;
const STEP: u64 = 30;
const SCORE: u64 = 30;
/** Most nodes that are passed in a tree, and most scores of a leaf. */
const DEEPEST: u32 = 1 << 16;
const UNCHECKED: u64 = 1_000_000;

/** Bytes that tell which targets of the row under way a leaf has given a score. */
let given: usize = 0;
let steps: u32 = 0;
let entries: u32 = 0;

/** X, nodes, thresholds, targets, scores, roots, start?: scores of each row; the index of its class. */
export function treeEnsemble(): i32 {
  const x = input(0);
  if (progress == 0 && !begin(x)) return FAILED;
  if (output(0).byteLength == 0) return DONE;
  given = temporary(0, treeEnsembleTargets());
  if (given == 0) return FAILED;
  return x.dtype == DType.float64 ? rows<f64>(x) : rows<f32>(x);
}

function begin(x: Tensor): bool {
  const targets = treeEnsembleTargets();
  if (x.rank != 2 || (x.dtype != DType.float32 && x.dtype != DType.float64)) {
    failInput(0, 'float32 or float64 [rows, features]');
    return false;
  }
  for (let i = NODES; i <= ROOTS; i++) {
    const isReal = i == THRESHOLDS || i == SCORES;
    const fits = hasInput(i) && input(i).dtype == (isReal ? x.dtype : <u32>DType.int32);
    if (!fits || input(i).rank != (i == NODES ? 2 : 1)) {
      failInput(i, 'a list of the trees of an ensemble, numbers of the type of the first input');
      return false;
    }
  }
  if (input(NODES).dim(1) != 4 || input(THRESHOLDS).dim(0) != input(NODES).dim(0)) {
    failInput(NODES, 'four numbers a node, with as many thresholds');
    return false;
  }
  if (input(TARGETS).dim(0) != input(SCORES).dim(0)) {
    failInput(TARGETS, 'as many as there are scores');
    return false;
  }
  if (hasInput(START) && (input(START).dtype != x.dtype || input(START).count() != targets)) {
    failInput(START, 'one number a target');
    return false;
  }
  const classes = treeEnsembleClasses();
  const fits = targets > 0 && targets <= DEEPEST && treeEnsembleTransform() <= PostTransform.probit;
  const known = treeEnsembleAggregate() <= TreeAggregate.max && classes <= ClassRule.oneSigned;
  if (!fits || !known || (classes > ClassRule.many && targets != 2)) {
    failInput(0, 'scored by an aggregate, a transform and a rule for classes that this worker has');
    return false;
  }
  output(0).setDim(0, x.dim(0));
  output(0).setDim(1, targets);
  if (!outputAlloc(0, x.dtype, 2)) return false;
  if (hasClasses()) {
    output(1).setDim(0, x.dim(0));
    if (!outputAlloc(1, DType.int64, 1)) return false;
  }
  setProgress(1);
  return true;
}

@inline
function hasClasses(): bool {
  return nodeOutputs > 1 && changetype<usize>(output(1)) != 0;
}

function rows<T>(x: Tensor): i32 {
  const targets = treeEnsembleTargets();
  const trees = input(ROOTS).dim(0);
  const rowBytes = <usize>x.dim(1) * sizeof<T>();
  let unchecked: u64 = 0;
  let tree = slot(SLOT_TREE);
  for (let i = slot(SLOT_ROW); i < x.dim(0); i++) {
    const to = output(0).data + <usize>i * targets * sizeof<T>();
    if (tree == 0) {
      memory.fill(to, 0, <usize>targets * sizeof<T>());
      memory.fill(given, 0, targets);
    }
    while (tree < trees) {
      const root = load<u32>(input(ROOTS).data + (<usize>tree << 2));
      const leaf = leafOf<T>(root, x.data + <usize>i * rowBytes, x.dim(1));
      if (leaf == u32.MAX_VALUE || !collected<T>(leaf, to, targets)) {
        failInput(NODES, 'trees whose nodes stand before their children and name features and scores that there are');
        return FAILED;
      }
      tree++;
      unchecked += TREE + steps * STEP + entries * SCORE;
      if (unchecked > UNCHECKED) {
        if (yieldsAt(SLOT_TREE, tree, unchecked)) {
          setSlot(SLOT_ROW, i);
          return YIELD;
        }
        unchecked = 0;
      }
    }
    finish<T>(to, targets, i);
    tree = 0;
    unchecked += targets * (SCORE + TRANSFORM);
    if (unchecked > UNCHECKED && i + 1 < x.dim(0)) {
      setSlot(SLOT_TREE, 0);
      if (yieldsAt(SLOT_ROW, i + 1, unchecked)) return YIELD;
      unchecked = 0;
    }
  }
  return DONE;
}

/** The leaf that a row reaches from a root; u32.MAX_VALUE where the nodes lead to none. */
function leafOf<T>(root: u32, row: usize, features: u32): u32 {
  const count = input(NODES).dim(0);
  const nodes = input(NODES).data;
  const thresholds = input(THRESHOLDS).data;
  let node = root;
  for (steps = 0; steps < DEEPEST && node < count; steps++) {
    const at = nodes + (<usize>node << 4);
    const mode = load<u32>(at, 4);
    if (mode == TreeMode.leaf) return node;
    const feature = load<u32>(at);
    if (feature >= features) break;
    const value = load<T>(row + <usize>feature * sizeof<T>());
    const threshold = load<T>(thresholds + <usize>node * sizeof<T>());
    const missing = (mode & TreeMode.missingIsTrue) != 0 && value != value;
    const next = missing || isTrue<T>(mode & 7, value, threshold) ? load<u32>(at, 8) : load<u32>(at, 12);
    if (next <= node) break;
    node = next;
  }
  return u32.MAX_VALUE;
}

@inline
function isTrue<T>(mode: u32, value: T, threshold: T): bool {
  switch (mode) {
    case TreeMode.atMost:
      return value <= threshold;
    case TreeMode.below:
      return value < threshold;
    case TreeMode.atLeast:
      return value >= threshold;
    case TreeMode.above:
      return value > threshold;
    case TreeMode.equal:
      return value == threshold;
    default:
      return value != threshold;
  }
}

/** Puts the scores of a leaf to those of a row. False where it has such as there are not. */
function collected<T>(leaf: u32, to: usize, targets: u32): bool {
  const at = input(NODES).data + (<usize>leaf << 4);
  const first = load<u32>(at);
  const all = input(SCORES).dim(0);
  entries = load<u32>(at, 8);
  if (entries > DEEPEST || first > all || entries > all - first) return false;
  const aggregate = treeEnsembleAggregate();
  for (let k = first; k < first + entries; k++) {
    const target = load<u32>(input(TARGETS).data + (<usize>k << 2));
    if (target >= targets) return false;
    const score = load<T>(input(SCORES).data + <usize>k * sizeof<T>());
    const sum = to + <usize>target * sizeof<T>();
    const before = load<T>(sum);
    const isFirst = load<u8>(given + target) == 0;
    if (aggregate <= TreeAggregate.average) store<T>(sum, before + score);
    else if (isFirst || (aggregate == TreeAggregate.min ? score < before : score > before)) store<T>(sum, score);
    store<u8>(given + target, 1);
  }
  return true;
}

@inline
function startOf<T>(target: usize): T {
  return load<T>(input(START).data + target * sizeof<T>());
}

/** The scores of a row from what its leaves have given, and its class. */
function finish<T>(to: usize, targets: u32, row: u32): void {
  const classes = treeEnsembleClasses();
  if (treeEnsembleAggregate() == TreeAggregate.average) {
    const trees = <T>input(ROOTS).dim(0);
    for (let k: usize = 0; k < targets; k++) {
      store<T>(to + k * sizeof<T>(), load<T>(to + k * sizeof<T>()) / trees);
    }
  }
  if (classes > ClassRule.many) {
    finishTwo<T>(to, row);
    return;
  }
  if (hasInput(START)) {
    for (let k: usize = 0; k < targets; k++) {
      // One of several targets that no leaf gave a score stays 0, as in onnxruntime; a class does not.
      if (targets > 1 && classes == ClassRule.none && load<u8>(given + k) == 0) continue;
      store<T>(to + k * sizeof<T>(), load<T>(to + k * sizeof<T>()) + startOf<T>(k));
      store<u8>(given + k, 1);
    }
  }
  if (hasClasses()) store<i64>(output(1).data + (<usize>row << 3), largest<T>(to, targets));
  // One score is no class: only the inverse of the normal distribution is taken of it.
  const transform = treeEnsembleTransform();
  if (targets > 1 || transform == PostTransform.probit) transformScores<T>(transform, to, targets);
}

/** Index of the largest score that a leaf has given. */
function largest<T>(scores: usize, count: u32): i64 {
  let best: i64 = -1;
  for (let k: usize = 0; k < count; k++) {
    if (load<u8>(given + k) == 0) continue;
    if (best < 0 || load<T>(scores + k * sizeof<T>()) > load<T>(scores + <usize>best * sizeof<T>())) best = k;
  }
  return max<i64>(best, 0);
}

/** Two classes, as onnxruntime has them: a score that no leaf gave is made of the other. */
function finishTwo<T>(to: usize, row: u32): void {
  const second = to + sizeof<T>();
  const transform = treeEnsembleTransform();
  const hasSecond = load<u8>(given, 1) != 0;
  const withStart = hasInput(START);
  if (withStart && hasSecond) {
    store<T>(second, startOf<T>(1) + load<T>(to));
    store<T>(to, -load<T>(second));
  } else if (withStart) {
    store<T>(to, load<T>(to) + startOf<T>(0));
  }
  const deciding = hasSecond ? load<T>(second) : load<T>(to);
  const rule = treeEnsembleClasses();
  const isSecond = deciding > (rule == ClassRule.onePositive ? <T>0.5 : <T>0);
  if (hasClasses()) store<i64>(output(1).data + (<usize>row << 3), i64(isSecond));
  if (!hasSecond && !withStart) {
    const score = load<T>(to);
    const isLogistic = transform == PostTransform.logistic;
    const other: T = rule == ClassRule.onePositive ? <T>1 - score : -score;
    store<T>(to, isLogistic ? <T>logistic(<f32>-score) : other);
    store<T>(second, isLogistic ? <T>logistic(<f32>score) : score);
    return;
  }
  if (load<u8>(given) == 0) store<T>(to, <T>0);
  if (!hasSecond) store<T>(second, <T>0);
  transformScores<T>(transform, to, 2);
}
