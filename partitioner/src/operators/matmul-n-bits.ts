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
  /** The integer of a column and a place of the depth. */
  integer: (n: number, k: number) => number;
  scale: (n: number, block: number) => number;
  zero: (n: number, block: number) => number;
  /** Which block a place of the depth belongs to. */
  blockOf: (k: number) => number;
}

/** Integers of 4 or 8 bits, the lower four first; each row of `perRow` begins with a byte. */
function integersOf(
  constant: Constant,
  bits: number,
  perRow: number,
): (row: number, i: number) => number {
  const data = constant.read(0, constantBytes(constant));
  const rowBytes = Math.ceil((perRow * bits) / 8);
  if (bits === 8) return (row, i) => data[row * rowBytes + i]!;
  return (row, i) => (data[row * rowBytes + (i >> 1)]! >> (4 * (i & 1))) & 15;
}

function constantOf(to: Lowering, name: string, what: string): Constant {
  const constant = to.constant(name);
  if (constant) return constant;
  throw new UnsupportedNode(`has computed ${what}`, 'keep them constant in the model');
}

/** Reads inputs 1 to 4: integers, scales, zero points, and the block of each place. */
function readBlocks(node: GraphNode, to: Lowering): Blocks {
  const [, b, scales, zeros = '', places = ''] = node.inputs as [
    string,
    string,
    string,
    string?,
    string?,
  ];
  const [k, n] = [intAttribute(node, 'K', 0), intAttribute(node, 'N', 0)];
  const block = intAttribute(node, 'block_size', 32);
  const bits = intAttribute(node, 'bits', 4);
  if (bits !== 8) {
    throw new UnsupportedNode(`has weights of ${bits} bits`, 'quantize to 8 bits');
  }
  const blocks = Math.ceil(k / block);
  const integers = integersOf(constantOf(to, b, 'weights'), bits, blocks * block);
  const factors = to.constantFloats(scales);
  if (!factors) throw new UnsupportedNode('has computed scales', 'keep them constant in the model');
  const zero = zeros === '' ? undefined : constantOf(to, zeros, 'zero points');
  let zeroOf: Blocks['zero'] = () => 1 << (bits - 1);
  if (zero?.dtype === 'float32') {
    const values = readFloats(zero, 0, elementCount(zero.dims));
    zeroOf = (column, at) => values[column * blocks + at]!;
  } else if (zero) zeroOf = integersOf(zero, bits, blocks);
  const given = places === '' ? undefined : constantOf(to, places, 'places of its groups');
  const bytes = given?.read(0, constantBytes(given)).slice();
  const groups = bytes && new Int32Array(bytes.buffer);
  return {
    k,
    n,
    block,
    blocks,
    integer: integers,
    scale: (column, at) => factors[column * blocks + at]!,
    zero: zeroOf,
    blockOf: (place) => groups?.[place] ?? Math.floor(place / block),
  };
}

/** The matrix as f32 numbers [N, K], made while it is read. */
function asFloats({ k, n, integer, scale, zero, blockOf }: Blocks): Constant {
  return {
    dtype: 'float32',
    dims: [n, k],
    read: (start, length) => {
      const first = Math.floor(start / 4);
      const count = Math.ceil((start + length) / 4) - first;
      const values = Float32Array.from({ length: count }, (_, i) => {
        const [column, place] = [Math.floor((first + i) / k), (first + i) % k];
        const at = blockOf(place);
        return (integer(column, place) - zero(column, at)) * scale(column, at);
      });
      return new Uint8Array(values.buffer, start - first * 4, length);
    },
  };
}

/** The matrix in the form of int4 weights, less 8 in place of its zero points. */
function asInt4({ k, n, block, integer, scale }: Blocks): Constant {
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
          (place, column) => integer(column, place) - 8,
          (at, column) => scale(column, Math.floor(at / share)),
        );
        known = new WeakRef(packed);
      }
      return packed.subarray(start, start + length);
    },
  };
}

/** A in blocks of its last dimension: [.., blocks, block]. */
function inBlocks(compute: Compute, to: Lowering, a: string, block: number): string {
  const dims = to.dims(a);
  const k = Number(dims.at(-1));
  const zeros = dims.slice(0, -1).map(() => 0);
  return compute.reshape(a, [...zeros, k / block, block], [...dims.slice(0, -1), k / block, block]);
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

function lower(node: GraphNode, to: Lowering): void {
  const compute = new Compute(node, to);
  const matrix = readBlocks(node, to);
  const { k, n, block, blocks } = matrix;
  const grouped = (node.inputs[4] ?? '') !== '';
  const bits = intAttribute(node, 'bits', 4);
  const whole = block <= k ? k % block === 0 : true;
  const step = Math.min(block, k);
  const output = node.outputs[0]!;
  const added = node.inputs[5] ?? '';
  const biasValues = added === '' ? new Float32Array(n) : to.constantFloats(added);
  if (!biasValues)
    throw new UnsupportedNode('has a computed bias', 'keep it constant in the model');
  const inBytes = intAttribute(node, 'accuracy_level', 0) === 4 && whole && !grouped;
  const x = inBytes ? rounded(compute, to, node.inputs[0]!, step) : node.inputs[0]!;
  const bias = to.weight(`${node.name}/bias`, { kind: 'bias', values: biasValues, group: 1 });
  const linear = (
    weight: string,
    from: string,
    depth: number,
    offset: string,
    result: string,
  ): void => {
    to.add('Linear', node, [from, weight, offset], [result], { k: depth, n, epilogue: epilogue() });
  };
  if (bits !== 4 || grouped || !whole || k < int4Block || block % int4Block !== 0) {
    const constant = asFloats(matrix);
    const kind = { kind: 'matrix', constant, k, n, transposed: true, scale: undefined } as const;
    linear(to.weight(node.inputs[1]!, kind), x, k, bias, output);
    return;
  }
  const weight = to.weight(node.inputs[1]!, { kind: 'plain', constant: asInt4(matrix) });
  // What zero points other than 8 add, by the sum of each block.
  const shifts = Float32Array.from({ length: blocks * n }, (_, i) => {
    const [at, column] = [Math.floor(i / n), i % n];
    return (8 - matrix.zero(column, at)) * matrix.scale(column, at);
  });
  if (shifts.every((shift) => shift === 0)) {
    linear(weight, x, k, bias, output);
    return;
  }
  const dims = to.dims(x);
  const parts = compute.reduce('sum', inBlocks(compute, to, x, step), [dims.length]);
  const shape = [...dims.slice(0, -1), blocks];
  const sums = compute.reshape(parts, [...dims.slice(0, -1).map(() => 0), blocks], shape);
  const name = to.weight(`${node.name}/shifts`, {
    kind: 'matrix',
    constant: floatConstant([blocks, n], shifts),
    k: blocks,
    n,
    transposed: false,
    scale: undefined,
  });
  const product = to.temporary(`${node.name}/product`, 'float32', to.dims(output));
  const shift = to.temporary(`${node.name}/shift`, 'float32', to.dims(output));
  const none = to.weight(`${node.name}/none`, {
    kind: 'bias',
    values: new Float32Array(n),
    group: 1,
  });
  linear(weight, x, k, bias, product);
  linear(name, sums, blocks, none, shift);
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
      limits: 'of 8 bits, constant',
    },
  },
  program: {},
};
