import type { AttributeList, ValuesOf } from './attribute.js';
import { decodeList, encodeList } from './attribute.js';
import { argExtreme } from './arg-extreme.js';
import { averagePool } from './average-pool.js';
import { binary } from './binary.js';
import { bitCast } from './bit-cast.js';
import { branch } from './branch.js';
import { cast } from './cast.js';
import { compress } from './compress.js';
import { col2Im } from './col2-im.js';
import { concat } from './concat.js';
import { constantOfShape } from './constant-of-shape.js';
import { conv } from './conv.js';
import { cumProd } from './cum-prod.js';
import { cumSum } from './cum-sum.js';
import { deformIm2Col } from './deform-im2-col.js';
import { depthToSpace } from './depth-to-space.js';
import { depthwiseConv } from './depthwise-conv.js';
import { dequantize } from './dequantize.js';
import { det } from './det.js';
import { dynamicQuantize } from './dynamic-quantize.js';
import { expand } from './expand.js';
import { flatten } from './flatten.js';
import { floatClass } from './float-class.js';
import { gather } from './gather.js';
import { gatherElements } from './gather-elements.js';
import { gatherNd } from './gather-nd.js';
import { globalAveragePool } from './global-average-pool.js';
import { gridSample } from './grid-sample.js';
import { identity } from './identity.js';
import { im2Col } from './im2-col.js';
import { integerConv } from './integer-conv.js';
import { integerLinear } from './integer-linear.js';
import { layerNorm } from './layer-norm.js';
import { linear } from './linear.js';
import { matMul } from './mat-mul.js';
import { maxPool } from './max-pool.js';
import { maxRoiPool } from './max-roi-pool.js';
import { nonZero } from './non-zero.js';
import { nonMaxSuppression } from './non-max-suppression.js';
import { oneHot } from './one-hot.js';
import { pad } from './pad.js';
import { quantize } from './quantize.js';
import { quantizedBinary } from './quantized-binary.js';
import { quantizedSoftmax } from './quantized-softmax.js';
import { range } from './range.js';
import { reduce } from './reduce.js';
import { recurrent } from './recurrent.js';
import { reduceOver } from './reduce-over.js';
import { reshape } from './reshape.js';
import { reverseSequence } from './reverse-sequence.js';
import { shape } from './shape.js';
import { select } from './select.js';
import { slice } from './slice.js';
import { softmax } from './softmax.js';
import { spaceToDepth } from './space-to-depth.js';
import { resize } from './resize.js';
import { roiAlign } from './roi-align.js';
import { scatterElements } from './scatter-elements.js';
import { scatterNd } from './scatter-nd.js';
import { spatialPool } from './spatial-pool.js';
import { squeeze } from './squeeze.js';
import { tile } from './tile.js';
import { topK } from './top-k.js';
import { transpose } from './transpose.js';
import { treeEnsemble } from './tree-ensemble.js';
import { trilu } from './trilu.js';
import { unary } from './unary.js';
import { unique } from './unique.js';
import { unsqueeze } from './unsqueeze.js';
import { where } from './where.js';
import type { OperatorDescription } from './description.js';

export { floatWord } from './attribute.js';
export type { AttributeKind, AttributeList, AttributeType, NoAttributes } from './attribute.js';
export { BinaryKind, type BinaryName } from './binary.js';
export type { OperatorDescription } from './description.js';
export { Activation, epilogue, type ActivationName, type Epilogue } from './epilogue.js';
export { FloatClass, type FloatClassName } from './float-class.js';
export { GridMode, GridPadding } from './grid-sample.js';
export { PadMode } from './pad.js';
export {
  gateFunction,
  RecurrentCell,
  type GateFunction,
  type RecurrentCellName,
} from './recurrent.js';
export {
  ClassRule,
  PostTransform,
  type ClassRuleName,
  type PostTransformName,
} from './post-transform.js';
export { QuantizedBinaryKind } from './quantized-binary.js';
export { ReduceKind, type ReduceName } from './reduce.js';
export {
  ResizeCoordinates,
  ResizeMode,
  ResizeNearest,
  ResizePolicy,
  type ResizeCoordinatesName,
  type ResizeModeName,
  type ResizeNearestName,
  type ResizePolicyName,
} from './resize.js';
export { ScatterReduction, scatterTypes, type ScatterReductionName } from './scatter.js';
export { PoolKind } from './spatial-pool.js';
export { maxSpatialRank } from './spatial.js';
export { TreeAggregate, TreeMode, type TreeAggregateName } from './tree-ensemble.js';
export { anyType, integers, numbers } from './types.js';
export { UnaryKind, type UnaryName } from './unary.js';
export { SamePad, windowAttributes } from './window.js';

