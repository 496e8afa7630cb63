import { dtypeBytes, elementCount, type ReduceName } from '@canopy/protocol';
import {
  integerTypeOf,
  shapeAt,
  type Program,
  type ProgramNode,
  type Window,
} from '../../graph/program.js';
import { convWork, depthwiseWork, imageOf, poolWork } from './convolution.js';
import { activationWork, binaryEpilogueWork, binaryWork, epilogueWork } from './elementwise.js';
import { lanesWork, panelWidths, productWork } from './gemm.js';
import { integerWork } from './integer.js';
import { broadcastWalk, copyWork, permutedSteps, stepsOf, stridedWork } from './strided.js';
import type { Work } from './work.js';

/** Multiply-adds of a node on so many rows; 0 for operations that are none. */
export function multiplyAdds(program: Program, node: ProgramNode, rows: number): number {
  const shape = (name: string): number[] => shapeAt(program.values.get(name)!.shapes, rows);
  switch (node.op) {
    case 'Linear':
      return elementCount(shape(node.outputs[0]!)) * node.attributes.k;
    case 'Conv':
    case 'DepthwiseConv': {
      const { kernel, inChannels, group } = node.attributes;
      return elementCount(shape(node.outputs[0]!)) * kernel[0] * kernel[1] * (inChannels / group);
    }
    case 'MatMul': {
      const depth = shape(node.inputs[0]!).at(node.attributes.transA ? -2 : -1)!;
      return elementCount(shape(node.outputs[0]!)) * depth;
    }
    default:
      return 0;
  }
}

/** Sizes before, at and after an axis. */
function around(dims: readonly number[], axis: number): [number, number, number] {
  return [elementCount(dims.slice(0, axis)), dims[axis] ?? 1, elementCount(dims.slice(axis + 1))];
}

/** Products of computed matrices: the right one is packed into panels first. */
function matMulWork(
  node: Extract<ProgramNode, { op: 'MatMul' }>,
  a: readonly number[],
  b: readonly number[],
  output: readonly number[],
): Work[] {
  const { transA, transB, alpha } = node.attributes;
  const depth = a.at(transA ? -2 : -1)!;
  const columns = output.at(-1)!;
  const shared = b.length <= 2 && !transA;
  const rows = shared ? elementCount(output) / columns : output.at(-2)!;
  const batches = elementCount(output) / (rows * columns);
  const each: Work[] = [{ kernel: 'product', counts: { product: 1 } }];
  if (rows <= 2 && transB) {
    // Four rows of the right matrix at a time, 16 numbers of each.
    const groups = rows * Math.floor(columns / 4);
    const counts = {
      group: groups,
      turn: groups * Math.floor(depth / 16),
      rest: groups * (depth % 16),
      single: rows * (columns % 4) * depth,
      row: rows,
    };
    each.push({ kernel: 'dot', counts });
  } else if (rows <= 2) {
    const counts = {
      multiplyAdd4: rows * depth * Math.ceil(columns / 4),
      spread: rows * depth,
      column4: rows * Math.ceil(columns / 4),
      row: rows,
    };
    each.push({ kernel: 'rowTimesMatrix', counts });
  } else {
    const panels = Math.ceil(columns / 16);
    each.push(...productWork(rows, depth, columns));
    each.push({ kernel: 'packedPanel', counts: { panel: panels } });
    if (transB) each.push(...stridedWork([depth, columns], [1, depth], 'float32'));
    else {
      for (const { vectors, panels: count } of panelWidths(columns)) {
        each.push(
          lanesWork(
            count * depth,
            count > 1 || columns % 16 === 0 ? 16 : columns % 16 || vectors * 4,
          ),
        );
      }
    }
  }
  if (transA) each.push(...stridedWork([rows, depth], [1, rows], 'float32'));
  if (alpha !== 1) each.push(...activationWork('affine', rows * columns, false));
  return each.map(({ kernel, counts }) => ({
    kernel,
    counts: Object.fromEntries(
      Object.entries(counts).map(([name, count]) => [name, count * batches]),
    ),
  }));
}

/** Runs of neighbouring axes, the last first; each leaves what the next one reduces. */
function reduceWork(kind: ReduceName, input: readonly number[], axes: readonly number[]): Work[] {
  const reduced = new Set(axes.length > 0 ? axes : input.keys());
  const work: Work[] = [];
  let inner = 1;
  let count = elementCount(input);
  for (let at = input.length; at > 0;) {
    while (at > 0 && !reduced.has(at - 1)) inner *= input[--at]!;
    const end = at;
    while (at > 0 && reduced.has(at - 1)) at--;
    if (at === end) break;
    const size = elementCount(input.slice(at, end));
    const outer = elementCount(input.slice(0, at));
    count = outer * inner;
    const vectors = Math.floor(inner / 4);
    work.push(
      inner === 1
        ? {
            kernel: `reduceRow.${kind === 'max' || kind === 'min' ? 'max' : 'sum'}`,
            counts: { row: outer, turn: outer * Math.floor(size / 16), rest: outer * (size % 16) },
          }
        : {
            kernel: 'reduceColumns',
            counts: {
              outer,
              column: outer * (vectors + Number(inner % 4 > 0)),
              vector: outer * size * vectors,
              tail: outer * size * Number(inner % 4 > 0),
            },
          },
    );
  }
  if (kind === 'mean') work.push(...activationWork('affine', count, false));
  if (kind === 'l2') work.push(...activationWork('sqrt', count, false));
  return work;
}

/**
 * What a node does on so many rows: the operator's own steps, then its kernels.
 *
 * @param inPlace whether its first input is needed by no one else, so that its buffer can be taken over
 */
