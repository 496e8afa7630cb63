import { dtypeBytes, type DTypeName, elementCount, type ReduceName } from '@canopy/protocol';
import { reduceWork } from '../cost/work/reduce.js';
import { intAttribute } from '../graph/graph.js';
import { type Lower, UnsupportedNode } from '../graph/lower/lowering.js';
import { along } from '../graph/rows/rows.js';
import type { RowRule } from '../graph/rows/rule.js';
import { product } from '../graph/shapes/dim.js';
import { fromFront } from '../graph/shapes/facts.js';
import type { Rule } from '../graph/shapes/operation.js';
import { reduced } from '../graph/shapes/reduced.js';
import type { ModelOperator, NodeAt, OperatorFamily } from './operator.js';

function lower(kind: ReduceName): Lower {
  const forIntegers = kind === 'sum' || kind === 'max' || kind === 'min' || kind === 'prod';
  return (node, to) => {
    to.requireType(
      node.inputs[0]!,
      'float32',
      ...(forIntegers ? (['int32', 'int64'] as const) : []),
    );
    const axes = to.constantInts(node, 1, 'axes');
    if (axes === undefined && (node.inputs[1] ?? '') !== '') {
      throw new UnsupportedNode('has computed axes', 'make its axes constant');
    }
    if ((axes ?? []).length === 0 && intAttribute(node, 'noop_with_empty_axes', 0) === 1) {
      to.add('Identity', node, [node.inputs[0]!], [node.outputs[0]!], {});
      return;
    }
    const rank = to.rank(node.inputs[0]!);
    to.add('Reduce', node, [node.inputs[0]!], [node.outputs[0]!], {
      kind,
      keepDims: intAttribute(node, 'keepdims', 1) === 1,
      axes: (axes ?? []).map((axis) => to.axis(axis, rank)),
    });
  };
}

/** The product of a whole list of known numbers: how exporters count elements. */
const reduceProduct: Rule = (op) => {
  const facts = reduced(op);
  const values = op.facts(0).values;
  const whole = facts.dims.every((dim) => dim === 1);
  if (!whole || !values?.every((value) => value !== undefined)) return [facts];
  return [{ ...facts, values: [product(values)] }];
};

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

const numbers: readonly DTypeName[] = ['float32', 'int32', 'int64'];

function plain(
  kind: ReduceName,
  types = numbers,
  shape: Rule = (op) => [reduced(op)],
): ModelOperator {
  return { shape, lower: lower(kind), types, limits: 'constant axes' };
}

export const reduceFamily: OperatorFamily = {
  model: {
    ReduceMean: plain('mean', ['float32']),
    ReduceSum: plain('sum'),
    ReduceMax: plain('max'),
    ReduceMin: plain('min'),
    ReduceProd: plain('prod', numbers, reduceProduct),
    ReduceSumSquare: plain('sumSquare', ['float32']),
    ReduceL2: plain('l2', ['float32']),
  },
  program: {
    Reduce: {
      rows,
      work: ({ attributes, inputs }) => reduceWork(attributes.kind, inputs[0]!, attributes.axes),
      temporaries,
    },
  },
};
