/**
 * Operators of a shard's program, their codes and attribute words.
 *
 * They are ONNX operators after the partitioner's passes: shapes are computed while running, so
 * dynamic dimensions work; images are channels-last ([batch, height, width, channels]) inside
 * Conv and pooling; constant weights of Conv and Linear are packed in panels (see `packing.ts`).
 * Attributes are 32-bit words: i32, or f32 by its bits, in the order given here.
 */
export const OpCode = {
  /** A [.., K] x packed W [K, N] + bias [N]. Words: K, N, epilogue. */
  Linear: 1,
  /** X [n,h,w,inC], packed W, bias [outC]. Words: kernelH, kernelW, strideH, strideW, padTop, padLeft, padBottom, padRight, dilationH, dilationW, group, inC, outC, epilogue. */
  Conv: 2,
  /** Conv with one filter a channel; W [kernelH*kernelW, channels rounded up to 4]. Words as Conv. */
  DepthwiseConv: 3,
  /** A [.., M, K] x B [.., K, N], both computed; leading dimensions broadcast. Words: transA, transB, alpha f32. */
  MatMul: 4,
  /** Two inputs, broadcast as numpy does. Words: BinaryKind, epilogue (f32 results only). */
  Binary: 5,
  /** Words: UnaryKind, alpha f32, beta f32. */
  Unary: 6,
  /** Words: DType. */
  Cast: 7,
  /** Words: axis (may be negative). */
  Softmax: 8,
  /** X, scale, bias?. Words: axis, epsilon f32. */
  LayerNorm: 9,
  /** X. Words: ReduceKind, keepDims, axis count, axes. No axes: all. */
  Reduce: 10,
  /** X [n,h,w,c]. Words: kernelH, kernelW, strideH, strideW, padTop, padLeft, padBottom, padRight, dilationH, dilationW, ceilMode. */
  MaxPool: 11,
  /** X [n,h,w,c]. Words as MaxPool, then countIncludePad. */
  AveragePool: 12,
  /** X [n,h,w,c] to [n,1,1,c]. */
  GlobalAveragePool: 13,
  /** Words: permutation. */
  Transpose: 14,
  /** X, shape i64. Words: allowZero. */
  Reshape: 15,
  /** X to i64 [rank]. Words: start, end (i32 maximum: to the last). */
  Shape: 16,
  /** X, indices. Words: axis. */
  Gather: 17,
  /** X, starts, ends, axes?, steps?: i64 or i32 tensors. */
  Slice: 18,
  /** Words: axis. */
  Concat: 19,
  /** X, axes i64? (absent: all of size 1). */
  Squeeze: 20,
  /** X, axes i64. */
  Unsqueeze: 21,
  /** Words: axis. */
  Flatten: 22,
  /** X, shape i64. */
  Expand: 23,
  /** condition, X, Y, broadcast as numpy does. */
  Where: 24,
  /** shape i64. Words: DType, low bits, high bits of the value. */
  ConstantOfShape: 25,
  /** start, limit, delta scalars. */
  Range: 26,
  /** X, pads i64, value?. Words: mode (0 constant, 1 reflect, 2 edge). */
  Pad: 27,
  /** X: the same tensor under another name. */
  Identity: 28,
} as const;
export type OpName = keyof typeof OpCode;

/** Words of an {@link Epilogue}. */
export const epilogueWords = 5;

/**
 * What a kernel does to each f32 result before storing it: `act(x) * scale + shift`.
 * Words: Activation, alpha f32, beta f32, scale f32, shift f32.
 */
export interface Epilogue {
  activation: ActivationName;
  alpha: number;
  beta: number;
  scale: number;
  shift: number;
}

/** Activations of an epilogue; the same codes begin {@link UnaryKind}. */
export const Activation = {
  none: 0,
  relu: 1,
  /** alpha = minimum, beta = maximum */
  clip: 2,
  /** x * clip(x + 3, 0, 6) / 6 */
  hardSwish: 3,
  /** clip(alpha * x + beta, 0, 1) */
  hardSigmoid: 4,
  sigmoid: 5,
  /** x * sigmoid(alpha * x); SiLU where alpha is 1 */
  quickGelu: 6,
  /** x / 2 * (1 + erf(x / sqrt 2)) */
  gelu: 7,
  tanh: 8,
  /** x < 0 ? alpha * x : x */
  leakyRelu: 9,
} as const;
export type ActivationName = keyof typeof Activation;

/** Kinds of Unary. f32 unless said otherwise. */
export const UnaryKind = {
  ...Activation,
  erf: 16,
  exp: 17,
  log: 18,
  sqrt: 19,
  reciprocal: 20,
  neg: 21,
  abs: 22,
  floor: 23,
  ceil: 24,
  /** half to even */
  round: 25,
  sign: 26,
  sin: 27,
  cos: 28,
  softplus: 29,
  /** bool */
  not: 30,
  /** alpha * x + beta */
  affine: 31,
} as const;
export type UnaryName = keyof typeof UnaryKind;

/** Kinds of Binary. Comparisons give bool; the rest the type of their inputs (f32, i32, i64; and/or/xor bool). */
export const BinaryKind = {
  add: 0,
  sub: 1,
  mul: 2,
  div: 3,
  pow: 4,
  min: 5,
  max: 6,
  equal: 8,
  less: 9,
  lessOrEqual: 10,
  greater: 11,
  greaterOrEqual: 12,
  and: 13,
  or: 14,
  xor: 15,
  prelu: 16,
} as const;
export type BinaryName = keyof typeof BinaryKind;

export const ReduceKind = {
  mean: 0,
  sum: 1,
  max: 2,
  min: 3,
  prod: 4,
  sumSquare: 5,
  l2: 6,
} as const;
export type ReduceName = keyof typeof ReduceKind;

const opNames = new Map<number, OpName>(
  (Object.keys(OpCode) as OpName[]).map((name) => [OpCode[name], name]),
);
/** Name of an operator code, for texts; undefined where there is none. */
export function opName(code: number): OpName | undefined {
  return opNames.get(code);
}
