import { TreeMode, type DTypeName, type OpAttributes } from '@canopy/protocol';
import { patterned, type Bytes } from '../../testing/metered-engine.js';
import { random } from '../compare.js';
import type { TestTensor } from '../engine.js';
import { operatorContract, type ContractCase } from './contract.js';

type Attributes = OpAttributes['TreeEnsemble'];
type Real = 'float32' | 'float64';
/** Scores of a leaf, or a comparison with what follows where it is true, and where not. */
type Tree = readonly [target: number, score: number][] | Branch;
interface Branch {
  feature: number;
  mode: 'LEQ' | 'LT' | 'GTE' | 'GT' | 'EQ' | 'NEQ';
  value: number;
  missing?: boolean;
  yes: Tree;
  no: Tree;
}

const codes: Readonly<Record<Branch['mode'], number>> = {
  LEQ: TreeMode.atMost,
  LT: TreeMode.below,
  GTE: TreeMode.atLeast,
  GT: TreeMode.above,
  EQ: TreeMode.equal,
  NEQ: TreeMode.notEqual,
};

function isLeaf(tree: Tree): tree is readonly [number, number][] {
  return Array.isArray(tree);
}

/** Nodes of a tree in order, each in front of its children. */
function nodesOf(tree: Tree): Tree[] {
  return isLeaf(tree) ? [tree] : [tree, ...nodesOf(tree.yes), ...nodesOf(tree.no)];
}

/** The lists of a node of a program. */
function lists(trees: readonly Tree[], real: Real): TestTensor[] {
  const nodes: number[] = [];
  const thresholds: number[] = [];
  const scores: (readonly [number, number])[] = [];
  const roots: number[] = [];
  for (const tree of trees) {
    const all = nodesOf(tree);
    const base = thresholds.length;
    roots.push(base);
    for (const node of all) {
      if (isLeaf(node)) {
        nodes.push(scores.length, TreeMode.leaf, node.length, 0);
        thresholds.push(0);
        scores.push(...node);
        continue;
      }
      const mode = codes[node.mode] + (node.missing ? TreeMode.missingIsTrue : 0);
      nodes.push(node.feature, mode, base + all.indexOf(node.yes), base + all.indexOf(node.no));
      thresholds.push(node.value);
    }
  }
  const list = (dtype: DTypeName, data: number[]): TestTensor => ({
    dtype,
    dims: [data.length],
    data: dtype === 'float32' ? Float32Array.from(data) : data,
  });
  return [
    { dtype: 'int32', dims: [thresholds.length, 4], data: nodes },
    list(real, thresholds),
    list(
      'int32',
      scores.map(([target]) => target),
    ),
    list(
      real,
      scores.map(([, score]) => score),
    ),
    list('int32', roots),
  ];
}

/** The same as attributes of ONNX, with scores of a `target` or a `class`. */
function listAttributes(trees: readonly Tree[], what: 'target' | 'class') {
  const nodes = trees.flatMap((tree, id) => {
    const all = nodesOf(tree);
    return all.map((node, index) => ({ id, all, node, index }));
  });
  const scores = nodes.flatMap(({ id, node, index }) =>
    isLeaf(node) ? node.map(([target, score]) => ({ id, index, target, score })) : [],
  );
  return {
    nodes_treeids: nodes.map(({ id }) => id),
    nodes_nodeids: nodes.map(({ index }) => index),
    nodes_featureids: nodes.map(({ node }) => (isLeaf(node) ? 0 : node.feature)),
    nodes_values: { floats: nodes.map(({ node }) => (isLeaf(node) ? 0 : node.value)) },
    nodes_modes: {
      strings: nodes.map(({ node }) => (isLeaf(node) ? 'LEAF' : `BRANCH_${node.mode}`)),
    },
    nodes_truenodeids: nodes.map(({ all, node }) => (isLeaf(node) ? 0 : all.indexOf(node.yes))),
    nodes_falsenodeids: nodes.map(({ all, node }) => (isLeaf(node) ? 0 : all.indexOf(node.no))),
    nodes_missing_value_tracks_true: nodes.map(({ node }) =>
      Number(!isLeaf(node) && node.missing === true),
    ),
    [`${what}_treeids`]: scores.map(({ id }) => id),
    [`${what}_nodeids`]: scores.map(({ index }) => index),
    [`${what}_ids`]: scores.map(({ target }) => target),
    [`${what}_weights`]: { floats: scores.map(({ score }) => score) },
  };
}

const transformNames: Readonly<Record<Attributes['transform'], string>> = {
  none: 'NONE',
  logistic: 'LOGISTIC',
  softmax: 'SOFTMAX',
  softmaxZero: 'SOFTMAX_ZERO',
  probit: 'PROBIT',
};

function real(x: TestTensor): Real {
  return x.dtype === 'float64' ? 'float64' : 'float32';
}
function start(base: readonly number[], dtype: Real): TestTensor[] {
  return base.length === 0 ? [] : [{ dtype, dims: [base.length], data: base }];
}

function regression(
  name: string,
  trees: readonly Tree[],
  x: TestTensor,
  given: Partial<Attributes> & { base?: number[] } = {},
): ContractCase<'TreeEnsemble'> {
  const { base = [], targets = 1, aggregate = 'sum', transform = 'none' } = given;
  return {
    name,
    attributes: { targets, aggregate, transform, classes: 'none' },
    inputs: [x, ...lists(trees, real(x)), ...start(base, real(x))],
    onnx: {
      type: 'TreeEnsembleRegressor',
      domain: 'ai.onnx.ml',
      inputs: [x],
      attributes: {
        ...listAttributes(trees, 'target'),
        n_targets: targets,
        aggregate_function: aggregate.toUpperCase(),
        post_transform: transformNames[transform],
        ...(base.length > 0 && { base_values: { floats: base } }),
      },
      outputs: ['float32'],
    },
  };
}

