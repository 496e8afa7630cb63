import { type DTypeName } from '@canopy/protocol';
import { constantBytes } from '../graph/constant.js';
import { type GraphNode, floatAttribute, intAttribute } from '../graph/graph.js';
import { epilogue, type Lowering, UnsupportedNode } from '../graph/lower/lowering.js';
import type { Dim } from '../graph/shapes/dim.js';
import type { Rule } from '../graph/shapes/operation.js';
import {
  asType,
  classLabels,
  featureRows,
  labelled,
  numbersOf,
  stringsOf,
  transformOf,
} from './ml-attributes.js';
import type { OperatorFamily } from './operator.js';

/** An element is compared with each of them. */
const keysAtMost = 1024;

/** Scores [rows, classes] of products with coefficients [classes, features], and the class of the largest. */
function linearClassifier(node: GraphNode, to: Lowering): void {
  const labels = classLabels(node);
  const coefficients = numbersOf(node, 'coefficients');
  const intercepts = numbersOf(node, 'intercepts');
  const classes = intercepts.length;
  const x = featureRows(node, to, asType(node, to, node.inputs[0]!, 'float32'));
  if (classes < 2 || labels.length !== classes) {
    throw new UnsupportedNode(
      `has ${classes} intercepts and ${labels.length} labels`,
      'give a row of coefficients and an intercept for each of two or more classes',
    );
  }
  if (to.dims(x)[1] !== coefficients.length / classes) {
    throw new UnsupportedNode(
      `has ${coefficients.length} coefficients for ${classes} classes`,
      `give one for each class and each of the ${String(to.dims(x)[1])} features`,
    );
  }
  const transform = transformOf(node);
  if (!['none', 'softmax', 'logistic'].includes(transform)) {
    throw new UnsupportedNode(
      'has a post_transform other than SOFTMAX and LOGISTIC',
      'compute it in nodes of its own',
    );
  }
  const rows = to.dims(x)[0]!;
  const dims: Dim[] = [rows, classes];
  const matrix = to.floats(
    `${node.name}/coefficients`,
    [classes, coefficients.length / classes],
    coefficients,
  );
  const products = to.temporary(`${node.name}/products`, 'float32', dims);
  to.add('MatMul', node, [x, matrix], [products], { transA: false, transB: true, alpha: 1 });
  const bias = to.floats(`${node.name}/intercepts`, [classes], intercepts);
  const [label = '', given = ''] = node.outputs;
  const keepsScores = transform === 'none' && given !== '';
  const scores = keepsScores ? given : to.temporary(`${node.name}/scores`, 'float32', dims);
  const operands = [products, bias];
  to.add('Binary', node, operands, [scores], { kind: 'add', epilogue: epilogue() });
  if (given !== '' && transform === 'softmax') {
    to.add('Softmax', node, [scores], [given], { axis: 1 });
  } else if (given !== '' && transform === 'logistic') {
    to.add('Unary', node, [scores], [given], { kind: 'sigmoid', alpha: 0, beta: 0 });
  }
  if (label === '') return;
  const index = to.temporary(`${node.name}/index`, 'int64', [rows]);
  const largest = { axis: 1, largest: true, keepDims: false, last: false };
  to.add('ArgExtreme', node, [scores], [index], largest);
  labelled(node, to, index, labels, label);
}

const classifierShape: Rule = (op) => {
  const rows = op.rank(0) === 1 ? 1 : op.dims(0)[0]!;
  const scored = numbersOf(op.node, 'intercepts').length;
  const strings = stringsOf(op.node, 'classlabels_strings').length;
  const labels = op.ints('classlabels_ints')?.length ?? strings;
  const classes = scored === 1 && labels === 2 ? 2 : scored;
  return [
    { dtype: 'int64', dims: [rows] },
    { dtype: 'float32', dims: [rows, classes] },
  ];
};

