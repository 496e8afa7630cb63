import { elementCount, type DTypeName } from '@canopy/protocol';
import { sixteensWork } from '../cost/work/integer-operators.js';
import { broadcastWalk } from '../cost/work/strided.js';
import { plainWork } from '../cost/work/work.js';
import { floatAttribute, type GraphNode, intAttribute } from '../graph/graph.js';
import { Compute } from '../graph/lower/compute.js';
import { readIntegers } from '../graph/lower/dequantized-constant.js';
import { type Lower, type Lowering, UnsupportedNode } from '../graph/lower/lowering.js';
import { broadcastRows, keeps } from '../graph/rows/rule.js';
import { globalPoolShape, poolShape } from '../graph/shapes/convolution.js';
import { add, product, type Dim } from '../graph/shapes/dim.js';
import { alongAxis, likeFirst, type Rule } from '../graph/shapes/operation.js';
import type { OperatorFamily } from './operator.js';
import { poolFamily } from './pool.js';

const types: readonly DTypeName[] = ['int8', 'uint8'];

/** Two quantized operands; the program has both of them first. */
function binary(kind: 'add' | 'mul'): Lower {
  return (node, to) => {
    const [a, aScale, aZero, b, bScale, bZero, scale, zero = ''] = node.inputs as string[] &
      Record<0 | 1 | 2 | 3 | 4 | 5 | 6, string>;
    const inputs = [a, b, aScale, aZero, bScale, bZero, scale, zero];
    to.add('QuantizedBinary', node, inputs, [node.outputs[0]!], { kind });
  };
}

const plainScales = { axis: 0, block: 0 };

/** The numbers that integers of one scale stand for. */
function dequantized(
  node: GraphNode,
  to: Lowering,
  x: string,
  scale: string,
  zero: string,
): string {
  const result = to.temporary(`${node.name}/numbers`, 'float32', to.dims(x));
  to.add('Dequantize', node, [x, scale, zero], [result], plainScales);
  return result;
}

function quantized(
  node: GraphNode,
  to: Lowering,
  [x, scale, zero]: readonly [string, string, string],
  output: string,
): void {
  to.add('Quantize', node, [x, scale, zero], [output], { to: to.dtype(output), ...plainScales });
}

/** X, its scale and zero point, those of the result: what is done to the numbers in between. */
function between(run: (node: GraphNode, to: Lowering, x: string, output: string) => void): Lower {
  return (node, to) => {
    const [x, scale, zero, resultScale, resultZero = ''] = node.inputs as [
      string,
      string,
      string,
      string,
      string?,
    ];
    const wide = dequantized(node, to, x, scale, zero);
    const output = node.outputs[0]!;
    const result = to.temporary(`${node.name}/result`, 'float32', to.dims(output));
    run(node, to, wide, result);
    quantized(node, to, [result, resultScale, resultZero], output);
  };
}

const sigmoid = between((node, to, x, output) => {
  new Compute(node, to).unary('sigmoid', x, output);
});
const leakyRelu = between((node, to, x, output) => {
  new Compute(node, to).unary('leakyRelu', x, output, floatAttribute(node, 'alpha', 0.01));
});
const averagePool = between((node, to, x, output) => {
  requireChannelsFirst(node);
  const plain = { ...node, inputs: [x], outputs: [output] };
  poolFamily.model['AveragePool']!.lower(plain, to);
});

function requireChannelsFirst(node: GraphNode): void {
  if (intAttribute(node, 'channels_last', 0) === 1) {
    throw new UnsupportedNode('has channels last', 'export it with channels first');
  }
}

/** The sum of whole numbers is exact; one factor then makes the mean of it and the scale of the result. */
const globalAveragePool: Lower = (node, to) => {
  requireChannelsFirst(node);
  const [x, scale, zero, resultScale, resultZero = ''] = node.inputs as [
    string,
    string,
    string,
    string,
    string?,
  ];
  const compute = new Compute(node, to);
  const one = compute.number(1);
  const wholes = dequantized(node, to, x, one, zero);
  const rank = to.rank(x);
  const axes = Array.from({ length: rank - 2 }, (_, axis) => axis + 2);
  const sum = compute.reduce('sum', wholes, axes);
  const mean = compute.binary('mul', sum, meanFactor(node, to, x, [scale, resultScale]));
  quantized(node, to, [mean, one, resultZero], node.outputs[0]!);
};

/** `scale / (resultScale * pixels)` */
function meanFactor(
  node: GraphNode,
  to: Lowering,
  x: string,
  [scale, resultScale]: readonly [string, string],
): string {
  const pixels: Dim = product(to.dims(x).slice(2));
  const [from, into] = [to.constantFloats(scale)?.[0], to.constantFloats(resultScale)?.[0]];
  const compute = new Compute(node, to);
  if (typeof pixels === 'number' && from !== undefined && into !== undefined) {
    return compute.number(from / Math.fround(into * Math.fround(pixels)));
  }
  const sizes = compute.shapeOf(x, 2);
  const count = compute.cast(compute.reduce('prod', sizes, [0]), 'float32');
  return compute.binary('div', scale, compute.binary('mul', resultScale, count));
}

