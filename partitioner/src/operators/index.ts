import type { DTypeName, OpName } from '@canopy/protocol';
import { mostSteps } from '../graph/expand/loops.js';
import { affineGridFamily } from './affine-grid.js';
import { argExtremeFamily } from './arg-extreme.js';
import { attentionFamily } from './attention.js';
import { batchNormalizationFamily } from './batch-normalization.js';
import { binaryFamily } from './binary.js';
import { castFamily } from './cast.js';
import { clipFamily } from './clip.js';
import { compressFamily } from './compress.js';
import { concatFamily } from './concat.js';
import { constantOfShapeFamily } from './constant-of-shape.js';
import { convFamily } from './conv.js';
import { cumSumFamily } from './cum-sum.js';
import { deformConvFamily } from './deform-conv.js';
import { depthToSpaceFamily } from './depth-to-space.js';
import { convTransposeFamily } from './conv-transpose.js';
import { detFamily } from './det.js';
import { dynamicQuantizeLstmFamily } from './dynamic-quantize-lstm.js';
import { einsumFamily } from './einsum.js';
import { expandFamily } from './expand.js';
import { eyeLikeFamily } from './eye-like.js';
import { flattenFamily } from './flatten.js';
import { floatClassFamily } from './float-class.js';
import { gatherFamily } from './gather.js';
import { gatherBlockQuantizedFamily } from './gather-block-quantized.js';
import { gatherElementsFamily } from './gather-elements.js';
import { gatherNdFamily } from './gather-nd.js';
import { gemmFamily } from './gemm.js';
import { gridSampleFamily } from './grid-sample.js';
import { identityFamily } from './identity.js';
import { integerConvFamily } from './integer-conv.js';
import { integerProductFamily } from './integer-product.js';
import { layerNormalizationFamily } from './layer-normalization.js';
import { matMulFamily } from './matmul.js';
import { maxUnpoolFamily } from './max-unpool.js';
import { melWeightMatrixFamily } from './mel-weight-matrix.js';
import { mlFeaturesFamily } from './ml-features.js';
import { mlLabelsFamily } from './ml-labels.js';
import { nonMaxSuppressionFamily } from './non-max-suppression.js';
import { matMulNBitsFamily } from './matmul-n-bits.js';
import { nonZeroFamily } from './non-zero.js';
import { oneHotFamily } from './one-hot.js';
import { normalizationFamily } from './normalization.js';
import { padFamily } from './pad.js';
import { poolFamily } from './pool.js';
import { quantizeLinearFamily } from './quantize-linear.js';
import { quantizedElementsFamily } from './quantized-elements.js';
import { qAttentionFamily } from './q-attention.js';
import { rangeFamily } from './range.js';
import { recurrentFamily } from './recurrent.js';
import { reduceFamily } from './reduce.js';
import { regionsFamily } from './regions.js';
import { reshapeFamily } from './reshape.js';
import { reverseSequenceFamily } from './reverse-sequence.js';
import { resizeFamily } from './resize.js';
import { rotaryEmbeddingFamily } from './rotary-embedding.js';
import { scatterFamily } from './scatter.js';
import { selectFamily } from './select.js';
import { shapeFamily } from './shape.js';
import { signalWindowsFamily } from './signal-windows.js';
import { sizeFamily } from './size.js';
import { sliceFamily } from './slice.js';
import { softmaxFamily } from './softmax.js';
import { splitFamily } from './split.js';
import { squeezeFamily } from './squeeze.js';
import { tileFamily } from './tile.js';
import { topKFamily } from './top-k.js';
import { transposeFamily } from './transpose.js';
import { treeEnsembleFamily } from './tree-ensemble.js';
import { triluFamily } from './trilu.js';
import { unaryFamily } from './unary.js';
import { uniqueFamily } from './unique.js';
import { whereFamily } from './where.js';
import type { ModelOperator, OperatorFamily, ProgramOperator } from './operator.js';

