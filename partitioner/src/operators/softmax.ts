import type { DTypeName } from '@canopy/protocol';
import { around, rowCounts } from '../cost/work/strided.js';
import { type GraphNode, intAttribute } from '../graph/graph.js';
import { epilogue, type Lowering } from '../graph/lower/lowering.js';
import { keeps } from '../graph/rows/rule.js';
import { product } from '../graph/shapes/dim.js';
import { fromFront } from '../graph/shapes/facts.js';
import { alongAxis } from '../graph/shapes/operation.js';
import type { OperatorFamily } from './operator.js';

/** Makes a result along an axis from a value. */
type Along = (input: string, output: string, axis: number) => void;

/** Before operator set 13, these operators work on all dimensions from `axis` on as one. */
function worked(node: GraphNode, to: Lowering, run: Along): void {
  const input = node.inputs[0]!;
  const output = node.outputs[0]!;
  const rank = to.rank(input);
  const axis = to.axis(intAttribute(node, 'axis', to.opset < 13 ? 1 : -1), rank);
  if (to.opset >= 13 || axis === rank - 1) {
    run(input, output, axis);
    return;
  }
  const dims = to.dims(input);
  const flat = [product(dims.slice(0, axis)), product(dims.slice(axis))];
  const flattened = to.temporary(`${node.name}/flat`, to.dtype(input), flat);
  const result = to.temporary(`${node.name}/result`, to.dtype(input), flat);
  const shape = to.temporary(`${node.name}/shape`, 'int64', [rank]);
  to.add('Flatten', node, [input], [flattened], { axis });
  run(flattened, result, 1);
  to.add('Shape', node, [input], [shape], { start: 0, end: 0x7fffffff });
  to.add('Reshape', node, [result, shape], [output], { allowZero: false });
}

/** Differences to the largest, and the sum of their exponentials. */
function exponentials(node: GraphNode, to: Lowering, input: string, axis: number) {
  const dtype = to.dtype(input);
  const dims = to.dims(input);
  const make = (name: string, like = dims): string =>
    to.temporary(`${node.name}/${name}`, dtype, like);
  const line = dims.with(axis, 1);
  const [largest, less, exp, sum] = [
    make('largest', line),
    make('less'),
    make('exp'),
    make('sum', line),
  ];
  to.add('Reduce', node, [input], [largest], { kind: 'max', keepDims: true, axes: [axis] });
  to.add('Binary', node, [input, largest], [less], { kind: 'sub', epilogue: epilogue() });
  to.add('Unary', node, [less], [exp], { kind: 'exp', alpha: 0, beta: 0 });
  to.add('Reduce', node, [exp], [sum], { kind: 'sum', keepDims: true, axes: [axis] });
  return { less, exp, sum, make, line };
}

function softmax(node: GraphNode, to: Lowering): void {
  worked(node, to, (input, output, axis) => {
    if (to.dtype(input) === 'float32') {
      to.add('Softmax', node, [input], [output], { axis });
      return;
    }
    const { exp, sum } = exponentials(node, to, input, axis);
    to.add('Binary', node, [exp, sum], [output], { kind: 'div', epilogue: epilogue() });
  });
}

function logSoftmax(node: GraphNode, to: Lowering): void {
  worked(node, to, (input, output, axis) => {
    const { less, sum, make, line } = exponentials(node, to, input, axis);
    const log = make('log', line);
    to.add('Unary', node, [sum], [log], { kind: 'log', alpha: 0, beta: 0 });
    to.add('Binary', node, [less, log], [output], { kind: 'sub', epilogue: epilogue() });
  });
}

/** 1 at the first largest element, 0 at all others. */
function hardmax(node: GraphNode, to: Lowering): void {
  worked(node, to, (input, output, axis) => {
    const dtype = to.dtype(input);
    const place = to.temporary(`${node.name}/place`, 'int64', to.dims(input).toSpliced(axis, 1));
    const size = to.temporary(`${node.name}/size`, 'int64', [1]);
    const values = to.numbers(`${node.name}/values`, dtype, [2], [0, 1]);
    const choice = { axis, largest: true, keepDims: false, last: false };
    to.add('ArgExtreme', node, [input], [place], choice);
    to.add('Shape', node, [input], [size], { start: axis, end: axis + 1 });
    to.add('OneHot', node, [place, size, values], [output], { axis });
  });
}

const types: readonly DTypeName[] = ['float32', 'float64'];

export const softmaxFamily: OperatorFamily = {
  model: {
    Softmax: { shape: alongAxis, lower: softmax, types },
    LogSoftmax: { shape: alongAxis, lower: logSoftmax, types },
    Hardmax: { shape: alongAxis, lower: hardmax, types },
  },
  program: {
    Softmax: {
      // A single column is summed in another order than several.
      rows: (step) => {
        const rank = step.dims(0).length;
        return keeps((axis) => axis < fromFront(step.attributes.axis, rank))(step);
      },
      work: ({ attributes, outputs }) => {
        const [outer, size, inner] = around(outputs[0]!, attributes.axis);
        if (inner === 1) return [{ kernel: 'softmax', counts: rowCounts(outer, size) }];
        const columns = outer * Math.ceil(inner / 4);
        return [{ kernel: 'softmaxColumns', counts: { column: columns, vector: columns * size } }];
      },
    },
  },
};
