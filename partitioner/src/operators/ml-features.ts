import { type BinaryName, type DTypeName, elementCount, numbers } from '@canopy/protocol';
import { type GraphNode, floatAttribute, intAttribute, stringAttribute } from '../graph/graph.js';
import { epilogue, type Lowering, UnsupportedNode } from '../graph/lower/lowering.js';
import { add, type Dim } from '../graph/shapes/dim.js';
import { likeFirst, type Rule } from '../graph/shapes/operation.js';
import { asType, featureRows, numbersOf, stringsOf, transformOf } from './ml-attributes.js';
import type { OperatorFamily } from './operator.js';

const plain = epilogue();

/** f64 as it is, everything else as f32. */
function realOf(to: Lowering, name: string): DTypeName {
  return to.dtype(name) === 'float64' ? 'float64' : 'float32';
}

/** A node of two operands that are broadcast to the shape of the first. */
function binary(
  node: GraphNode,
  to: Lowering,
  kind: BinaryName,
  left: string,
  right: string,
  output?: string,
): string {
  const isTest = kind === 'equal' || kind === 'greater';
  const dtype = isTest ? 'bool' : to.dtype(left);
  const result = output ?? to.temporary(`${node.name}/${kind}`, dtype, to.dims(left));
  to.add('Binary', node, [left, right], [result], { kind, epilogue: plain });
  return result;
}

/** Makes the node's output of a value of another type. */
function castTo(node: GraphNode, to: Lowering, value: string): void {
  const output = node.outputs[0]!;
  to.add('Cast', node, [value], [output], { to: to.dtype(output) });
}

/** One number, or one for each feature. */
function perFeature(node: GraphNode, to: Lowering, name: string, dtype: DTypeName): string {
  const values = numbersOf(node, name);
  const features = to.dims(node.inputs[0]!).at(-1);
  if (values.length === 0 || (values.length > 1 && values.length !== features)) {
    throw new UnsupportedNode(
      `has ${values.length} numbers as ${name}`,
      `give one, or one for each of the ${String(features)} features`,
    );
  }
  return to.numbers(`${node.name}/${name}`, dtype, [values.length], values);
}

/** (x - offset) * scale, as f32. */
function scaler(node: GraphNode, to: Lowering): void {
  const real = realOf(to, node.inputs[0]!);
  const x = asType(node, to, node.inputs[0]!, real);
  const moved = binary(node, to, 'sub', x, perFeature(node, to, 'offset', real));
  castTo(node, to, binary(node, to, 'mul', moved, perFeature(node, to, 'scale', real)));
}

/** 1 above the threshold, otherwise 0. */
function binarizer(node: GraphNode, to: Lowering): void {
  const x = node.inputs[0]!;
  to.requireType(x, 'float32');
  const threshold = to.floats(`${node.name}/threshold`, [], [floatAttribute(node, 'threshold', 0)]);
  castTo(node, to, binary(node, to, 'greater', x, threshold));
}

/** Each row by its largest number, or the sum of its sizes, or its length; where that is 0, as it is. */
function normalizer(node: GraphNode, to: Lowering): void {
  const kind = stringAttribute(node, 'norm', 'MAX');
  const x = asType(node, to, node.inputs[0]!, 'float32');
  const axes = [to.rank(x) - 1];
  let from = x;
  if (kind === 'L1') {
    from = to.temporary(`${node.name}/sizes`, 'float32', to.dims(x));
    to.add('Unary', node, [x], [from], { kind: 'abs', alpha: 0, beta: 0 });
  }
  const dims = to.dims(x).with(axes[0]!, 1);
  const by = to.temporary(`${node.name}/norm`, 'float32', dims);
  const reduce = kind === 'L1' ? 'sum' : kind === 'L2' ? 'l2' : 'max';
  to.add('Reduce', node, [from], [by], { kind: reduce, keepDims: true, axes });
  const zero = binary(node, to, 'equal', by, to.floats(`${node.name}/zero`, [], [0]));
  const divisor = to.temporary(`${node.name}/divisor`, 'float32', dims);
  to.add('Where', node, [zero, to.floats(`${node.name}/one`, [], [1]), by], [divisor], {});
  binary(node, to, 'div', x, divisor, node.outputs[0]);
}