/** All families, a line each. */
const families: readonly OperatorFamily[] = [
  affineGridFamily,
  argExtremeFamily,
  attentionFamily,
  batchNormalizationFamily,
  binaryFamily,
  castFamily,
  clipFamily,
  compressFamily,
  concatFamily,
  constantOfShapeFamily,
  convFamily,
  cumSumFamily,
  deformConvFamily,
  depthToSpaceFamily,
  convTransposeFamily,
  detFamily,
  dynamicQuantizeLstmFamily,
  einsumFamily,
  expandFamily,
  eyeLikeFamily,
  flattenFamily,
  floatClassFamily,
  gatherFamily,
  gatherBlockQuantizedFamily,
  gatherElementsFamily,
  gatherNdFamily,
  gemmFamily,
  gridSampleFamily,
  identityFamily,
  integerConvFamily,
  integerProductFamily,
  layerNormalizationFamily,
  matMulFamily,
  maxUnpoolFamily,
  melWeightMatrixFamily,
  mlFeaturesFamily,
  mlLabelsFamily,
  nonMaxSuppressionFamily,
  matMulNBitsFamily,
  nonZeroFamily,
  oneHotFamily,
  normalizationFamily,
  padFamily,
  poolFamily,
  quantizeLinearFamily,
  quantizedElementsFamily,
  qAttentionFamily,
  rangeFamily,
  recurrentFamily,
  reduceFamily,
  regionsFamily,
  reshapeFamily,
  reverseSequenceFamily,
  resizeFamily,
  rotaryEmbeddingFamily,
  scatterFamily,
  selectFamily,
  shapeFamily,
  signalWindowsFamily,
  sizeFamily,
  sliceFamily,
  softmaxFamily,
  splitFamily,
  squeezeFamily,
  tileFamily,
  topKFamily,
  transposeFamily,
  treeEnsembleFamily,
  triluFamily,
  unaryFamily,
  uniqueFamily,
  whereFamily,
];

/** Operators of models that workers run, by their names. */
export const modelOperators: ReadonlyMap<string, ModelOperator> = new Map(
  families.flatMap(({ model }) => Object.entries(model)),
);

const programOperators: { readonly [Op in OpName]?: ProgramOperator<Op> } = Object.assign(
  {},
  ...families.map(({ program }) => program),
) as object;

/** What the planner knows of an operator of a program. */
export function programOperator<Op extends OpName>(op: Op): ProgramOperator<Op> {
  const found = programOperators[op];
  if (!found) throw new Error(`${op} is described in the protocol and by no family here`);
  return found;
}

/** An operator that is run, for people. */
export interface OperatorForm {
  /** Element types it works on: of its first input, where inputs differ. */
  types: readonly (DTypeName | 'any')[];
  /** What is not taken of the operator as its domain defines it; empty where all is. */
  limits: string;
}

/** Numbers of 16 bits are taken wherever f32 is: they are stored, and computed with as f32. */
function withHalves(types: OperatorForm['types']): OperatorForm['types'] {
  return types.includes('float32') ? [...types, 'float16', 'bfloat16'] : types;
}

/** Operators that are written out as others before planning (`graph/expand`). */
const expandedForms: Readonly<Record<string, OperatorForm>> = {
  If: { types: ['bool'], limits: 'both results of one type and rank, unless the branch is known' },
  Loop: { types: ['any'], limits: `a number of steps known when planning, at most ${mostSteps}` },
  Scan: { types: ['any'], limits: `a number of steps known when planning, at most ${mostSteps}` },
};

/** The operators that workers run, or that are written out as such, for people. */
export const operatorForms: Readonly<Record<string, OperatorForm>> = {
  ...Object.fromEntries(
    [...modelOperators].map(([name, { types, limits = '' }]) => [
      name,
      { types: withHalves(types), limits },
    ]),
  ),
  ...expandedForms,
};
