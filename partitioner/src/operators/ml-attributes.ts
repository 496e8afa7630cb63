import type { DTypeName, PostTransformName } from '@canopy/protocol';
import { constantBytes } from '../graph/constant.js';
import { type GraphNode, intsAttribute, stringAttribute } from '../graph/graph.js';
import { type Lowering, UnsupportedNode } from '../graph/lower/lowering.js';

/** Numbers of an attribute: a list, or a tensor of f32, f64, i64 or u8; none where it is left out. */
export function numbersOf(node: GraphNode, name: string): readonly number[] {
  const attribute = node.attributes.get(name);
  if (attribute?.kind === 'floats' || attribute?.kind === 'ints') return attribute.value;
  if (attribute?.kind !== 'tensor') return [];
  const constant = attribute.value;
  const { buffer } = constant.read(0, constantBytes(constant)).slice();
  switch (constant.dtype) {
    case 'float32':
      return Array.from(new Float32Array(buffer));
    case 'float64':
      return Array.from(new Float64Array(buffer));
    case 'int64':
      return Array.from(new BigInt64Array(buffer), Number);
    case 'uint8':
      return Array.from(new Uint8Array(buffer));
    default:
      throw new UnsupportedNode(`has ${name} of ${constant.dtype}`, 'use float or double');
  }
}

/** Numbers of an attribute that may be a tensor under a name of its own, as those of f64 are. */
export function realsOf(node: GraphNode, name: string): readonly number[] {
  return numbersOf(node, node.attributes.has(`${name}_as_tensor`) ? `${name}_as_tensor` : name);
}

export function stringsOf(node: GraphNode, name: string): readonly string[] {
  const attribute = node.attributes.get(name);
  return attribute?.kind === 'strings' ? attribute.value : [];
}

const transforms: Readonly<Record<string, PostTransformName>> = {
  NONE: 'none',
  LOGISTIC: 'logistic',
  SOFTMAX: 'softmax',
  SOFTMAX_ZERO: 'softmaxZero',
  PROBIT: 'probit',
};

/** The attribute `post_transform` by its name. */
export function transformOf(node: GraphNode): PostTransformName {
  const given = stringAttribute(node, 'post_transform', 'NONE');
  const name = transforms[given];
  if (name) return name;
  throw new UnsupportedNode(`has the post_transform ${given}`, 'use one of the standard');
}

/** Labels of classes; throws where they are strings. */
export function classLabels(node: GraphNode): readonly number[] {
  const names = ['classlabels_strings', 'classlabels_string'];
  if (names.some((name) => stringsOf(node, name).length > 0)) {
    throw new UnsupportedNode(
      'gives labels that are strings',
      'train on whole numbers as labels, or export without the labels, and name classes in the program that asks',
    );
  }
  return intsAttribute(node, 'classlabels_int64s') ?? intsAttribute(node, 'classlabels_ints') ?? [];
}

/** The labels at the indexes [rows] that a node has found. */
export function labelled(
  node: GraphNode,
  to: Lowering,
  indexes: string,
  labels: readonly number[],
  output: string,
): void {
  if (labels.every((label, index) => label === index)) {
    to.add('Identity', node, [indexes], [output], {});
    return;
  }
  const table = to.ints(`${node.name}/labels`, labels);
  to.add('Gather', node, [table, indexes], [output], { axis: 0 });
}

/** A value as another type, by a Cast where it is not of it. */
export function asType(node: GraphNode, to: Lowering, name: string, dtype: DTypeName): string {
  if (to.dtype(name) === dtype) return name;
  const cast = to.temporary(`${name}/${dtype}`, dtype, to.dims(name));
  to.add('Cast', node, [name], [cast], { to: dtype });
  return cast;
}

/** Rows of features: X itself, or the one row that a list of features is. */
export function featureRows(node: GraphNode, to: Lowering, x: string): string {
  const dims = to.dims(x);
  if (dims.length === 2) return x;
  if (dims.length !== 1) {
    throw new UnsupportedNode(`works on ${dims.length} dimensions`, 'use [rows, features]');
  }
  const row = to.temporary(`${x}/row`, to.dtype(x), [1, dims[0]!]);
  const axes = to.ints(`${node.name}/axes`, [0]);
  to.add('Unsqueeze', node, [x, axes], [row], {});
  return row;
}

/** Numbers of a node as a constant of a type; left out where there are none. */
export function numbersInput(
  node: GraphNode,
  to: Lowering,
  name: string,
  dtype: DTypeName,
  values: readonly number[],
): string {
  return values.length === 0
    ? ''
    : to.numbers(`${node.name}/${name}`, dtype, [values.length], values);
}
