import { elementCount, int4Block, int4MatrixBytes, packInt4 } from '@canopy/protocol';
import { constantBytes, floatConstant, readFloats, type Constant } from '../graph/constant.js';
import { type GraphNode, intAttribute } from '../graph/graph.js';
import { Compute } from '../graph/lower/compute.js';
import { epilogue, type Lowering, UnsupportedNode } from '../graph/lower/lowering.js';
import type { Rule } from '../graph/shapes/operation.js';
import type { OperatorFamily } from './operator.js';

/** A matrix [N, K] in few bits: each block of a row has a scale and a zero point. */
interface Blocks {
  k: number;
  n: number;
  block: number;
  blocks: number;
  /** What is taken off integers where there are no zero points. */
  middle: number;
  /** The integer of a column and a place of the depth. */
  integer: (n: number, k: number) => number;
  scale: (n: number, block: number) => number;
  zero: (n: number, block: number) => number;
}

/** Integers of a power of two of bits up to 8, the lower ones first; each row of `perRow` begins with a byte. */
function integersOf(
  constant: Constant,
  bits: number,
  perRow: number,
): (row: number, i: number) => number {
  const data = constant.read(0, constantBytes(constant));
  const rowBytes = Math.ceil((perRow * bits) / 8);
  const [inByte, most] = [8 / bits, (1 << bits) - 1];
  return (row, i) =>
    (data[row * rowBytes + Math.floor(i / inByte)]! >> (bits * (i % inByte))) & most;
}

function constantOf(to: Lowering, name: string, what: string): Constant {
  const constant = to.constant(name);
  if (constant) return constant;
  throw new UnsupportedNode(`has computed ${what}`, 'keep them constant in the model');
}

/** Reads inputs 1 to 3: integers, scales, zero points. */
function readBlocks(node: GraphNode, to: Lowering): Blocks {
  const [, b, scales, zeros = '', places = ''] = node.inputs as string[] & Record<1 | 2, string>;
  if (places !== '') {
    throw new UnsupportedNode('has groups of its own (g_idx)', 'quantize in blocks of the depth');
  }
  const [k, n] = [intAttribute(node, 'K', 0), intAttribute(node, 'N', 0)];
  const block = intAttribute(node, 'block_size', 32);
  const bits = intAttribute(node, 'bits', 4);
  if (![2, 4, 8].includes(bits)) {
    throw new UnsupportedNode(`has weights of ${bits} bits`, 'quantize to 2, 4 or 8 bits');
  }
  const blocks = Math.ceil(k / block);
  const integers = integersOf(constantOf(to, b, 'weights'), bits, blocks * block);
  const factors = to.constantFloats(scales);
  if (!factors) throw new UnsupportedNode('has computed scales', 'keep them constant in the model');
  const zero = zeros === '' ? undefined : constantOf(to, zeros, 'zero points');
  const middle = 1 << (bits - 1);
  let zeroOf: Blocks['zero'] = () => middle;
  if (zero?.dtype === 'float32') {
    const values = readFloats(zero, 0, elementCount(zero.dims));
    zeroOf = (column, at) => values[column * blocks + at]!;
  } else if (zero) zeroOf = integersOf(zero, bits, blocks);
  return {
    k,
    n,
    block,
    blocks,
    middle,
    integer: integers,
    scale: (column, at) => factors[column * blocks + at]!,
    zero: zeroOf,
  };
}

/** The matrix as f32 numbers [N, K], made while it is read. */
function asFloats({ k, n, block, integer, scale, zero }: Blocks): Constant {
  return {
    dtype: 'float32',
    dims: [n, k],
    read: (start, length) => {
      const first = Math.floor(start / 4);
      const count = Math.ceil((start + length) / 4) - first;
      const values = Float32Array.from({ length: count }, (_, i) => {
        const [column, place] = [Math.floor((first + i) / k), (first + i) % k];
        const at = Math.floor(place / block);
        return (integer(column, place) - zero(column, at)) * scale(column, at);
      });
      return new Uint8Array(values.buffer, start - first * 4, length);
    },
  };
}

/** The matrix in the form of int4 weights [blocks * block, N], less their middle in place of zero points. */
function asInt4({ blocks, n, block, middle, integer, scale }: Blocks): Constant {
  const k = blocks * block;
  const share = block / int4Block;
  let known: WeakRef<Uint8Array> | undefined;
  return {
    dtype: 'uint8',
    dims: [int4MatrixBytes(k, n)],
    read: (start, length) => {
      let packed = known?.deref();
      if (!packed) {
        packed = packInt4(
          k,
          n,
          (place, column) => integer(column, place) - middle,
          (at, column) => scale(column, Math.floor(at / share)),
        );
        known = new WeakRef(packed);
      }
      return packed.subarray(start, start + length);
    },
  };
}

/** A with zeros behind each row, up to a depth. */
function padded(compute: Compute, to: Lowering, node: GraphNode, a: string, depth: number): string {
  const dims = to.dims(a);
  if (dims.at(-1) === depth) return a;
  const behind = dims.map((_, axis) => (axis === dims.length - 1 ? depth - Number(dims[axis]) : 0));
  const pads = to.ints(`${node.name}/pads`, [...dims.map(() => 0), ...behind]);
  const result = to.temporary(`${node.name}/padded`, 'float32', dims.with(-1, depth));
  to.add('Pad', node, [a, pads, compute.number(0)], [result], { mode: 'constant' });
  return result;
}