function classes(
  rule: Attributes['classes'],
  trees: readonly Tree[],
  x: TestTensor,
  count: number,
  transform: Attributes['transform'] = 'none',
  base: number[] = [],
): ContractCase<'TreeEnsemble'> {
  return {
    name: `classes: ${rule}, ${transform}${base.length > 0 ? ', base values' : ''}`,
    attributes: { targets: count, aggregate: 'sum', transform, classes: rule },
    inputs: [x, ...lists(trees, 'float32'), ...start(base, 'float32')],
    onnx: {
      type: 'TreeEnsembleClassifier',
      domain: 'ai.onnx.ml',
      inputs: [x],
      attributes: {
        ...listAttributes(trees, 'class'),
        classlabels_int64s: Array.from({ length: count }, (_, index) => index),
        post_transform: transformNames[transform],
        ...(base.length > 0 && { base_values: { floats: base } }),
      },
      outputs: ['int64', 'float32'],
    },
    order: [1, 0],
  };
}

const split = (feature: number, value: number, yes: Tree, no: Tree): Branch => ({
  feature,
  mode: 'LEQ',
  value,
  yes,
  no,
});
const leaf = (score: number, target = 0): Tree => [[target, score]];
const deep = split(
  0,
  0.1,
  split(1, -0.2, leaf(0.5), leaf(-1.25)),
  split(2, 0.3, leaf(2), split(0, 0.6, leaf(3), leaf(-0.75))),
);
const other = split(3, 0, leaf(-0.125), split(2, -0.4, leaf(1), leaf(0.25)));
const x = random([9, 4]);
const whole: TestTensor = {
  dtype: 'float32',
  dims: [6, 1],
  data: Float32Array.of(-1, 0, 1, NaN, Infinity, -Infinity),
};
const eachMode = (['LEQ', 'LT', 'GTE', 'GT', 'EQ', 'NEQ'] as const).map((mode, index): Branch => ({
  feature: 0,
  mode,
  value: 0,
  missing: index % 2 === 0,
  yes: leaf(2 ** index),
  no: leaf(-(2 ** index)),
}));
const targets3 = [
  split(0, 0, leaf(1, 0), [
    [1, 0.5],
    [2, -2],
  ]),
  split(1, 0.2, leaf(0.75, 2), leaf(0.25, 1)),
];
const two = (yes: number, no: number, target: number): Tree[] => [
  split(0, 0, leaf(yes, target), leaf(no, target)),
];
const both = [
  split(
    0,
    0,
    [
      [0, 0.7],
      [1, 0.3],
    ],
    [[0, 1]],
  ),
  split(1, 0, leaf(0.25, 1), leaf(-0.5, 0)),
];
const transforms = ['none', 'logistic', 'softmax', 'softmaxZero'] as const;

/** A forest of one tree over and over, for counts of instructions. */
function grown(count: number): Bytes[] {
  return lists(Array<Tree>(count).fill(deep), 'float32').map(({ dtype, dims, data }) => {
    const values = dtype === 'int32' ? Int32Array.from(data) : Float32Array.from(data);
    return { dtype, dims, bytes: new Uint8Array(values.buffer) };
  });
}

operatorContract(
  'TreeEnsemble',
  [
    regression('a sum of two trees', [deep, other], x),
    regression('a sum, begun with a number', [deep, other], x, { base: [10] }),
    regression('a mean', [deep, other], x, { aggregate: 'average', base: [1] }),
    regression('the least', [deep, other], x, { aggregate: 'min', base: [1] }),
    regression('the largest', [deep, other], x, { aggregate: 'max' }),
    regression('no rows', [deep], random([0, 4])),
    regression('one leaf', [leaf(4)], x),
    regression('a sigmoid of one target is none', [deep], x, { transform: 'logistic' }),
    regression('every comparison, with NaN', eachMode, whole),
    regression('a sum as a quantile of the normal distribution', [leaf(0.25)], x, {
      transform: 'probit',
    }),
    ...transforms.map((transform) =>
      regression(`three targets, ${transform}`, targets3, x, { targets: 3, transform }),
    ),
    regression('three targets, the least', targets3, x, {
      targets: 3,
      aggregate: 'min',
      base: [1, 2, 3],
    }),
    ...transforms.flatMap((transform) => [
      classes('many', targets3, x, 3, transform),
      classes('many', targets3, x, 3, transform, [0.5, -0.25, 1]),
      classes('two', both, x, 2, transform),
      classes('two', both, x, 2, transform, [0.5, -0.25]),
      classes('onePositive', two(0.75, 0.25, 0), x, 2, transform),
      classes('onePositive', two(0.75, 0.25, 1), x, 2, transform),
      classes('oneSigned', two(-0.75, 0.25, 0), x, 2, transform),
      classes('oneSigned', two(-0.75, 0.25, 1), x, 2, transform),
      classes('oneSigned', two(-0.75, 0.25, 1), x, 2, transform, [0.1, 0.2]),
    ]),
  ],
  [
    {
      name: 'many rows',
      attributes: { targets: 1, aggregate: 'sum', transform: 'none', classes: 'none' },
      inputs: [patterned([20_000, 4]), ...grown(10)],
    },
    {
      name: 'many trees',
      attributes: { targets: 1, aggregate: 'max', transform: 'none', classes: 'none' },
      inputs: [patterned([1, 4]), ...grown(100_000)],
    },
    {
      name: 'many targets',
      attributes: { targets: 60_000, aggregate: 'sum', transform: 'softmax', classes: 'none' },
      inputs: [patterned([3, 4]), ...grown(1)],
    },
  ],
);