/**
 * Operators of a shard's program, a line each.
 *
 * They are ONNX operators after the partitioner's passes: shapes are computed while running, so dynamic
 * dimensions work; images are channels-last ([batch, height, width, channels]) inside Conv and pooling;
 * constant weights of Conv and Linear are packed in panels (see `packing.ts`).
 */
const all = [
  argExtreme,
  averagePool,
  binary,
  bitCast,
  branch,
  cast,
  compress,
  col2Im,
  concat,
  constantOfShape,
  conv,
  cumProd,
  cumSum,
  deformIm2Col,
  depthToSpace,
  depthwiseConv,
  dequantize,
  det,
  dynamicQuantize,
  expand,
  flatten,
  floatClass,
  gather,
  gatherElements,
  gatherNd,
  globalAveragePool,
  gridSample,
  identity,
  im2Col,
  integerConv,
  integerLinear,
  layerNorm,
  linear,
  matMul,
  maxPool,
  maxRoiPool,
  nonMaxSuppression,
  nonZero,
  oneHot,
  pad,
  quantize,
  quantizedBinary,
  quantizedSoftmax,
  range,
  recurrent,
  reduce,
  reduceOver,
  reshape,
  reverseSequence,
  select,
  shape,
  slice,
  softmax,
  spaceToDepth,
  resize,
  roiAlign,
  scatterElements,
  scatterNd,
  spatialPool,
  squeeze,
  tile,
  topK,
  transpose,
  treeEnsemble,
  trilu,
  unary,
  unique,
  unsqueeze,
  where,
] as const;

type Described = (typeof all)[number];
export type OpName = Described['name'];
type DescriptionOf<Op extends OpName> = Extract<Described, { name: Op }>;

/** Attributes of each operator. */
export type OpAttributes = { [Op in OpName]: ValuesOf<DescriptionOf<Op>['attributes']> };

/** Each operator's description, by its name. */
export const operators = Object.fromEntries(
  all.map((description) => [description.name, description]),
) as unknown as { readonly [Op in OpName]: OperatorDescription<Op> };

/** Codes of operators in shards. */
export const OpCode = Object.fromEntries(
  all.map(({ name, code }) => [name, code]),
) as unknown as Readonly<Record<OpName, number>>;

const opNames = new Map<number, OpName>(all.map(({ name, code }) => [code, name]));
/** Name of an operator code; undefined where there is none. */
export function opName(code: number): OpName | undefined {
  return opNames.get(code);
}

/** Attribute words of a node. */
export function encodeAttributes<Op extends OpName>(op: Op, values: OpAttributes[Op]): number[] {
  const list: AttributeList = operators[op].attributes;
  return encodeList(list, values as unknown as Readonly<Record<string, unknown>>);
}

/** Undoes {@link encodeAttributes}; throws RangeError where the words are not those of the operator. */
export function decodeAttributes<Op extends OpName>(
  op: Op,
  words: readonly number[],
): OpAttributes[Op] {
  let at = 0;
  const reader = {
    next: (): number => {
      if (at >= words.length) throw new RangeError(`${op} has ${words.length} attribute words`);
      return words[at++]!;
    },
    get left(): number {
      return words.length - at;
    },
  };
  const values = decodeList(operators[op].attributes, reader);
  if (reader.left > 0) throw new RangeError(`${op} has ${words.length} attribute words`);
  return values as unknown as OpAttributes[Op];
}
