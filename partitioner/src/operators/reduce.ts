import {
  dtypeBytes,
  elementCount,
  numbers,
  type DTypeName,
  type ReduceName,
  type UnaryName,
} from '@canopy/protocol';
import { reduceWork } from '../cost/work/reduce.js';
import { plainWork } from '../cost/work/work.js';
import { intAttribute, type GraphNode } from '../graph/graph.js';
import { epilogue, type Lower, type Lowering } from '../graph/lower/lowering.js';
import { along } from '../graph/rows/rows.js';
import { mixing, type RowRule } from '../graph/rows/rule.js';
import { product, type Dim } from '../graph/shapes/dim.js';
import { fromFront } from '../graph/shapes/facts.js';
import type { Rule } from '../graph/shapes/operation.js';
import { reduced } from '../graph/shapes/reduced.js';
import type { ModelOperator, NodeAt, OperatorFamily } from './operator.js';

/** Reduces a value to another; axes and the rest are those of the node. */
function reduceTo(
  node: GraphNode,
  to: Lowering,
  kind: ReduceName,
  input: string,
  output: string,
  keepDims = intAttribute(node, 'keepdims', 1) === 1,
): void {
  const axes = to.constantInts(node, 1, 'axes');
  const noop = intAttribute(node, 'noop_with_empty_axes', 0) === 1;
  if (axes === undefined && (node.inputs[1] ?? '') !== '') {
    to.add('ReduceOver', node, [input, node.inputs[1]!], [output], { kind, keepDims, noop });
    return;
  }
  if ((axes ?? []).length === 0 && noop) {
    to.add('Identity', node, [input], [output], {});
    return;
  }
  const rank = to.rank(node.inputs[0]!);
  const all = (axes ?? []).map((axis) => to.axis(axis, rank));
  to.add('Reduce', node, [input], [output], { kind, keepDims, axes: all });
}

function lower(kind: ReduceName): Lower {
  return (node, to) => {
    to.requireType(node.inputs[0]!, ...reduceTypes(kind));
    reduceTo(node, to, kind, node.inputs[0]!, node.outputs[0]!);
  };
}

/** A function of each element. */
function each(
  node: GraphNode,
  to: Lowering,
  kind: UnaryName,
  input: string,
  output?: string,
): string {
  const result = output ?? to.temporary(`${node.name}/${kind}`, to.dtype(input), to.dims(input));
  to.add('Unary', node, [input], [result], { kind, alpha: 0, beta: 0 });
  return result;
}

/** By way of f64 where an integer comes out. */
function l2(node: GraphNode, to: Lowering): void {
  const [input, output] = [node.inputs[0]!, node.outputs[0]!];
  const dtype = to.dtype(input);
  if (dtype === 'float32' || dtype === 'float64') {
    reduceTo(node, to, 'l2', input, output);
    return;
  }
  const wide = to.temporary(`${node.name}/wide`, 'float64', to.dims(input));
  const root = to.temporary(`${node.name}/root`, 'float64', to.dims(output));
  to.add('Cast', node, [input], [wide], { to: 'float64' });
  reduceTo(node, to, 'l2', wide, root);
  to.add('Cast', node, [root], [output], { to: dtype });
}

function l1(node: GraphNode, to: Lowering): void {
  reduceTo(node, to, 'sum', each(node, to, 'abs', node.inputs[0]!), node.outputs[0]!);
}

function logSum(node: GraphNode, to: Lowering): void {
  const output = node.outputs[0]!;
  const sum = to.temporary(`${node.name}/sum`, to.dtype(output), to.dims(output));
  reduceTo(node, to, 'sum', node.inputs[0]!, sum);
  each(node, to, 'log', sum, output);
}

/** The input's dimensions, 1 where they are reduced; as they are where that is computed. */
function keptDims(node: GraphNode, to: Lowering): readonly Dim[] {
  const dims = to.dims(node.inputs[0]!);
  if (intAttribute(node, 'keepdims', 1) === 1) return to.dims(node.outputs[0]!);
  const axes = to.constantInts(node, 1, 'axes');
  if (axes === undefined && (node.inputs[1] ?? '') !== '') return dims;
  const gone = new Set(axes?.map((axis) => to.axis(axis, dims.length)));
  return dims.map((dim, axis) => (gone.size === 0 || gone.has(axis) ? 1 : dim));
}

