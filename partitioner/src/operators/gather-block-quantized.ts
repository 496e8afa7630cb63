import { elementCount, type DTypeName } from '@canopy/protocol';
import { constantBytes, memoryConstant, type Constant } from '../graph/constant.js';
import { type GraphNode, intAttribute } from '../graph/graph.js';
import { Compute } from '../graph/lower/compute.js';
import { type Lowering, UnsupportedNode } from '../graph/lower/lowering.js';
import { multiply, type Dim } from '../graph/shapes/dim.js';
import type { Rule } from '../graph/shapes/operation.js';
import type { OperatorFamily } from './operator.js';

/** Integers of a few bits, several in a byte, and what is taken off them where they have no sign. */
interface Packed {
  /** The bytes; their last dimension is that of the integers over how many a byte has. */
  bytes: Constant;
  bits: number;
  /** Whether the integers have a sign, which is the highest of their bits. */
  signed: boolean;
}

function bitsOf(node: GraphNode, constant: Constant): number {
  return constant.packed ? 4 : intAttribute(node, 'bits', 4);
}

/** Data as bytes of several integers: as they are stored where each line of the last dimension has whole ones. */
function packedOf(node: GraphNode, constant: Constant): Packed {
  const { dims, packed, dtype } = constant;
  const signed = dtype === 'int8';
  if (!packed) return { bytes: constant, bits: bitsOf(node, constant), signed };
  const last = dims.at(-1) ?? 1;
  if (last % 2 === 0) {
    const bytes: Constant = { ...packed, dims: dims.with(-1, last / 2) };
    return { bytes, bits: 4, signed };
  }
  const read = (start: number, length: number): Uint8Array => constant.read(start, length);
  return { bytes: { dtype: 'uint8', dims, read }, bits: 8, signed };
}

/** The integers of gathered bytes as uint8; of those with a sign plus half of their range. */
function unpacked(
  compute: Compute,
  to: Lowering,
  node: GraphNode,
  x: string,
  data: Packed,
): string {
  const { bits, signed } = data;
  const number = (value: number): string => to.numbers(`${node.name}/number`, 'uint8', [], [value]);
  const dims = to.dims(x);
  const count = 8 / bits;
  let result = x;
  if (count > 1) {
    const axis = dims.length;
    const parts = Array.from({ length: count }, (_, at) => {
      const moved = at === 0 ? x : compute.binary('shiftRight', x, number(at * bits));
      const part = compute.binary('bitAnd', moved, number((1 << bits) - 1));
      return compute.reshape(part, [...dims.map(() => 0), 1], [...dims, 1]);
    });
    const width = Number(dims.at(-1)) * count;
    const whole = [...dims.slice(0, -1).map(() => 0), width];
    result = compute.reshape(compute.concat(parts, axis), whole, [...dims.slice(0, -1), width]);
  }
  return signed ? compute.binary('bitXor', result, number(1 << (bits - 1))) : result;
}

/** Zero points, one for each scale, as bytes that go with {@link unpacked}. */
function zerosOf(
  node: GraphNode,
  data: Constant,
  given: Constant | undefined,
  scales: Constant,
  offset: number,
): Constant {
  const count = elementCount(scales.dims);
  const bits = data.packed ? 8 : bitsOf(node, data);
  const middle = data.packed ? 0 : 1 << (bits - 1);
  const bytes = given?.read(0, constantBytes(given));
  const perLine = scales.dims.at(-1) ?? 1;
  const lineBytes = Math.ceil((perLine * bits) / 8);
  const values = Uint8Array.from({ length: count }, (_, i) => {
    if (!bytes) return middle + offset;
    const place = i % perLine;
    const byte = bytes[Math.floor(i / perLine) * lineBytes + Math.floor((place * bits) / 8)]!;
    const zero = data.packed ? byte : (byte >> ((place * bits) % 8)) & ((1 << bits) - 1);
    return zero + offset;
  });
  return memoryConstant('uint8', scales.dims, values);
}

/** Data, indices, scales, zero points? */
function lower(node: GraphNode, to: Lowering): void {
  const [x, indices, scale, zero = ''] = node.inputs as [string, string, string, string?];
  const [data, scales] = [to.constant(x), to.constant(scale)];
  if (!data || !scales) {
    throw new UnsupportedNode('has computed weights', 'keep them constant in the model');
  }
  if (zero !== '' && !to.constant(zero)) {
    throw new UnsupportedNode('has computed zero points', 'keep them constant in the model');
  }
  const rank = data.dims.length;
  const axis = to.axis(intAttribute(node, 'gather_axis', 0), rank);
  const quantized = to.axis(intAttribute(node, 'quantize_axis', 1), rank);
  if (axis === quantized || (axis === rank - 1 && rank > 1)) {
    throw new UnsupportedNode('gathers along an axis in blocks', 'gather along the first axis');
  }
  const compute = new Compute(node, to);
  const packed = packedOf(node, data);
  const offset = packed.signed ? 1 << (packed.bits - 1) : 0;
  const table = (what: string, constant: Constant): string =>
    to.weight(`${node.name}/${what}`, { kind: 'plain', constant });
  const zeros = zerosOf(node, data, to.constant(zero), scales, offset);
  const [rows, rowScales, rowZeros] = [
    table('bytes', packed.bytes),
    scale,
    table('zeros', zeros),
  ].map((name) => compute.gather(name, indices, axis)) as [string, string, string];
  const integers = unpacked(compute, to, node, rows, packed);
  const moved = quantized > axis ? quantized + to.rank(indices) - 1 : quantized;
  const block = intAttribute(node, 'block_size', 128);
  const inputs = [integers, rowScales, rowZeros];
  to.add('Dequantize', node, inputs, [node.outputs[0]!], { axis: moved, block });
}

const shape: Rule = (op) => {
  const data = op.dims(0);
  const axis = op.axis('gather_axis', 0, data.length);
  // A byte of uint8 holds several integers.
  const each = op.isFourBits(0) ? 1 : 8 / op.int('bits', 4);
  const whole: Dim[] = data.with(-1, multiply(data.at(-1)!, each));
  const dims = [...whole.slice(0, axis), ...op.dims(1), ...whole.slice(axis + 1)];
  return [{ dtype: op.dtype(2), dims }];
};

const types: readonly DTypeName[] = ['uint8', 'int8'];

export const gatherBlockQuantizedFamily: OperatorFamily = {
  model: {
    'com.microsoft.GatherBlockQuantized': {
      shape,
      lower,
      types,
      limits: 'constant weights of 2, 4 or 8 bits',
    },
  },
  program: {},
};
