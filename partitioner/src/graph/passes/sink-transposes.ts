import { elementCount, dtypeBytes } from '@canopy/protocol';
import { allInts, constantBytes, intConstant, memoryConstant, type Constant } from '../constant.js';
import { permuted, type Program, type ProgramNode } from '../program.js';
import { addValue, addWeight, replaceNode } from './edit.js';
import { ProgramUses } from './uses.js';

/** Larger constants are not reordered. */
const largestConstantBytes = 1024 * 1024;

/** A node that works on the input of the transposes before it, and how its result is to be transposed. */
interface Sunk {
  inputs: string[];
  attributes: ProgramNode['attributes'];
  /** Of the new result; absent where the result needs none. */
  permutation: readonly number[];
}

/**
 * Moves transposes down: an operation on transposed values becomes the same operation on the values
 * themselves, its result transposed. On their way down transposes of several branches become one and
 * meet those before the next convolution, which undo them.
 */
export function sinkTransposes(program: Program): boolean {
  let changed = false;
  const uses = new ProgramUses(program);
  for (const node of [...program.nodes]) {
    const sunk = sink(program, uses, node);
    if (!sunk) continue;
    const output = node.outputs[0]!;
    const { dtype, shapes } = program.values.get(output)!;
    const inverse = inverseOf(sunk.permutation);
    const result = addValue(program, `${output}/moved`, dtype, permuted(shapes, inverse));
    const { inputs, attributes } = sunk;
    const moved = { ...node, inputs, outputs: [result], attributes } as ProgramNode;
    const transpose: ProgramNode = {
      op: 'Transpose',
      name: node.name,
      inputs: [result],
      outputs: [output],
      attributes: { permutation: sunk.permutation },
    };
    replaceNode(program, node, moved, transpose);
    uses.replaced(node, moved, transpose);
    changed = true;
  }
  return changed;
}

function inverseOf(permutation: readonly number[]): number[] {
  const inverse: number[] = [];
  permutation.forEach((axis, index) => {
    inverse[axis] = index;
  });
  return inverse;
}

function sink(program: Program, uses: ProgramUses, node: ProgramNode): Sunk | undefined {
  const before = node.inputs.map((input) => uses.producer(input));
  const first = before.find((producer) => producer?.op === 'Transpose');
  if (first?.op !== 'Transpose') return undefined;
  const { permutation } = first.attributes;
  const source = first.inputs[0]!;
  const firstIsData = before[0] === first;
  switch (node.op) {
    case 'Unary':
    case 'Cast':
      return { inputs: [source], attributes: node.attributes, permutation };
    case 'Binary':
    case 'Where': {
      const inputs = node.inputs.map((input) => untransposed(program, uses, input, permutation));
      if (inputs.includes(undefined)) return undefined;
      return { inputs: inputs as string[], attributes: node.attributes, permutation };
    }
    case 'QuantizedBinary': {
      const inputs = node.inputs.map((input, index) =>
        index < 2 ? untransposed(program, uses, input, permutation) : input,
      );
      if (inputs.includes(undefined)) return undefined;
      return { inputs: inputs as string[], attributes: node.attributes, permutation };
    }
    case 'Quantize':
    case 'Dequantize': {
      if (!firstIsData || node.attributes.block !== 0) return undefined;
      const inputs = [source, ...node.inputs.slice(1)];
      const axis = permutation[node.attributes.axis]!;
      return { inputs, attributes: { ...node.attributes, axis }, permutation };
    }
    case 'Concat': {
      const inputs = node.inputs.map((input) => untransposed(program, uses, input, permutation));
      if (inputs.includes(undefined)) return undefined;
      const axis = permutation[node.attributes.axis]!;
      return { inputs: inputs as string[], attributes: { axis }, permutation };
    }
    case 'Softmax': {
      const { axis } = node.attributes;
      // Kernels want the axis last.
      if (permutation[axis] !== permutation.length - 1 && axis === permutation.length - 1) {
        return undefined;
      }
      return { inputs: [source], attributes: { axis: permutation[axis]! }, permutation };
    }
    case 'Reduce': {
      const { axes, keepDims } = node.attributes;
      if (axes.length === 0) return undefined;
      const moved = axes.map((axis) => permutation[axis]!);
      return {
        inputs: [source],
        attributes: { ...node.attributes, axes: moved },
        permutation: keepDims ? permutation : without(permutation, new Set(axes)),
      };
    }
    case 'Resize': {
      if (!firstIsData) return undefined;
      const axes = node.attributes.axes.map((axis) => permutation[axis]!);
      const inputs = [source, ...node.inputs.slice(1)];
      return { inputs, attributes: { ...node.attributes, axes }, permutation };
    }
    case 'Slice': {
      if (!firstIsData) return undefined;
      const given = node.inputs[3] ?? '';
      const starts = program.values.get(node.inputs[1]!)!.shapes.dims[0];
      const axes =
        given !== ''
          ? constantInts(program, given)
          : typeof starts === 'number'
            ? [...Array(starts).keys()]
            : undefined;
      if (!axes) return undefined;
      const moved = movedAxes(axes, permutation);
      const axesName = intsWeight(program, `${node.name}/axes`, moved);
      const inputs = [source, node.inputs[1]!, node.inputs[2]!, axesName, ...node.inputs.slice(4)];
      return { inputs, attributes: node.attributes, permutation };
    }
    case 'Squeeze': {
      const axes = firstIsData ? constantInts(program, node.inputs[1] ?? '') : undefined;
      if (!axes) return undefined;
      const positive = axes.map((axis) => (axis < 0 ? axis + permutation.length : axis));
      const moved = movedAxes(axes, permutation);
      return {
        inputs: [source, intsWeight(program, `${node.name}/axes`, moved)],
        attributes: node.attributes,
        permutation: without(permutation, new Set(positive)),
      };
    }
    default:
      return undefined;
  }
}

