import { elementCount } from '@canopy/protocol';
import { plainWork } from '../cost/work/work.js';
import { type GraphNode, intAttribute, intsAttribute, stringAttribute } from '../graph/graph.js';
import {
  channelBias,
  fixedSizes,
  kernelCount,
  reshaped,
  windowWords,
} from '../graph/lower/columns.js';
import { Compute } from '../graph/lower/compute.js';
import { type Lowering, UnsupportedNode } from '../graph/lower/lowering.js';
import { spatialWindow } from '../graph/lower/window.js';
import { keeps } from '../graph/rows/rule.js';
import { floorDivide, multiply, product } from '../graph/shapes/dim.js';
import type { Rule } from '../graph/shapes/operation.js';
import { shapeFrom } from '../graph/shapes/shape-from.js';
import { transposedPositions, windowSizes } from '../graph/shapes/window.js';
import type { OperatorFamily } from './operator.js';

const shape: Rule = (op) => {
  const [batch, , ...spatial] = op.dims(0);
  const [, perGroup, ...kernel] = op.dims(1);
  const outChannels = multiply(perGroup!, op.int('group', 1));
  const sizes = transposedPositions(op, spatial, windowSizes(op, spatial.length, kernel));
  return [{ dtype: op.dtype(0), dims: [batch!, outChannels, ...sizes] }];
};

/**
 * How the result lies to the windows' positions along a dimension: `positions * factor + offset` elements,
 * of which `before` are cut off in front.
 */
interface Extent {
  factor: number;
  offset: number;
  before: number;
  behind: number;
}

function extents(node: GraphNode, to: Lowering): Extent[] {
  const weight = to.dims(node.inputs[1]!);
  const { kernel, strides, dilations, pads } = spatialWindow(node, to, fixedSizes(weight.slice(2)));
  const auto = stringAttribute(node, 'auto_pad', 'NOTSET');
  const wanted = intsAttribute(node, 'output_shape')?.slice(-kernel.length);
  const extra = intsAttribute(node, 'output_padding') ?? [];
  const sizes = to.dims(node.inputs[0]!).slice(2);
  return kernel.map((size, axis) => {
    const stride = strides[axis]!;
    const field = (size - 1) * dilations[axis]! + 1;
    const whole = field + (extra[axis] ?? 0) - stride;
    if (!wanted && !auto.startsWith('SAME')) {
      const [before, behind] = [pads[axis]!, pads[axis + kernel.length]!];
      return { factor: stride, offset: whole - before - behind, before, behind };
    }
    // A result of a given size: what is too much is cut off on both sides.
    let total = whole;
    if (wanted) {
      const given = sizes[axis]!;
      if (typeof given !== 'number') {
        throw new UnsupportedNode('has a fixed output_shape for open sizes', 'give pads instead');
      }
      total = given * stride + whole - wanted[axis]!;
    }
    const cut = Math.max(0, total);
    const less = Math.floor(cut / 2);
    const before = auto === 'SAME_UPPER' ? less : cut - less;
    return { factor: stride, offset: whole - total, before, behind: cut - before };
  });
}

/** Each pixel times the filter is a column; columns are added up where their windows lie. */
function lower(node: GraphNode, to: Lowering): void {
  const [input, weight, bias] = node.inputs as [string, string, string?];
  to.requireType(input, 'float32');
  const [inChannels, perGroup, ...kernel] = fixedSizes(to.dims(weight)) as [number, number];
  const group = intAttribute(node, 'group', 1);
  const [batch, , ...sizes] = to.dims(input);
  const window = spatialWindow(node, to, kernel);
  const taps = kernelCount(window);
  const pixels = product(sizes);
  const output = node.outputs[0]!;
  const spatial = sizes.length;
  const compute = new Compute(node, to);
  const perPixel = inChannels / group;
  const grouped = compute.reshape(
    input,
    [0, group, perPixel, -1],
    [batch!, group, perPixel, pixels],
  );
  const matrix = reshaped(node, to, weight, [group, perPixel, perGroup * taps]);
  const parts = to.temporary(`${node.name}/parts`, 'float32', [
    batch!,
    group,
    perGroup * taps,
    pixels,
  ]);
  to.add('MatMul', node, [matrix, grouped], [parts], { transA: true, transB: false, alpha: 1 });
  const depth = group * perGroup * taps;
  const columns = compute.reshape(parts, [0, depth, -1], [batch!, depth, pixels]);

  const found = extents(node, to);
  const positions = compute.shapeOf(input, 2, spatial + 2);
  const list = (name: string, key: 'factor' | 'offset'): string =>
    to.ints(
      `${node.name}/${name}`,
      found.map((extent) => extent[key]),
    );
  const scaled = compute.binary('mul', positions, list('factors', 'factor'));
  const imageSizes = compute.binary('add', scaled, list('offsets', 'offset'));

  const pads = [...found.map(({ before }) => before), ...found.map(({ behind }) => behind)];
  const [added] = channelBias(node, to, bias, spatial);
  const sum = added ? to.temporary(`${node.name}/sum`, 'float32', to.dims(output)) : output;
  to.add('Col2Im', node, [columns, imageSizes, positions], [sum], {
    window: windowWords({ ...window, pads }),
  });
  if (added) compute.binary('add', sum, added, output);
}

const col2ImShape: Rule = (op) => {
  const [batch, depth] = op.dims(0);
  const block = op.facts(2).values;
  const known = block?.every((size) => size !== undefined);
  const channels = known ? floorDivide(depth!, product(block)) : op.open(0, 1);
  const sizes = shapeFrom(op, 1).map((size, axis) =>
    op.facts(1).values?.[axis] === undefined ? op.open(0, axis + 2) : size,
  );
  return [{ dtype: op.dtype(0), dims: [batch!, channels, ...sizes] }];
};

function lowerCol2Im(node: GraphNode, to: Lowering): void {
  const given = to.constantInts(node, 2);
  const rank = to.dims(node.inputs[2]!)[0];
  if (typeof rank !== 'number') {
    throw new UnsupportedNode('has a block_shape of open length', 'fix its length in the model');
  }
  const kernel = given ?? Array<number>(rank).fill(1);
  const computed = given ? [] : ['', node.inputs[2]!];
  const filled = (name: string, value: number, count = kernel.length): number[] => [
    ...(intsAttribute(node, name) ?? Array<number>(count).fill(value)),
  ];
  to.add('Col2Im', node, [...node.inputs.slice(0, 2), ...computed], [node.outputs[0]!], {
    window: windowWords({
      kernel: [...kernel],
      strides: filled('strides', 1),
      pads: filled('pads', 0, 2 * kernel.length),
      dilations: filled('dilations', 1),
    }),
  });
}

export const convTransposeFamily: OperatorFamily = {
  model: {
    Col2Im: { shape: col2ImShape, lower: lowerCol2Im, types: ['float32'] },
    ConvTranspose: { shape, lower, types: ['float32'], limits: 'filter of fixed sizes' },
  },
  program: {
    Col2Im: {
      rows: keeps((axis) => axis === 0),
      sizeInputs: [1, 2, 3],
      work: ({ attributes, inputs, outputs }) => {
        const [columns] = inputs as [readonly number[]];
        const count = elementCount(columns);
        const rank = attributes.window.length / 5;
        const unit = attributes.window[2 * rank - 1] === 1;
        const lines =
          (count / Math.max(1, columns[2]!)) * Math.max(1, columns[2]! ** (1 - 1 / rank));
        return plainWork(elementCount(outputs[0]!) + count * (unit ? 4 : 11) + lines * 250);
      },
    },
  },
};