/** Scale and zero point of the result, then X, its scale and zero point for each that is joined. */
const concat: Lower = (node, to) => {
  const [resultScale, resultZero, ...rest] = node.inputs as [string, string, ...string[]];
  const output = node.outputs[0]!;
  const parts: string[] = [];
  for (let at = 0; at < rest.length; at += 3) {
    const [x, scale, zero] = rest.slice(at, at + 3) as [string, string, string];
    if (sameNumber(to, scale, resultScale) && sameNumber(to, zero, resultZero)) {
      parts.push(x);
      continue;
    }
    const part = to.temporary(`${node.name}/part`, to.dtype(output), to.dims(x));
    quantized(node, to, [dequantized(node, to, x, scale, zero), resultScale, resultZero], part);
    parts.push(part);
  }
  const axis = to.axis(intAttribute(node, 'axis', 1), to.rank(output));
  to.add('Concat', node, parts, [output], { axis });
};

/** Whether two constants of one number are the same. */
function sameNumber(to: Lowering, a: string, b: string): boolean {
  if (a === b) return true;
  const [left, right] = [to.constant(a), to.constant(b)];
  if (!left || !right || left.dtype !== right.dtype) return false;
  const values = [left, right].map((constant) =>
    constant.dtype === 'float32'
      ? to.constantFloats(constant === left ? a : b)![0]
      : readIntegers(constant, 0, 1)[0],
  );
  return values[0] === values[1];
}

function softmax(node: GraphNode, to: Lowering): void {
  const [x, scale, , resultScale, resultZero = ''] = node.inputs as string[] &
    Record<0 | 1 | 2 | 3, string>;
  const output = node.outputs[0]!;
  const older = intAttribute(node, 'opset', 13) < 13;
  const rank = to.rank(x);
  const axis = to.axis(intAttribute(node, 'axis', older ? 1 : -1), rank);
  const run = (input: string, result: string, from: number): void => {
    const inputs = [input, scale, resultScale, resultZero];
    to.add('QuantizedSoftmax', node, inputs, [result], { axis: from });
  };
  if (older || axis === rank - 1) {
    run(x, output, axis);
    return;
  }
  const permutation = [...Array(rank).keys()];
  [permutation[axis], permutation[rank - 1]] = [rank - 1, axis];
  const compute = new Compute(node, to);
  const moved = compute.transpose(x, permutation);
  const result = to.temporary(`${node.name}/result`, to.dtype(x), to.dims(moved));
  run(moved, result, rank - 1);
  compute.transpose(result, permutation, output);
}

const binaryShape: Rule = (op) => [{ dtype: op.dtype(0), dims: op.broadcast(0, 3) }];

const concatShape: Rule = (op) => {
  const first = op.dims(2);
  const axis = op.axis('axis', 1, first.length);
  let length: Dim = 0;
  for (let input = 2; input < op.inputs; input += 3) {
    const dims = op.dims(input);
    dims.forEach((dim, at) => {
      if (at !== axis) op.requireSame(dim, first[at]!);
    });
    length = add(length, dims[axis]!);
  }
  return [{ dtype: op.dtype(2), dims: first.with(axis, length) }];
};

const softmaxShape: Rule = (op) => (op.int('opset', 13) < 13 ? [op.like(0)] : alongAxis(op));

export const quantizedElementsFamily: OperatorFamily = {
  model: {
    'com.microsoft.QLinearAdd': { shape: binaryShape, lower: binary('add'), types },
    'com.microsoft.QLinearMul': { shape: binaryShape, lower: binary('mul'), types },
    'com.microsoft.QLinearSigmoid': { shape: likeFirst(), lower: sigmoid, types },
    'com.microsoft.QLinearLeakyRelu': { shape: likeFirst(), lower: leakyRelu, types },
    'com.microsoft.QLinearAveragePool': {
      shape: (op) => poolShape(op).slice(0, 1),
      lower: averagePool,
      types,
      limits: 'channels first',
    },
    'com.microsoft.QLinearGlobalAveragePool': {
      shape: globalPoolShape,
      lower: globalAveragePool,
      types,
      limits: 'channels first',
    },
    'com.microsoft.QLinearConcat': { shape: concatShape, lower: concat, types },
    'com.microsoft.QLinearSoftmax': { shape: softmaxShape, lower: softmax, types },
  },
  program: {
    QuantizedBinary: {
      rows: (step) =>
        step.inputs.slice(2).every(({ kind }) => kind === 'none') ? broadcastRows(step) : undefined,
      work: ({ attributes, inputs, outputs }) => {
        const walk = broadcastWalk(outputs[0]!, inputs.slice(0, 2));
        const length = walk.at(-1)!.size;
        const runs = elementCount(outputs[0]!) / Math.max(1, length);
        return [sixteensWork(`quantizedBinary.${attributes.kind}`, runs, length)];
      },
    },
    QuantizedSoftmax: {
      rows: (step) =>
        step.inputs.slice(1).every(({ kind }) => kind === 'none')
          ? keeps((axis) => axis < step.attributes.axis)(step)
          : undefined,
      work: ({ outputs }) => plainWork(elementCount(outputs[0]!) * 220 + 30_000),
    },
  },
};