/** Numbers of one value become others. */
function imputer(node: GraphNode, to: Lowering): void {
  const x = node.inputs[0]!;
  to.requireType(x, 'float32', 'int64');
  const isReal = to.dtype(x) === 'float32';
  const [values, replaced] = isReal
    ? ['imputed_value_floats', floatAttribute(node, 'replaced_value_float', 0)]
    : ['imputed_value_int64s', intAttribute(node, 'replaced_value_int64', 0)];
  const imputed = perFeature(node, to, values, to.dtype(x));
  let mask: string;
  if (Number.isNaN(replaced)) {
    mask = to.temporary(`${node.name}/missing`, 'bool', to.dims(x));
    to.add('FloatClass', node, [x], [mask], { kind: 'nan' });
  } else {
    const value = to.numbers(`${node.name}/replaced`, to.dtype(x), [], [replaced]);
    mask = binary(node, to, 'equal', x, value);
  }
  to.add('Where', node, [mask, imputed, x], [node.outputs[0]!], {});
}

/** Columns of X, in the order asked for. */
function arrayFeatures(node: GraphNode, to: Lowering): void {
  const [x, given] = node.inputs as [string, string];
  const output = node.outputs[0]!;
  const indexes = to.temporary(`${node.name}/indexes`, 'int64', [to.dims(output).at(-1)!]);
  const shape = to.ints(`${node.name}/shape`, [-1]);
  to.add('Reshape', node, [given, shape], [indexes], { allowZero: false });
  const rows = to.rank(x) === 1 ? featureRows(node, to, x) : x;
  to.add('Gather', node, [rows, indexes], [output], { axis: to.rank(rows) - 1 });
}

/** Features of several inputs, one behind the other, as f32. */
function featureVectorizer(node: GraphNode, to: Lowering): void {
  const sizes = numbersOf(node, 'inputdimensions');
  const parts = node.inputs.map((name, index) => {
    const rows = featureRows(node, to, name);
    if (to.dims(rows)[1] !== sizes[index]) {
      throw new UnsupportedNode(
        `takes ${String(sizes[index])} features of input ${index}`,
        'give it as many as there are',
      );
    }
    return asType(node, to, rows, 'float32');
  });
  to.add('Concat', node, parts, [node.outputs[0]!], { axis: 1 });
}

/** 1 at the place of each category, zeros elsewhere. */
function oneHotEncoder(node: GraphNode, to: Lowering): void {
  const x = node.inputs[0]!;
  const categories = numbersOf(node, 'cats_int64s');
  if (categories.length === 0 || intAttribute(node, 'zeros', 1) === 0) {
    throw new UnsupportedNode(
      'encodes strings, or refuses what is no category',
      'use categories that are whole numbers, and zeros = 1',
    );
  }
  const dims: Dim[] = [...to.dims(x), 1];
  const wide = to.temporary(`${node.name}/numbers`, 'int64', dims);
  const axes = to.ints(`${node.name}/axes`, [to.rank(x)]);
  to.add('Unsqueeze', node, [to.asInt64(node, x), axes], [wide], {});
  const found = to.temporary(`${node.name}/found`, 'bool', to.dims(node.outputs[0]!));
  const table = to.ints(`${node.name}/categories`, categories);
  to.add('Binary', node, [wide, table], [found], { kind: 'equal', epilogue: plain });
  castTo(node, to, found);
}