function movedAxes(axes: readonly number[], permutation: readonly number[]): number[] {
  return axes.map((axis) => permutation[axis < 0 ? axis + permutation.length : axis]!);
}

/** What is left of a permutation when some dimensions of its result are left out. */
function without(permutation: readonly number[], left: ReadonlySet<number>): number[] {
  const kept = permutation.filter((_, index) => !left.has(index));
  const order = [...kept].sort((a, b) => a - b);
  return kept.map((axis) => order.indexOf(axis));
}

function constantInts(program: Program, name: string): number[] | undefined {
  const weight = program.values.get(name)?.weight;
  if (weight?.kind !== 'plain') return undefined;
  const { constant } = weight;
  return constant.dtype === 'int64' || constant.dtype === 'int32' ? allInts(constant) : undefined;
}

function intsWeight(program: Program, base: string, values: readonly number[]): string {
  return addWeight(program, base, {
    kind: 'plain',
    constant: intConstant([values.length], values),
  });
}

/** The value whose transpose is `name`: what was transposed, or a constant in another order. */
function untransposed(
  program: Program,
  uses: ProgramUses,
  name: string,
  permutation: readonly number[],
): string | undefined {
  const producer = uses.producer(name);
  if (producer?.op === 'Transpose') {
    const same = producer.attributes.permutation.every(
      (axis, index) => axis === permutation[index],
    );
    return same && producer.attributes.permutation.length === permutation.length
      ? producer.inputs[0]
      : undefined;
  }
  const value = program.values.get(name);
  const dims = value?.shapes.dims ?? [];
  // One number is the same in any order.
  if (value && dims.length <= permutation.length && dims.every((dim) => dim === 1)) return name;
  const weight = value?.weight;
  if (weight?.kind !== 'plain') return undefined;
  const { constant } = weight;
  if (constant.dims.length > permutation.length) return undefined;
  if (constantBytes(constant) > largestConstantBytes) return undefined;
  const reordered = transposedConstant(constant, inverseOf(permutation));
  return addWeight(program, name, { kind: 'plain', constant: reordered });
}

/** A constant with its dimensions permuted; ones are put before them first where it has fewer. */
function transposedConstant(constant: Constant, permutation: readonly number[]): Constant {
  const rank = permutation.length;
  const dims = [...Array<number>(rank - constant.dims.length).fill(1), ...constant.dims];
  const size = dtypeBytes(constant.dtype);
  const source = constant.read(0, constantBytes(constant));
  const newDims = permutation.map((axis) => dims[axis]!);
  const strides = dims.map((_, axis) => elementCount(dims.slice(axis + 1)));
  const out = new Uint8Array(source.length);
  const index = new Array<number>(rank).fill(0);
  for (let at = 0; at < out.length; at += size) {
    let from = 0;
    for (let axis = 0; axis < rank; axis++) from += index[axis]! * strides[permutation[axis]!]!;
    out.set(source.subarray(from * size, (from + 1) * size), at);
    for (let axis = rank - 1; axis >= 0; axis--) {
      index[axis]!++;
      if (index[axis]! < newDims[axis]!) break;
      index[axis] = 0;
    }
  }
  return memoryConstant(constant.dtype, newDims, out);
}
