import { elementCount, type GateFunction } from '@canopy/protocol';
import { allFloats, constantBytes, partOf, type Constant } from '../graph/constant.js';
import { floatAttribute, type GraphNode, intAttribute, stringAttribute } from '../graph/graph.js';
import { Compute } from '../graph/lower/compute.js';
import { gateFunctions } from '../graph/lower/gate-functions.js';
import { factorsOf } from '../graph/lower/integers.js';
import { type Lowering, UnsupportedNode } from '../graph/lower/lowering.js';
import type { Dim } from '../graph/shapes/dim.js';
import type { Facts } from '../graph/shapes/facts.js';
import type { Rule } from '../graph/shapes/operation.js';
import { integerProduct } from './integer-product.js';
import type { OperatorFamily } from './operator.js';
import { giveOut, hiddenSize } from './recurrent.js';

const gates = 4;

/** X [seq, batch, input], W [directions, input, 4 * hidden]. Outputs: Y, Y_h, Y_c. */
const shape: Rule = (op) => {
  const [sequence, batch] = op.dims(0);
  const [directions] = op.dims(1);
  const hidden = op.int('hidden_size', 0);
  const last: Facts = { dtype: op.dtype(0), dims: [directions!, batch!, hidden] };
  return [{ ...last, dims: [sequence!, ...last.dims] }, last, last];
};

/** Inputs behind those of LSTM. */
const inputScale = 8;
const inputZero = 9;
const stateScale = 10;
const stateZero = 11;

function constantOf(node: GraphNode, to: Lowering, input: number): Constant {
  const constant = to.constant(node.inputs[input]);
  if (constant) return constant;
  throw new UnsupportedNode('has computed weights', 'keep them constant in the model');
}

/** The part of a constant [directions, ..] that is of one of them. */
function partFor(constant: Constant, direction: number, count: number): Constant {
  const own = [elementCount(constant.dims) / count];
  return partOf(constant, own, direction * own[0]!);
}

/** Bytes of a constant as numbers. */
function bytesOf(constant: Constant): ArrayLike<number> {
  const bytes = constant.read(0, constantBytes(constant)).slice();
  return constant.dtype === 'int8' ? new Int8Array(bytes.buffer) : bytes;
}

/** A number for each column, or one for all of them. */
function eachColumn(values: ArrayLike<number>, width: number): Float32Array {
  return Float32Array.from({ length: width }, (_, i) => values[values.length === 1 ? 0 : i]!);
}

/** The matrix of the states [hidden, width], less its zero points, as whole numbers [width, hidden]. */
function stateMatrix(matrix: Constant, zeros: Constant | undefined, hidden: number): Constant {
  const width = gates * hidden;
  const zero = eachColumn(zeros ? bytesOf(zeros) : [0], width);
  let known: WeakRef<Uint8Array> | undefined;
  const make = (): Uint8Array => {
    const source = bytesOf(matrix);
    const values = Float32Array.from({ length: width * hidden }, (_, i) => {
      const [column, row] = [Math.floor(i / hidden), i % hidden];
      return source[row * width + column]! - zero[column]!;
    });
    return new Uint8Array(values.buffer);
  };
  return {
    dtype: 'float32',
    dims: [width, hidden],
    read: (start, length) => {
      let bytes = known?.deref();
      if (!bytes) {
        bytes = make();
        known = new WeakRef(bytes);
      }
      return bytes.subarray(start, start + length);
    },
  };
}

/** One direction's part of a first state [directions, batch, hidden]. */
function stateOf(node: GraphNode, to: Lowering, input: number, direction: number, count: number) {
  const name = node.inputs[input] ?? '';
  if (name === '' || count === 1) return name;
  return new Compute(node, to).slice(name, 0, direction, direction + 1);
}