export function nodeWork(
  program: Program,
  node: ProgramNode,
  rows: number,
  inPlace = true,
): Work[] {
  return [
    { kernel: `op.${node.op}`, counts: { node: 1 } },
    ...kernelWork(program, node, rows, inPlace),
  ];
}

function kernelWork(program: Program, node: ProgramNode, rows: number, inPlace: boolean): Work[] {
  const value = (name: string) => program.values.get(name)!;
  const shape = (name: string): number[] => shapeAt(value(name).shapes, rows);
  const output = shape(node.outputs[0]!);
  const elements = elementCount(output);
  const inputs = node.inputs.map((name) => (name === '' ? [] : shape(name)));
  const input = inputs[0] ?? [];
  const dtype = node.inputs[0] ? value(node.inputs[0]).dtype : 'int64';
  const bytes = dtypeBytes(dtype);
  switch (node.op) {
    case 'Linear': {
      const { k, n, epilogue } = node.attributes;
      const type = integerTypeOf(program, node);
      const rows = n === 0 ? 0 : elements / n;
      const work = type ? integerWork(type, rows, k, n) : productWork(rows, k, n);
      return [...work, ...epilogueWork(epilogue, elements)];
    }
    case 'Conv':
      return [
        ...convWork(node.attributes, imageOf(input, output)),
        ...epilogueWork(node.attributes.epilogue, elements),
      ];
    case 'DepthwiseConv':
      return [
        ...depthwiseWork(node.attributes, imageOf(input, output)),
        ...epilogueWork(node.attributes.epilogue, elements),
      ];
    case 'MatMul':
      return matMulWork(node, input, inputs[1]!, output);
    case 'Binary': {
      const { kind, epilogue } = node.attributes;
      return [
        ...binaryWork(kind, output, inputs.slice(0, 2), dtype),
        ...binaryEpilogueWork(epilogue, elements),
      ];
    }
    case 'Unary':
      return activationWork(node.attributes.kind, elements, false);
    case 'Cast':
      return [{ kernel: `cast.${dtype}`, counts: { element: elements } }];
    case 'Softmax': {
      const [outer, size, inner] = around(output, node.attributes.axis);
      if (inner === 1) return [{ kernel: 'softmax', counts: rowCounts(outer, size) }];
      const columns = outer * Math.ceil(inner / 4);
      return [{ kernel: 'softmaxColumns', counts: { column: columns, vector: columns * size } }];
    }
    case 'LayerNorm': {
      const size = elementCount(output.slice(node.attributes.axis));
      const count = elements / Math.max(1, size);
      return [{ kernel: 'layerNorm', counts: rowCounts(count, size) }];
    }
    case 'Reduce':
      return reduceWork(node.attributes.kind, input, node.attributes.axes);
    case 'GlobalAveragePool': {
      const [batch = 1, height = 1, width = 1, channels = 1] = input;
      const window: Window = {
        kernel: [1, height * width],
        strides: [1, 1],
        pads: [0, 0, 0, 0],
        dilations: [1, 1],
      };
      const image = { batch, height: 1, width: height * width, outHeight: 1, outWidth: 1 };
      return poolWork('averagePool', window, image, channels);
    }
    case 'MaxPool':
    case 'AveragePool': {
      const kernel = node.op === 'MaxPool' ? 'maxPool' : 'averagePool';
      return poolWork(kernel, node.attributes, imageOf(input, output), output[3]!);
    }
    case 'Transpose':
      return stridedWork(output, permutedSteps(input, node.attributes.permutation), dtype);
    case 'Slice':
      return stridedWork(output, stepsOf(input), dtype);
    case 'Expand': {
      const steps = broadcastSteps(input, output);
      return stridedWork(output, steps, dtype);
    }
    case 'Gather': {
      const [outer, , inner] = around(input, node.attributes.axis);
      const indices = outer * elementCount(inputs[1]!);
      const single = inner * bytes === 4 || inner * bytes === 8;
      return single
        ? [{ kernel: 'rows.gatherOne', counts: { row: indices } }]
        : copyWork('gather', indices, inner * bytes);
    }
    case 'Concat':
      return inputs.flatMap((dims) => {
        const [outer, size, inner] = around(dims, node.attributes.axis);
        const part: Work = { kernel: 'concat', counts: { part: 1 } };
        return [part, ...copyWork('concat', outer, size * inner * bytes)];
      });
    case 'Where': {
      const dims = broadcastWalk(output, inputs);
      const inner = dims.at(-1)!.size;
      return [
        { kernel: 'where', counts: { element: elements, row: elements / Math.max(1, inner) } },
      ];
    }
    case 'Pad':
      return copyWork('strided', elementCount(output.slice(0, -1)), output.at(-1)! * bytes);
    case 'ConstantOfShape':
    case 'Range':
      return [{ kernel: 'fill', counts: { element: elements } }];
    case 'Reshape':
    case 'Squeeze':
    case 'Unsqueeze':
    case 'Flatten':
    case 'Identity':
      return inPlace ? [] : copyWork('strided', 1, elements * bytes);
    case 'Shape':
      return [];
  }
}

/** Rows that are gone over number by number, most of it in vectors. */
function rowCounts(rows: number, size: number): Record<string, number> {
  return {
    row: rows,
    turn: rows * Math.floor(size / 16),
    vector: rows * Math.floor(size / 4),
    rest: rows * (size % 16),
    tail: rows * (size % 4),
  };
}

/** Steps of an input, 0 where it is broadcast. */
function broadcastSteps(input: readonly number[], output: readonly number[]): number[] {
  const own = stepsOf(input);
  return output.map((size, axis) => {
    const at = axis - (output.length - input.length);
    return at < 0 || (input[at] === 1 && size !== 1) ? 0 : own[at]!;
  });
}