/** A in blocks of its last dimension: [.., blocks, block]. */
function inBlocks(compute: Compute, to: Lowering, a: string, block: number): string {
  const dims = to.dims(a);
  const blocks = Number(dims.at(-1)) / block;
  const outer = dims.slice(0, -1);
  return compute.reshape(a, [...outer.map(() => 0), blocks, block], [...outer, blocks, block]);
}

/** Numbers as onnxruntime's products in 8 bits have them: each block rounded to 127 steps of its largest. */
function rounded(compute: Compute, to: Lowering, a: string, block: number): string {
  const dims = to.dims(a);
  const x = inBlocks(compute, to, a, block);
  const largest = compute.reduce('max', compute.unary('abs', x), [to.rank(x) - 1]);
  const some = compute.binary('max', largest, compute.number(1e-30));
  const steps = compute.unary(
    'round',
    compute.binary('mul', x, compute.binary('div', compute.number(127), some)),
  );
  const values = compute.binary('mul', steps, compute.affine(some, 1 / 127, 0));
  return compute.reshape(values, [...dims.slice(0, -1).map(() => 0), Number(dims.at(-1))], dims);
}

/** What zero points beside the middle add, by the sum of each block; undefined where they add nothing. */
function shiftsOf({ n, blocks, middle, zero, scale }: Blocks): Float32Array | undefined {
  const shifts = Float32Array.from({ length: blocks * n }, (_, i) => {
    const [at, column] = [Math.floor(i / n), i % n];
    return (middle - zero(column, at)) * scale(column, at);
  });
  return shifts.some((shift) => shift !== 0) ? shifts : undefined;
}

function lower(node: GraphNode, to: Lowering): void {
  const compute = new Compute(node, to);
  const matrix = readBlocks(node, to);
  const { k, n, block, blocks } = matrix;
  const output = node.outputs[0]!;
  const added = node.inputs[5] ?? '';
  const biasValues = added === '' ? new Float32Array(n) : to.constantFloats(added);
  if (!biasValues)
    throw new UnsupportedNode('has a computed bias', 'keep it constant in the model');
  const bias = (name: string, values: Float32Array): string =>
    to.weight(`${node.name}/${name}`, { kind: 'bias', values, group: 1 });
  const linear = (x: string, weight: string, offset: string, result: string): void => {
    const depth = Number(to.dims(x).at(-1));
    to.add('Linear', node, [x, weight, offset], [result], { k: depth, n, epilogue: epilogue() });
  };
  const floats = (name: string, constant: Constant, depth: number, transposed: boolean): string =>
    to.weight(name, { kind: 'matrix', constant, k: depth, n, transposed, scale: undefined });

  const depth = blocks * block;
  const inBytes = intAttribute(node, 'accuracy_level', 0) === 4;
  const isInt4 = matrix.middle <= 8 && block % int4Block === 0;
  let x = node.inputs[0]!;
  if (inBytes || isInt4) x = padded(compute, to, node, x, depth);
  if (inBytes) x = rounded(compute, to, x, block);
  if (!isInt4) {
    if (inBytes && k !== depth) x = compute.slice(x, to.rank(x) - 1, 0, k);
    const weight = floats(node.inputs[1]!, asFloats(matrix), k, true);
    linear(x, weight, bias('bias', biasValues), output);
    return;
  }
  const weight = to.weight(node.inputs[1]!, { kind: 'plain', constant: asInt4(matrix) });
  const shifts = shiftsOf(matrix);
  if (!shifts) {
    linear(x, weight, bias('bias', biasValues), output);
    return;
  }
  const outer = to.dims(x).slice(0, -1);
  const parts = compute.reduce('sum', inBlocks(compute, to, x, block), [outer.length + 1]);
  const sums = compute.reshape(parts, [...outer.map(() => 0), blocks], [...outer, blocks]);
  const [product, shift] = ['product', 'shift'].map((name) =>
    to.temporary(`${node.name}/${name}`, 'float32', to.dims(output)),
  ) as [string, string];
  linear(x, weight, bias('bias', biasValues), product);
  const matrixOfShifts = floats(
    `${node.name}/shifts`,
    floatConstant([blocks, n], shifts),
    blocks,
    false,
  );
  linear(sums, matrixOfShifts, bias('none', new Float32Array(n)), shift);
  compute.binary('add', product, shift, output);
}

/** The last dimension becomes N. */
const shape: Rule = (op) => {
  const [k, n] = [op.int('K', 0), op.int('N', 0)];
  op.requireSame(op.dims(0).at(-1)!, k);
  return [{ dtype: op.dtype(0), dims: [...op.dims(0).slice(0, -1), n] }];
};

export const matMulNBitsFamily: OperatorFamily = {
  model: {
    'com.microsoft.MatMulNBits': {
      shape,
      lower,
      types: ['float32'],
      limits: 'of 2, 4 or 8 bits, constant',
    },
  },
  program: {},
};
