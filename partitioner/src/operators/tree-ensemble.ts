import {
  type ClassRuleName,
  type DTypeName,
  elementCount,
  type OpAttributes,
  type PostTransformName,
  type TreeAggregateName,
} from '@canopy/protocol';
import { plainWork } from '../cost/work/work.js';
import { type GraphNode, intAttribute, stringAttribute } from '../graph/graph.js';
import { type Lowering, UnsupportedNode } from '../graph/lower/lowering.js';
import { keeps } from '../graph/rows/rule.js';
import type { Dim } from '../graph/shapes/dim.js';
import type { Operation, Rule } from '../graph/shapes/operation.js';
import {
  asType,
  classLabels,
  featureRows,
  labelled,
  numbersInput,
  numbersOf,
  realsOf,
  stringsOf,
  transformOf,
} from './ml-attributes.js';
import type { NodeAt, OperatorFamily } from './operator.js';
import { type Forest, forestOfEnsemble, forestOfLists, listed } from './tree-forest.js';

const aggregates: readonly TreeAggregateName[] = ['average', 'sum', 'min', 'max'];
/** By the numbers of TreeEnsemble. */
const transforms: readonly PostTransformName[] = [
  'none',
  'softmax',
  'logistic',
  'softmaxZero',
  'probit',
];

function aggregateOf(node: GraphNode): TreeAggregateName {
  const given = stringAttribute(node, 'aggregate_function', 'SUM');
  const found = aggregates.find((name) => name.toUpperCase() === given);
  if (found) return found;
  throw new UnsupportedNode(`has the aggregate_function ${given}`, 'use one of the standard');
}

/** X with its trees; f64 where X is, f32 otherwise. */
function ensemble(
  node: GraphNode,
  to: Lowering,
  forest: Forest,
  base: readonly number[],
  outputs: string[],
  attributes: OpAttributes['TreeEnsemble'],
): void {
  const real = to.dtype(node.inputs[0]!) === 'float64' ? 'float64' : 'float32';
  const x = featureRows(node, to, asType(node, to, node.inputs[0]!, real));
  const { nodes, thresholds, targets, scores, roots } = listed(forest);
  const constant = (name: string, dtype: DTypeName, values: readonly number[], width = 0) => {
    const dims = width > 0 ? [values.length / width, width] : [values.length];
    return to.numbers(`${node.name}/${name}`, dtype, dims, values);
  };
  const inputs = [
    x,
    constant('nodes', 'int32', nodes, 4),
    constant('thresholds', real, thresholds),
    constant('targets', 'int32', targets),
    constant('scores', real, scores),
    constant('roots', 'int32', roots),
  ];
  const start = numbersInput(node, to, 'start', real, base);
  to.add('TreeEnsemble', node, start === '' ? inputs : [...inputs, start], outputs, attributes);
}

/** The output as it is, or cast to it from a value of X's type. */
function scoresOutput(node: GraphNode, to: Lowering, output: string): [string, () => void] {
  const real = to.dtype(node.inputs[0]!) === 'float64' ? 'float64' : 'float32';
  if (real === to.dtype(output)) return [output, () => undefined];
  const scores = to.temporary(`${node.name}/scores`, real, to.dims(output));
  return [
    scores,
    () => {
      to.add('Cast', node, [scores], [output], { to: to.dtype(output) });
    },
  ];
}

/** Base values count only where there is one for each target. */
function regression(
  node: GraphNode,
  to: Lowering,
  forest: Forest,
  base: readonly number[],
  attributes: Omit<OpAttributes['TreeEnsemble'], 'classes'>,
): void {
  const [scores, finish] = scoresOutput(node, to, node.outputs[0]!);
  const start = base.length === attributes.targets ? base : [];
  ensemble(node, to, forest, start, [scores], { ...attributes, classes: 'none' });
  finish();
}

function regressor(node: GraphNode, to: Lowering): void {
  regression(node, to, forestOfLists(node, 'target'), realsOf(node, 'base_values'), {
    targets: intAttribute(node, 'n_targets', 1),
    aggregate: aggregateOf(node),
    transform: transformOf(node),
  });
}

function treeEnsemble(node: GraphNode, to: Lowering): void {
  const aggregate = aggregates[intAttribute(node, 'aggregate_function', 1)];
  const transform = transforms[intAttribute(node, 'post_transform', 0)];
  if (!aggregate || !transform) {
    throw new UnsupportedNode('has another aggregate or transform', 'use those of the standard');
  }
  const targets = intAttribute(node, 'n_targets', 1);
  regression(node, to, forestOfEnsemble(node), [], { targets, aggregate, transform });
}

