import {
  int4Block,
  int8DepthUnit,
  integerChannels,
  integerRowGroups,
  packedChannels,
  paddedDepth,
  type IntegerType,
  BinaryKind,
  dtypeBytes,
  elementCount,
  linearBlockRows,
  matMulBlockRows,
  depthPiece,
  singleRows,
} from '@canopy/protocol';
import { integerTypeOf, type Program, type ProgramNode } from '../graph/program.js';

/** The shape of a value at the rows that are planned for. */
export type ShapeOf = (name: string) => readonly number[];

/** Bytes of the floats of a panel, and of a vector. */
const panelBytes = 64;
const vectorBytes = 16;

/** Operations that write into their input's memory where nobody needs it any more. */
const inPlace = new Set<ProgramNode['op']>([
  'Unary',
  'Softmax',
  'LayerNorm',
  'Reshape',
  'Flatten',
  'Squeeze',
  'Unsqueeze',
  'Identity',
]);

/**
 * Inputs whose memory the node's result can take where nobody reads them later, the first choice first;
 * as `inputDies` and `takeOver` are used in `worker/assembly/ops`.
 */
export function takenOver(program: Program, node: ProgramNode, shapeOf: ShapeOf): string[] {
  const once = (name: string): boolean =>
    node.inputs.indexOf(name) === node.inputs.lastIndexOf(name);
  const [first, output] = [node.inputs[0]!, node.outputs[0]!];
  if (inPlace.has(node.op)) return [first].filter(once);
  if (node.op === 'Cast') {
    return [first].filter((name) => program.values.get(name)!.dtype === node.attributes.to);
  }
  if (node.op !== 'Binary') return [];
  const kind = BinaryKind[node.attributes.kind];
  if (kind >= BinaryKind.equal && kind <= BinaryKind.xor) return [];
  const wanted = shapeOf(output).join();
  return node.inputs.filter((name) => once(name) && shapeOf(name).join() === wanted);
}

/** Rows of an image's block in Conv and DepthwiseConv. */
function imageRows(height: number, width: number, channels: number): number {
  return Math.max(1, Math.min(height, Math.floor(linearBlockRows(channels) / width)));
}

/** Where a product's last columns do not fill a vector: a block of rows of one panel. */
function raggedBytes(rows: number, depth: number, columns: number): number[] {
  return columns % 4 === 0 ? [] : [Math.min(linearBlockRows(depth), rows) * panelBytes];
}

/** Quantized rows of a group, what their units stand for, and their sums. */
function integerBytes(type: IntegerType, rows: number, depth: number, columns: number): number[] {
  if (rows * columns * depth === 0) return [];
  const most = integerRowGroups(type, rows)[0]!.rows;
  const padded = paddedDepth(depth, type === 'int4' ? int4Block : int8DepthUnit);
  return [64 + most * (2 * padded + 4 * Math.min(packedChannels(columns), integerChannels))];
}

function convBytes(
  node: Extract<ProgramNode, { op: 'Conv' | 'DepthwiseConv' }>,
  shapeOf: ShapeOf,
): number[] {
  const { inChannels, outChannels, group, kernel, strides } = node.attributes;
  const [batch = 1, height = 1, width = 1] = shapeOf(node.outputs[0]!);
  const rows = imageRows(height, width, inChannels);
  if (node.op === 'DepthwiseConv') {
    return inChannels % 4 === 0 ? [] : [rows * width * vectorBytes];
  }
  const onePixel = [...kernel, ...strides].every((size) => size === 1) && group === 1;
  const [, givenHeight, givenWidth] = shapeOf(node.inputs[0]!);
  if (onePixel && givenHeight === height && givenWidth === width) {
    return raggedBytes(batch * height * width, inChannels, outChannels);
  }
  return (outChannels / group) % 4 === 0 ? [] : [rows * width * panelBytes];
}

function matMulBytes(node: Extract<ProgramNode, { op: 'MatMul' }>, shapeOf: ShapeOf): number[] {
  const { transA } = node.attributes;
  const [a, b] = [shapeOf(node.inputs[0]!), shapeOf(node.inputs[1]!)];
  const output = shapeOf(node.outputs[0]!);
  const depth = a.at(transA ? -2 : -1) ?? 1;
  const columns = b.length === 1 ? 1 : output.at(-1)!;
  // One matrix on the right for all on the left: their rows are rows of one product.
  const rows =
    b.length <= 2 && !transA
      ? elementCount(a) / Math.max(depth, 1)
      : a.length === 1
        ? 1
        : (a.at(transA ? -1 : -2) ?? 1);
  const copied = transA ? [rows * depth * 4] : [];
  if (rows <= singleRows) return copied;
  const ragged = columns % 4 === 0 ? [] : [matMulBlockRows(depth, rows) * panelBytes];
  return [...copied, Math.min(depth, depthPiece) * panelBytes, ...ragged];
}

/** Runs of neighbouring axes go one after the other, the last first; all but the last to a temporary. */
function reduceBytes(
  node: Extract<ProgramNode, { op: 'Reduce' }>,
  program: Program,
  shapeOf: ShapeOf,
): number[] {
  const input = node.inputs[0]!;
  const dims = shapeOf(input);
  const axes = node.attributes.axes.map((axis) => (axis < 0 ? axis + dims.length : axis));
  const reduced = dims.map((_, axis) => axes.length === 0 || axes.includes(axis));
  const size = dtypeBytes(program.values.get(input)!.dtype);
  const left = [...dims];
  const runs: number[] = [];
  for (let axis = dims.length - 1; axis >= 0; axis--) {
    if (!reduced[axis]) continue;
    left[axis] = 1;
    if (axis === 0 || !reduced[axis - 1]) runs.push(elementCount(left) * size);
  }
  // Two temporaries take turns, each of the size of its first.
  return runs.slice(0, -1).slice(0, 2);
}

/** Memory that a node's kernel takes while it runs, one size for each block. */
export function temporaryBytes(node: ProgramNode, program: Program, shapeOf: ShapeOf): number[] {
  switch (node.op) {
    case 'Linear': {
      const { k, n } = node.attributes;
      const type = integerTypeOf(program, node);
      if (type) return integerBytes(type, elementCount(shapeOf(node.outputs[0]!)) / n, k, n);
      return raggedBytes(elementCount(shapeOf(node.outputs[0]!)) / n, k, n);
    }
    case 'Conv':
    case 'DepthwiseConv':
      return convBytes(node, shapeOf);
    case 'MatMul':
      return matMulBytes(node, shapeOf);
    case 'Reduce':
      return reduceBytes(node, program, shapeOf);
    default:
      return [];
  }
}
