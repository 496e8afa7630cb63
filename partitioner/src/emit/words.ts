import {
  Activation,
  BinaryKind,
  DType,
  ReduceKind,
  UnaryKind,
  type Epilogue,
  type OpName,
} from '@canopy/protocol';
import type { OpAttributes, ProgramNode, Window } from '../graph/program.js';

const converter = new DataView(new ArrayBuffer(8));

/** An f32 by its bits. */
export function floatWord(value: number): number {
  converter.setFloat32(0, value);
  return converter.getUint32(0);
}

function epilogueWordsOf({ activation, alpha, beta, scale, shift }: Epilogue): number[] {
  return [Activation[activation], ...[alpha, beta, scale, shift].map(floatWord)];
}

function windowWords({ kernel, strides, pads, dilations }: Window): number[] {
  return [...kernel, ...strides, ...pads, ...dilations];
}

function convWords(conv: OpAttributes['Conv']): number[] {
  const { group, inChannels, outChannels, epilogue } = conv;
  return [...windowWords(conv), group, inChannels, outChannels, ...epilogueWordsOf(epilogue)];
}

const padModes = { constant: 0, reflect: 1, edge: 2 };

type Encoders = { [Op in OpName]: (attributes: OpAttributes[Op]) => number[] };

const none = (): number[] => [];

/** The attribute words of each operator, in the order that `protocol/src/opcode.ts` gives. */
const encoders: Encoders = {
  Linear: ({ k, n, epilogue }) => [k, n, ...epilogueWordsOf(epilogue)],
  Conv: convWords,
  DepthwiseConv: convWords,
  MatMul: ({ transA, transB, alpha }) => [Number(transA), Number(transB), floatWord(alpha)],
  Binary: ({ kind, epilogue }) => [BinaryKind[kind], ...epilogueWordsOf(epilogue)],
  Unary: ({ kind, alpha, beta }) => [UnaryKind[kind], floatWord(alpha), floatWord(beta)],
  Cast: ({ to }) => [DType[to]],
  Softmax: ({ axis }) => [axis],
  LayerNorm: ({ axis, epsilon }) => [axis, floatWord(epsilon)],
  Reduce: ({ kind, keepDims, axes }) => [ReduceKind[kind], Number(keepDims), axes.length, ...axes],
  MaxPool: (pool) => [...windowWords(pool), Number(pool.ceilMode)],
  AveragePool: (pool) => [
    ...windowWords(pool),
    Number(pool.ceilMode),
    Number(pool.countIncludePad),
  ],
  GlobalAveragePool: none,
  Transpose: ({ permutation }) => [...permutation],
  Reshape: ({ allowZero }) => [Number(allowZero)],
  Shape: ({ start, end }) => [start, end],
  Gather: ({ axis }) => [axis],
  Slice: none,
  Concat: ({ axis }) => [axis],
  Squeeze: none,
  Unsqueeze: none,
  Flatten: ({ axis }) => [axis],
  Expand: none,
  Where: none,
  ConstantOfShape: ({ dtype, value }) => {
    if (dtype === 'float32') return [DType[dtype], floatWord(value), 0];
    converter.setBigInt64(0, BigInt(value));
    return [DType[dtype], converter.getUint32(4), converter.getUint32(0)];
  },
  Range: none,
  Pad: ({ mode }) => [padModes[mode]],
  Identity: none,
};

/** Attribute words of a node. */
export function attributeWords(node: ProgramNode): number[] {
  const encode = encoders[node.op] as (attributes: ProgramNode['attributes']) => number[];
  return encode(node.attributes);
}