/** The products of the inputs of all steps, which one scale rounds to 8 bits, with both biases. */
function projected(
  node: GraphNode,
  to: Lowering,
  [a, scale, aZero]: readonly [string, string, string],
  direction: number,
  count: number,
): string {
  const matrix = constantOf(node, to, 1);
  const [, depth = 0, width = 0] = matrix.dims;
  const part = (input: number): Constant | undefined => {
    const given = node.inputs[input] ?? '';
    return given === '' ? undefined : partFor(constantOf(node, to, input), direction, count);
  };
  const named = (input: number, constant: Constant): string => {
    const name = `${node.inputs[input]!}/direction${direction}`;
    to.define(name, constant);
    return name;
  };
  const b = named(1, { ...partFor(matrix, direction, count), dims: [depth, width] });
  const own = part(inputScale)!;
  const factors = factorsOf(
    node,
    to,
    scale,
    to.floats(`${node.name}/scales`, own.dims[0] === 1 ? [] : own.dims, allFloats(own)),
  );
  const zeros = part(inputZero);
  const bZero = zeros && named(inputZero, zeros.dims[0] === 1 ? { ...zeros, dims: [] } : zeros);
  const bias = part(3);
  const sums = bias && allFloats(bias).slice(0, width);
  if (bias) allFloats(bias).forEach((value, i) => i >= width && (sums![i - width]! += value));
  const offset = sums && to.floats(`${node.name}/bias`, [width], sums);
  const result = to.temporary(`${node.name}/projected`, 'float32', to.dims(a).with(2, width));
  integerProduct(node, to, result, { a, b, aZero, bZero, factors, offset });
  return result;
}

/** An LSTM whose inputs, all together, and states, at each step, are rounded to 8 bits before their products. */
function lower(node: GraphNode, to: Lowering): void {
  const hidden = hiddenSize(node, to);
  const x = node.inputs[0]!;
  const [steps, batch] = to.dims(x) as [Dim, Dim];
  const direction = stringAttribute(node, 'direction', 'forward');
  const count = direction === 'bidirectional' ? 2 : 1;
  const all = gateFunctions(node, count, ['Sigmoid', 'Tanh', 'Tanh']);
  const rounded = to.temporary(`${node.name}/integers`, 'uint8', to.dims(x));
  const scale = to.temporary(`${node.name}/scale`, 'float32', []);
  const zero = to.temporary(`${node.name}/zero`, 'uint8', []);
  to.add('DynamicQuantize', node, [x], [rounded, scale, zero], {});
  const matrix = constantOf(node, to, 2);
  const scales = constantOf(node, to, stateScale);
  const zeros = to.constant(node.inputs[stateZero]);
  const peepholes = to.constant(node.inputs[7]);
  const results = Array.from({ length: count }, (_, index) => {
    const part = (constant: Constant): Constant => partFor(constant, index, count);
    const own = stateMatrix(part(matrix), zeros && part(zeros), hidden);
    const weight = to.weight(`${node.inputs[2]!}/packed`, {
      kind: 'matrix',
      constant: own,
      k: hidden,
      n: gates * hidden,
      transposed: true,
      scale: undefined,
    });
    const factors = eachColumn(allFloats(part(scales)), gates * hidden);
    const inputs = [
      projected(node, to, [rounded, scale, zero], index, count),
      ...[weight, '', ''],
      ...[5, 6].map((input) => stateOf(node, to, input, index, count)),
      node.inputs[4] ?? '',
      peepholes
        ? to.floats(`${node.name}/peepholes`, [3 * hidden], allFloats(part(peepholes)))
        : '',
      to.floats(`${node.name}/stateScales`, [gates * hidden], factors),
    ];
    const outputs = [
      to.temporary(`${node.name}/all`, 'float32', [steps, 1, batch, hidden]),
      ...[1, 2].map(() => to.temporary(`${node.name}/last`, 'float32', [1, batch, hidden])),
    ];
    const [gate, candidate, result] = all.slice(index * 3, index * 3 + 3) as [
      GateFunction,
      GateFunction,
      GateFunction,
    ];
    to.add('Recurrent', node, inputs, outputs, {
      cell: intAttribute(node, 'input_forget', 0) === 0 ? 'lstm' : 'lstmCoupled',
      ...{ hidden, packed: true, all: true, gate, candidate, result },
      reverse: direction === 'reverse' || index === 1,
      clip: floatAttribute(node, 'clip', 0),
    });
    return outputs;
  });
  for (const [output, name] of node.outputs.entries()) {
    const parts = results.map((own) => own[output]!);
    if (name !== '') giveOut(node, to, output, name, parts);
  }
}

export const dynamicQuantizeLstmFamily: OperatorFamily = {
  model: {
    'com.microsoft.DynamicQuantizeLSTM': {
      shape,
      lower,
      types: ['float32'],
      limits: 'constant weights',
    },
  },
  program: {},
};
