import { type DTypeName, elementCount, type OpAttributes, type ReduceName } from '@canopy/protocol';
import { imageOf, poolWork } from '../cost/work/convolution.js';
import { plainWork, type Work } from '../cost/work/work.js';
import { floatAttribute, type GraphNode, intAttribute } from '../graph/graph.js';
import { axesFrom } from '../graph/lower/axes-from.js';
import { windowWords } from '../graph/lower/columns.js';
import { Compute } from '../graph/lower/compute.js';
import type { Lower, Lowering } from '../graph/lower/lowering.js';
import {
  channelsLast,
  spatialWindow,
  toChannelsFirst,
  toChannelsLast,
  windowOf,
} from '../graph/lower/window.js';
import type { Window } from '../graph/program.js';
import { eachImage } from '../graph/rows/rule.js';
import { globalPoolShape, poolShape, poolShapeChannelsLast } from '../graph/shapes/convolution.js';
import type { NodeAt, OperatorFamily } from './operator.js';

const poolTypes: readonly DTypeName[] = ['float32', 'int8', 'uint8'];

/**
 * Channels-last kernels have one or two dimensions, float32 or bytes, and no places. Largest floats of windows
 * with gaps are found another way: there onnxruntime keeps a NaN that stands first.
 */
function lower(kind: 'MaxPool' | 'AveragePool'): Lower {
  return (node, to) => {
    const input = node.inputs[0]!;
    const places = (node.outputs[1] ?? '') !== '';
    const rank = to.rank(input);
    const countIncludePad = intAttribute(node, 'count_include_pad', 0) === 1;
    const isFloat = to.dtype(input) === 'float32';
    const gaps = kind === 'MaxPool' && spatialWindow(node, to).dilations.some((by) => by !== 1);
    const known = kind === 'MaxPool' && poolTypes.includes(to.dtype(input));
    if (places || (gaps && isFloat) || rank > 4 || !(isFloat || known)) {
      const mean = countIncludePad ? 'meanWithPads' : 'mean';
      const outputs = places ? node.outputs.slice(0, 2) : [node.outputs[0]!];
      spatialPool(node, to, kind === 'MaxPool' ? 'max' : mean, [input], outputs);
      return;
    }
    const window = { ...windowOf(node, to), ceilMode: intAttribute(node, 'ceil_mode', 0) === 1 };
    const run = (image: string, result: string): void => {
      if (kind === 'MaxPool') to.add('MaxPool', node, [image], [result], window);
      else to.add('AveragePool', node, [image], [result], { ...window, countIncludePad });
    };
    channelsLast(node, to, run, poolTypes);
  };
}

function spatialPool(
  node: GraphNode,
  to: Lowering,
  kind: OpAttributes['SpatialPool']['kind'],
  inputs: string[],
  outputs: string[],
): void {
  if (kind !== 'max') to.requireType(inputs[0]!, 'float32');
  to.add('SpatialPool', node, inputs, outputs, {
    kind,
    ceilMode: intAttribute(node, 'ceil_mode', 0) === 1,
    columnMajor: intAttribute(node, 'storage_order', 0) === 1,
    window: windowWords(spatialWindow(node, to)),
  });
}

/** Of images [batch, ..., channels]. */
function nhwcMaxPool(node: GraphNode, to: Lowering): void {
  const [x, output] = [node.inputs[0]!, node.outputs[0]!];
  const rank = to.rank(x);
  if (rank <= 4) {
    const attributes = new Map(node.attributes).set('channels_last', { kind: 'int', value: 1 });
    const ceilMode = intAttribute(node, 'ceil_mode', 0) === 1;
    const window = windowOf({ ...node, attributes }, to);
    to.add('MaxPool', node, [x], [output], { ...window, ceilMode });
    return;
  }
  const compute = new Compute(node, to);
  const image = compute.transpose(x, toChannelsFirst(rank));
  const first = toChannelsFirst(rank).map((axis) => to.dims(output)[axis]!);
  const pooled = to.temporary(`${node.name}/pooled`, to.dtype(output), first);
  spatialPool({ ...node, inputs: [image] }, to, 'max', [image], [pooled]);
  compute.transpose(pooled, toChannelsLast(rank), output);
}

function globalAveragePool(node: GraphNode, to: Lowering): void {
  if (to.rank(node.inputs[0]!) !== 4) {
    reduced(node, to, 'mean', node.inputs[0]!, node.outputs[0]!);
    return;
  }
  channelsLast(node, to, (input, output) => {
    to.add('GlobalAveragePool', node, [input], [output], {});
  });
}

