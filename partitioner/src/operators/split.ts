import type { BinaryName } from '@canopy/protocol';
import { type GraphNode, intAttribute } from '../graph/graph.js';
import { epilogue, type Lowering } from '../graph/lower/lowering.js';
import { add, floorDivide, multiply, quotient, sum } from '../graph/shapes/dim.js';
import type { Rule } from '../graph/shapes/operation.js';
import type { OperatorFamily } from './operator.js';

/** A slice for each output: of constant bounds where its size is known, else of computed ones. */
function lower(node: GraphNode, to: Lowering): void {
  const input = node.inputs[0]!;
  const axis = to.axis(intAttribute(node, 'axis', 0), to.rank(input));
  const whole = to.dims(input)[axis]!;
  const given = to.constantInts(node, 1, 'split');
  if (given === undefined && (node.inputs[1] ?? '') !== '') splitComputed(node, to, axis);
  else if (given !== undefined) splitAt(node, to, axis, given);
  else if (typeof whole === 'number') {
    const part = Math.ceil(whole / node.outputs.length);
    const lengths = node.outputs.map((_, index) => Math.min(part, whole - index * part));
    splitAt(node, to, axis, lengths);
  } else splitEvenly(node, to, axis);
}

/** Parts of constant sizes; a dimension that is open must be as large as they are together. */
function splitAt(node: GraphNode, to: Lowering, axis: number, lengths: readonly number[]): void {
  const total = lengths.reduce((sum, length) => sum + length, 0);
  const whole = to.dims(node.inputs[0]!)[axis]!;
  const input =
    typeof whole === 'number'
      ? node.inputs[0]!
      : checked(node, to, axis, to.ints(`${node.name}/total`, [total]));
  const axisName = to.ints(`${node.name}/axis`, [axis]);
  let start = 0;
  node.outputs.forEach((output, index) => {
    const end = start + lengths[index]!;
    if (output !== '') {
      const bounds = [[start], [end]].map((bound) => to.ints(`${node.name}/bound`, bound));
      to.add('Slice', node, [input, ...bounds, axisName], [output], {});
    }
    start = end;
  });
}

/** Parts of computed sizes; together they must be as large as the dimension. */
function splitComputed(node: GraphNode, to: Lowering, axis: number): void {
  const sizes = to.asInt64(node, node.inputs[1]!);
  const one = (name: string): string => to.temporary(`${node.name}/${name}`, 'int64', [1]);
  const total = one('total');
  to.add('Reduce', node, [sizes], [total], { kind: 'sum', keepDims: true, axes: [0] });
  const input = checked(node, to, axis, total);
  const axisName = to.ints(`${node.name}/axis`, [axis]);
  let start = to.ints(`${node.name}/start`, [0]);
  node.outputs.forEach((output, index) => {
    const [size, end] = [one('size'), one('end')];
    const place = to.ints(`${node.name}/place`, [index]);
    to.add('Gather', node, [sizes, place], [size], { axis: 0 });
    to.add('Binary', node, [start, size], [end], { kind: 'add', epilogue: epilogue() });
    if (output !== '') to.add('Slice', node, [input, start, end, axisName], [output], {});
    start = end;
  });
}

/** Parts of one size, which is computed from the size of the dimension. */
function splitEvenly(node: GraphNode, to: Lowering, axis: number): void {
  const count = node.outputs.length;
  const compute = (kind: BinaryName, left: string, by: number): string => {
    const result = to.temporary(`${node.name}/${kind}`, 'int64', [1]);
    const right = to.ints(`${node.name}/number`, [by]);
    to.add('Binary', node, [left, right], [result], { kind, epilogue: epilogue() });
    return result;
  };
  const size = to.temporary(`${node.name}/size`, 'int64', [1]);
  to.add('Shape', node, [node.inputs[0]!], [size], { start: axis, end: axis + 1 });
  const part = compute('div', compute('add', size, count - 1), count);
  // Before operator set 18 the parts must come out even.
  const input =
    to.opset < 18 ? checked(node, to, axis, compute('mul', part, count)) : node.inputs[0]!;
  const axisName = to.ints(`${node.name}/axis`, [axis]);
  const bound = (index: number): string =>
    index === 0 ? to.ints(`${node.name}/start`, [0]) : compute('mul', part, index);
  node.outputs.forEach((output, index) => {
    if (output === '') return;
    to.add('Slice', node, [input, bound(index), bound(index + 1), axisName], [output], {});
  });
}

/** The input, for which the worker makes sure that dimension `axis` is of this size. */
function checked(node: GraphNode, to: Lowering, axis: number, sizeName: string): string {
  const input = node.inputs[0]!;
  const dims = to.dims(input);
  // 0 in the shape of a Reshape is the size that stands there.
  const keep = (name: string, count: number): string[] =>
    count === 0 ? [] : [to.ints(`${node.name}/${name}`, Array<number>(count).fill(0))];
  const parts = [...keep('before', axis), sizeName, ...keep('after', dims.length - axis - 1)];
  let shape = sizeName;
  if (parts.length > 1) {
    shape = to.temporary(`${node.name}/shape`, 'int64', [dims.length]);
    to.add('Concat', node, parts, [shape], { axis: 0 });
  }
  const result = to.temporary(`${input}/whole`, to.dtype(input), dims);
  to.add('Reshape', node, [input, shape], [result], { allowZero: false });
  return result;
}

/** Parts of given sizes; of equal size, the last one smaller where that does not come out even. */
const shape: Rule = (op) => {
  const { dtype, dims, values } = op.facts(0);
  const axis = op.axis('axis', 0, dims.length);
  const whole = dims[axis]!;
  const computed = op.has(1) && !op.facts(1).values;
  const given = op.ints('split') ?? (op.has(1) ? op.facts(1).values : undefined);
  const count = op.outputs;
  const part = floorDivide(add(whole, count - 1), count);
  const exact = quotient(whole, count);
  if (given?.every((size) => size !== undefined)) op.requireSame(sum(given), whole);
  if (!given && !computed && op.opset < 18)
    op.requireSame(multiply(floorDivide(whole, count), count), whole);
  let start = 0;
  return op.node.outputs.map((_, output) => {
    const last = add(whole, multiply(part, 1 - count));
    const size = computed
      ? op.open(output, axis)
      : (given?.[output] ?? exact ?? (output < count - 1 ? part : last));
    const listed = values && dims.length === 1 && typeof size === 'number';
    const own = listed ? values.slice(start, (start += size)) : undefined;
    return { dtype, dims: dims.with(axis, size), ...(own && { values: own }) };
  });
};

export const splitFamily: OperatorFamily = {
  model: {
    Split: { shape, lower, types: ['any'] },
  },
  program: {},
};