/** Products of features and coefficients [targets, features]. */
function linearRegressor(node: GraphNode, to: Lowering): void {
  const x = featureRows(node, to, asType(node, to, node.inputs[0]!, 'float32'));
  if (transformOf(node) !== 'none') {
    throw new UnsupportedNode('has a post_transform', 'compute it in a node of its own');
  }
  const targets = intAttribute(node, 'targets', 1);
  const coefficients = numbersOf(node, 'coefficients');
  const intercepts = numbersOf(node, 'intercepts');
  const features = coefficients.length / targets;
  if (to.dims(x)[1] !== features || ![0, targets].includes(intercepts.length)) {
    throw new UnsupportedNode(
      `has ${coefficients.length} coefficients and ${intercepts.length} intercepts`,
      'give a coefficient a feature and target, and an intercept a target',
    );
  }
  const matrix = to.floats(`${node.name}/coefficients`, [targets, features], coefficients);
  const output = node.outputs[0]!;
  const attributes = { transA: false, transB: true, alpha: 1 };
  if (intercepts.length === 0) {
    to.add('MatMul', node, [x, matrix], [output], attributes);
    return;
  }
  const products = to.temporary(`${node.name}/products`, 'float32', to.dims(output));
  to.add('MatMul', node, [x, matrix], [products], attributes);
  const bias = to.floats(`${node.name}/intercepts`, [targets], intercepts);
  binary(node, to, 'add', products, bias, output);
}

const arrayFeaturesShape: Rule = (op) => {
  const index = op.dims(1);
  const count = index.every((dim) => typeof dim === 'number')
    ? elementCount(index)
    : op.open(0, Math.max(1, op.rank(0) - 1));
  const before = op.rank(0) === 1 ? [1] : op.dims(0).slice(0, -1);
  return [{ dtype: op.dtype(0), dims: [...before, count] }];
};

const vectorizerShape: Rule = (op) => {
  const rows = op.rank(0) === 1 ? 1 : op.dims(0)[0]!;
  const sizes = op.ints('inputdimensions') ?? [];
  return [{ dtype: 'float32', dims: [rows, sizes.reduce<Dim>((sum, size) => add(sum, size), 0)] }];
};

const oneHotShape: Rule = (op) => {
  const strings = stringsOf(op.node, 'cats_strings').length;
  const count = op.ints('cats_int64s')?.length ?? strings;
  return [{ dtype: 'float32', dims: [...op.dims(0), count] }];
};

const linearShape: Rule = (op) => [
  {
    dtype: 'float32',
    dims: [op.rank(0) === 1 ? 1 : op.dims(0)[0]!, op.int('targets', 1)],
  },
];

const scaled: readonly DTypeName[] = ['float32', 'float64', 'int64', 'int32'];

export const mlFeaturesFamily: OperatorFamily = {
  model: {
    'ai.onnx.ml.ArrayFeatureExtractor': {
      shape: arrayFeaturesShape,
      lower: arrayFeatures,
      types: numbers,
    },
    'ai.onnx.ml.Binarizer': { shape: likeFirst(), lower: binarizer, types: ['float32'] },
    'ai.onnx.ml.FeatureVectorizer': {
      shape: vectorizerShape,
      lower: featureVectorizer,
      types: scaled,
      limits: 'each input has as many features as are taken of it',
    },
    'ai.onnx.ml.Imputer': { shape: likeFirst(), lower: imputer, types: ['float32', 'int64'] },
    'ai.onnx.ml.LinearRegressor': {
      shape: linearShape,
      lower: linearRegressor,
      types: ['float32'],
      limits: 'no post_transform',
    },
    'ai.onnx.ml.Normalizer': { shape: likeFirst('float32'), lower: normalizer, types: scaled },
    'ai.onnx.ml.OneHotEncoder': {
      shape: oneHotShape,
      lower: oneHotEncoder,
      types: scaled,
      limits: 'categories that are numbers; what is none of them gives zeros',
    },
    'ai.onnx.ml.Scaler': { shape: likeFirst('float32'), lower: scaler, types: scaled },
  },
  program: {},
};