/** Over all dimensions behind the channels. */
function reduced(
  node: GraphNode,
  to: Lowering,
  kind: ReduceName,
  input: string,
  output: string,
): void {
  to.requireType(input, 'float32');
  new Compute(node, to).reduce(kind, input, axesFrom(2, to.rank(input)), output);
}

/** The p-th root of the sum of p-th powers of what `sum` adds up. */
function norm(sum: (node: GraphNode, to: Lowering, input: string, output: string) => void): Lower {
  return (node, to) => {
    const input = node.inputs[0]!;
    to.requireType(input, 'float32');
    const p = floatAttribute(node, 'p', intAttribute(node, 'p', 2));
    const output = node.outputs[0]!;
    const compute = new Compute(node, to);
    const size = compute.unary('abs', input);
    if (p === 1) {
      sum(node, to, size, output);
      return;
    }
    const powers = compute.binary('pow', size, compute.number(p));
    const sums = to.temporary(`${node.name}/sums`, 'float32', to.dims(output));
    sum(node, to, powers, sums);
    if (p === 2) compute.unary('sqrt', sums, output);
    else compute.binary('pow', sums, compute.number(1 / p), output);
  };
}

const lpPool = norm((node, to, input, output) => {
  spatialPool(node, to, 'sum', [input], [output]);
});
const globalLpPool = norm((node, to, input, output) => {
  reduced(node, to, 'sum', input, output);
});

const types: readonly DTypeName[] = ['float32'];

function windowWork(
  kernel: 'maxPool' | 'averagePool',
  node: NodeAt<'MaxPool' | 'AveragePool'>,
): Work[] {
  const [input, output] = [node.inputs[0]!, node.outputs[0]!];
  const isFloat = node.dtypes[0] === 'float32';
  const image = imageOf(input, output);
  return poolWork(isFloat ? kernel : `${kernel}.bytes`, node.attributes, image, output.at(-1)!);
}

/** All pixels in one window. */
function globalWork({ inputs }: NodeAt<'GlobalAveragePool'>): Work[] {
  const [batch = 1, height = 1, width = 1, channels = 1] = inputs[0]!;
  const window: Window = {
    kernel: [1, height * width],
    strides: [1, 1],
    pads: [0, 0, 0, 0],
    dilations: [1, 1],
  };
  const image = { batch, height: 1, width: height * width, outHeight: 1, outWidth: 1 };
  return poolWork('averagePool', window, image, channels);
}

export const poolFamily: OperatorFamily = {
  model: {
    MaxPool: {
      shape: poolShape,
      lower: lower('MaxPool'),
      types: ['float32', 'float64', 'int8', 'uint8'],
    },
    'com.microsoft.NhwcMaxPool': {
      shape: poolShapeChannelsLast,
      lower: nhwcMaxPool,
      types: ['int8', 'uint8'],
    },
    AveragePool: { shape: poolShape, lower: lower('AveragePool'), types },
    LpPool: { shape: poolShape, lower: lpPool, types },
    GlobalAveragePool: { shape: globalPoolShape, lower: globalAveragePool, types },
    GlobalMaxPool: {
      shape: globalPoolShape,
      lower: (node, to) => {
        reduced(node, to, 'max', node.inputs[0]!, node.outputs[0]!);
      },
      types,
    },
    GlobalLpPool: { shape: globalPoolShape, lower: globalLpPool, types },
  },
  program: {
    MaxPool: { rows: eachImage, work: (node) => windowWork('maxPool', node) },
    AveragePool: { rows: eachImage, work: (node) => windowWork('averagePool', node) },
    GlobalAveragePool: { rows: eachImage, work: globalWork },
    SpatialPool: {
      // Places count all images before their own.
      rows: ({ first, outputIndex }) =>
        first.kind === 'along' && (first.axis !== 0 || outputIndex > 0) ? undefined : first,
      work: ({ attributes, outputs }) => {
        const { window } = attributes;
        const taps = elementCount(window.slice(0, window.length / 5));
        const count = elementCount(outputs[0]!);
        const lines = count / Math.max(1, outputs[0]!.at(-1)!);
        const each = outputs.length > 1 ? 35 : 13;
        return plainWork(taps * (count * each + lines * 130) + count * 10);
      },
    },
  },
};