/** Element type and numbers of the keys, or the values, of an encoder. */
function tableOf(node: GraphNode, name: 'keys' | 'values'): [DTypeName, readonly number[]] {
  for (const [suffix, dtype] of [
    ['int64s', 'int64'],
    ['floats', 'float32'],
  ] as const) {
    const numbers = numbersOf(node, `${name}_${suffix}`);
    if (numbers.length > 0) return [dtype, numbers];
  }
  const tensor = node.attributes.get(`${name}_tensor`);
  if (tensor?.kind === 'tensor') return [tensor.value.dtype, numbersOf(node, `${name}_tensor`)];
  throw new UnsupportedNode(
    `has ${name} that are strings`,
    'encode by numbers, and keep the names in the program that asks',
  );
}

/** What an encoder gives for an element that is no key. */
function defaultOf(node: GraphNode, dtype: DTypeName): number {
  const tensor = node.attributes.get('default_tensor');
  if (tensor?.kind === 'tensor' && constantBytes(tensor.value) > 0) {
    return numbersOf(node, 'default_tensor')[0]!;
  }
  return dtype === 'int64'
    ? intAttribute(node, 'default_int64', -1)
    : floatAttribute(node, 'default_float', -0);
}

/** Elements by their place among the keys, counted from 1; 0 is the default's. */
function labelEncoder(node: GraphNode, to: Lowering): void {
  const x = node.inputs[0]!;
  const [keyType, keys] = tableOf(node, 'keys');
  const [valueType, values] = tableOf(node, 'values');
  to.requireType(x, keyType);
  const whole = [keyType === 'int64' ? keys : [], valueType === 'int64' ? values : []].flat();
  if (
    keys.length !== values.length ||
    keys.length > keysAtMost ||
    new Set(keys).size < keys.length ||
    keys.some(Number.isNaN) ||
    !whole.every(Number.isSafeInteger)
  ) {
    throw new UnsupportedNode(
      `has ${keys.length} keys and ${values.length} values`,
      `give a value a key, at most ${keysAtMost} keys, each once, none NaN, whole numbers within 2^53`,
    );
  }
  const dims = to.dims(x);
  const axis = dims.length;
  const each: Dim[] = [...dims, keys.length];
  const wide = to.temporary(`${node.name}/numbers`, keyType, [...dims, 1]);
  to.add('Unsqueeze', node, [x, to.ints(`${node.name}/axes`, [axis])], [wide], {});
  const found = to.temporary(`${node.name}/found`, 'bool', each);
  const table = to.numbers(`${node.name}/keys`, keyType, [keys.length], keys);
  to.add('Binary', node, [wide, table], [found], { kind: 'equal', epilogue: epilogue() });
  const counted = asType(node, to, found, 'int64');
  const places = to.temporary(`${node.name}/places`, 'int64', each);
  const numbered = to.ints(
    `${node.name}/numbered`,
    keys.map((_, index) => index + 1),
  );
  to.add('Binary', node, [counted, numbered], [places], { kind: 'mul', epilogue: epilogue() });
  const place = to.temporary(`${node.name}/place`, 'int64', dims);
  to.add('Reduce', node, [places], [place], { kind: 'max', keepDims: false, axes: [axis] });
  const results = [defaultOf(node, valueType), ...values];
  const answers = to.numbers(`${node.name}/values`, valueType, [results.length], results);
  to.add('Gather', node, [answers, place], [node.outputs[0]!], { axis: 0 });
}

const encoderShape: Rule = (op) => [{ dtype: tableOf(op.node, 'values')[0], dims: op.dims(0) }];

export const mlLabelsFamily: OperatorFamily = {
  model: {
    'ai.onnx.ml.LabelEncoder': {
      shape: encoderShape,
      lower: labelEncoder,
      types: ['float32', 'float64', 'int64'],
      limits: `numbers to numbers; at most ${keysAtMost} keys`,
    },
    'ai.onnx.ml.LinearClassifier': {
      shape: classifierShape,
      lower: linearClassifier,
      types: ['float32', 'float64', 'int64', 'int32'],
      limits: 'labels that are numbers; a score for each class; post_transform SOFTMAX or LOGISTIC',
    },
  },
  program: {},
};