/** The largest is taken off before and added after, so that nothing overflows; infinite, it is not. */
function logSumExp(node: GraphNode, to: Lowering): void {
  const [input, output] = [node.inputs[0]!, node.outputs[0]!];
  const dtype = to.dtype(input);
  const dims = to.dims(input);
  const make = (name: string, like: readonly Dim[]): string =>
    to.temporary(`${node.name}/${name}`, dtype, like);
  const binary = (kind: 'sub' | 'add' | 'max' | 'min', a: string, b: string, result: string) => {
    to.add('Binary', node, [a, b], [result], { kind, epilogue: epilogue() });
    return result;
  };
  const line = keptDims(node, to);
  const kept = make('largest', line);
  reduceTo(node, to, 'max', input, kept, true);
  const bound = dtype === 'float32' ? largestFloat : Number.MAX_VALUE;
  const [low, high] = [-bound, bound].map((value) =>
    to.numbers(`${node.name}/bound`, dtype, [], [value]),
  ) as [string, string];
  const raised = binary('max', kept, low, make('raised', line));
  const finite = binary('min', raised, high, make('finite', line));
  const less = binary('sub', input, finite, make('less', dims));
  const sum = make('sum', line);
  reduceTo(node, to, 'sum', each(node, to, 'exp', less), sum, true);
  const whole = binary('add', each(node, to, 'log', sum), finite, make('whole', line));
  // One element along each axis is left: their sum is that element.
  reduceTo(node, to, 'sum', whole, output);
}

/** The product of a whole list of known numbers: how exporters count elements. */
const reduceProduct: Rule = (op) => {
  const facts = reduced(op);
  const values = op.facts(0).values;
  const whole = facts.dims.every((dim) => dim === 1);
  if (!whole || !values?.every((value) => value !== undefined)) return [facts];
  return [{ ...facts, values: [product(values)] }];
};

const floats: readonly DTypeName[] = ['float32', 'float64'];
/** Of which means are made. */
const means: readonly DTypeName[] = [...floats, 'int32', 'uint32', 'int64', 'uint64'];
const largestFloat = 3.4028234663852886e38;

const rows: RowRule<'Reduce'> = ({ first, attributes }) => {
  if (first.kind !== 'along') return first;
  const { axes, keepDims } = attributes;
  if (axes.length === 0 || axes.includes(first.axis)) return undefined;
  const gone = keepDims ? 0 : axes.filter((axis) => axis < first.axis).length;
  return along(first.axis - gone, first.outer, first.inner);
};

/** Runs of neighbouring axes go one after the other, the last first; all but the last to a temporary. */
function temporaries({ attributes, inputs, dtypes }: NodeAt<'Reduce'>): number[] {
  const dims = inputs[0]!;
  const axes = attributes.axes.map((axis) => fromFront(axis, dims.length));
  const reduced = dims.map((_, axis) => axes.length === 0 || axes.includes(axis));
  const size = dtypeBytes(dtypes[0]!);
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

function reduceTypes(kind: ReduceName): readonly DTypeName[] {
  if (kind === 'max' || kind === 'min') return [...numbers, 'bool'];
  return kind === 'mean' ? means : numbers;
}

function plain(kind: ReduceName, shape: Rule = (op) => [reduced(op)]): ModelOperator {
  return { shape, lower: lower(kind), types: reduceTypes(kind) };
}

function made(lower: Lower, types: readonly DTypeName[]): ModelOperator {
  return { shape: (op) => [reduced(op)], lower, types };
}

/** Instructions of an element that is no f32. */
const typedCost = 22;

function work(
  kind: ReduceName,
  input: readonly number[],
  axes: readonly number[],
  dtype: DTypeName,
) {
  return dtype === 'float32'
    ? reduceWork(kind, input, axes)
    : plainWork(elementCount(input) * typedCost);
}

export const reduceFamily: OperatorFamily = {
  model: {
    ReduceMean: plain('mean'),
    ReduceSum: plain('sum'),
    ReduceMax: plain('max'),
    ReduceMin: plain('min'),
    ReduceProd: plain('prod', reduceProduct),
    ReduceSumSquare: plain('sumSquare'),
    ReduceL1: made(l1, numbers),
    ReduceL2: made(l2, numbers),
    ReduceLogSum: made(logSum, floats),
    ReduceLogSumExp: made(logSumExp, floats),
  },
  program: {
    Reduce: {
      rows,
      work: ({ attributes, inputs, dtypes }) =>
        work(attributes.kind, inputs[0]!, attributes.axes, dtypes[0]!),
      temporaries,
    },
    ReduceOver: {
      rows: mixing,
      sizeInputs: [1],
      work: ({ attributes, inputs, dtypes }) => work(attributes.kind, inputs[0]!, [], dtypes[0]!),
    },
  },
};