/** How a class is chosen, and the scores that all rows begin with. */
function classRule(
  node: GraphNode,
  labels: readonly number[],
): { rule: ClassRuleName; base: readonly number[] } {
  const base = realsOf(node, 'base_values');
  if (labels.length > 2) return { rule: 'many', base };
  if (labels.length < 2) throw new UnsupportedNode('has one class', 'train it with two or more');
  if (transformOf(node) === 'probit') {
    throw new UnsupportedNode('has the post_transform PROBIT with two classes', 'use another');
  }
  const scored = new Set(numbersOf(node, 'class_ids'));
  if (scored.size === 1) {
    const isSigned = realsOf(node, 'class_weights').some((weight) => weight < 0);
    return { rule: isSigned ? 'oneSigned' : 'onePositive', base };
  }
  // onnxruntime gives 0 or 1 there, whatever the labels are, and leaves a score unwritten with one base value.
  if (labels[0] !== 0 || labels[1] !== 1 || base.length === 1) {
    throw new UnsupportedNode(
      'scores both of two classes with other labels than 0 and 1, or with one base value',
      'use the labels 0 and 1, and as many base values as classes',
    );
  }
  return { rule: 'two', base };
}

/** One base value for two classes goes to the first score, as a tree of one leaf. */
function withBase(forest: Forest, base: number): Forest {
  const leaf = { feature: 0, mode: 7, threshold: 0, whenTrue: 0, whenFalse: 0 };
  return {
    count: forest.count + 1,
    roots: [...forest.roots, -1],
    node: (index) => (index < 0 ? { ...leaf, scores: [[0, base]] } : forest.node(index)),
  };
}

function classifier(node: GraphNode, to: Lowering): void {
  const labels = classLabels(node);
  const { rule, base } = classRule(node, labels);
  let forest = forestOfLists(node, 'class');
  let start = base;
  if (labels.length === 2 && base.length === 1) {
    // Where the second class is scored, onnxruntime takes no notice of it.
    if (numbersOf(node, 'class_ids')[0] === 0) forest = withBase(forest, base[0]!);
    start = [];
  }
  const [label = '', given = ''] = node.outputs;
  const shape: Dim[] = [to.rank(node.inputs[0]!) === 1 ? 1 : to.dims(node.inputs[0]!)[0]!];
  const output =
    given !== ''
      ? given
      : to.temporary(`${node.name}/unused`, 'float32', [...shape, labels.length]);
  const [scores, finish] = scoresOutput(node, to, output);
  const index = label === '' ? '' : to.temporary(`${node.name}/index`, 'int64', shape);
  ensemble(node, to, forest, start, index === '' ? [scores] : [scores, index], {
    targets: labels.length,
    aggregate: 'sum',
    transform: transformOf(node),
    classes: rule,
  });
  finish();
  if (label !== '') labelled(node, to, index, labels, label);
}

function rowCount(op: Operation): Dim {
  return op.rank(0) === 1 ? 1 : op.dims(0)[0]!;
}

/** Sums of f64 become f32 but for TreeEnsemble. */
function regressorShape(keepsType: boolean): Rule {
  return (op) => [
    {
      dtype: keepsType ? op.dtype(0) : 'float32',
      dims: [rowCount(op), op.int('n_targets', 1)],
    },
  ];
}

const classifierShape: Rule = (op) => {
  const strings = stringsOf(op.node, 'classlabels_strings').length;
  const classes = op.ints('classlabels_int64s')?.length ?? strings;
  return [
    { dtype: 'int64', dims: [rowCount(op)] },
    { dtype: 'float32', dims: [rowCount(op), classes] },
  ];
};

/** Instructions of a tree, of a node that is passed, and of a score. */
const treeCost = 75;
const stepCost = 30;
const scoreCost = 60;

function work({ inputs, outputs }: NodeAt<'TreeEnsemble'>) {
  const rows = outputs[0]![0] ?? 0;
  const [trees = 0] = inputs[5]!;
  const [nodes = 0] = inputs[1]!;
  const depth = Math.log2(Math.max(2, nodes / Math.max(1, trees)));
  const each = trees * (treeCost + depth * stepCost);
  return plainWork(rows * each + elementCount(outputs[0]!) * scoreCost);
}

const types: readonly DTypeName[] = ['float32', 'float64'];

export const treeEnsembleFamily: OperatorFamily = {
  model: {
    'ai.onnx.ml.TreeEnsemble': { shape: regressorShape(true), lower: treeEnsemble, types },
    'ai.onnx.ml.TreeEnsembleRegressor': {
      shape: regressorShape(false),
      lower: regressor,
      types,
    },
    'ai.onnx.ml.TreeEnsembleClassifier': {
      shape: classifierShape,
      lower: classifier,
      types: [...types, 'int64', 'int32'],
      limits: 'labels that are numbers',
    },
  },
  program: {
    TreeEnsemble: {
      rows: keeps((axis) => axis === 0),
      work,
      temporaries: ({ attributes }) => [attributes.targets],
    },
  },
};
