import type { DTypeName } from '@canopy/protocol';
import { allFloats, allInts } from '../../constant.js';
import { add, maximum, multiply, product, quotient, floorDivide, sum, type Dim } from '../dim.js';
import { elements, fromFront, NotDerivable, type Facts } from '../facts.js';
import { likeFirst, type Operation, type Rule } from '../operation.js';
import { sliced } from './slice.js';

/** A list of known numbers. */
function listOf(values: readonly (Dim | undefined)[]): Facts {
  return { dtype: 'int64', dims: [values.length], values };
}

/** Facts of the first input in another shape: its elements stay in their order. */
function reshaped(op: Operation, dims: readonly Dim[]): Facts {
  const { dtype, values } = op.facts(0);
  return { dtype, dims, ...(values && { values }) };
}

const reshape: Rule = (op) => {
  const dims = op.dims(0);
  const total = elements(dims);
  const allowZero = op.int('allowzero', 0) === 1;
  const known = op.ints('shape') ?? op.facts(1).values;
  const rank = known?.length ?? op.dims(1)[0];
  if (typeof rank !== 'number') throw new NotDerivable('the number of dimensions is computed');
  const target = Array.from({ length: rank }, (_, axis) => {
    const size = known?.[axis];
    return size === 0 && !allowZero ? (dims[axis] ?? 0) : size;
  });
  // -1, or the only size that is not known, is what the others leave.
  const unknown = target.filter((size) => size === undefined);
  const rest = target.filter((size) => size !== undefined && size !== -1) as Dim[];
  const free = target.length - rest.length;
  const left = (): Dim => quotient(total, product(rest)) ?? floorDivide(total, product(rest));
  const result = target.map((size, axis) => {
    if (size !== undefined && size !== -1) return size;
    return free === 1 && product(rest) !== 0 ? left() : op.open(0, axis);
  });
  if (unknown.length === 0) op.requireSame(total, elements(result));
  return [reshaped(op, result)];
};

const shape: Rule = (op) => {
  const dims = op.dims(0);
  return [listOf(dims.slice(op.int('start', 0), op.int('end', dims.length)))];
};

/** Axes as an attribute until operator set 12, as an input since. */
const squeeze: Rule = (op) => {
  const dims = op.dims(0);
  const axes = op.numbersOf('axes', 1);
  if (!axes && !dims.every((dim) => typeof dim === 'number')) {
    throw new NotDerivable('which dimensions are 1 depends on the input');
  }
  const gone = new Set(axes?.map((axis) => op.fromFront(axis, dims.length)));
  const kept = dims.filter((dim, axis) => (axes ? !gone.has(axis) : dim !== 1));
  for (const axis of gone) op.requireSame(dims[axis]!, 1);
  return [reshaped(op, kept)];
};

const unsqueeze: Rule = (op) => {
  const axes = op.numbersOf('axes', 1) ?? [];
  const rank = op.rank(0) + axes.length;
  const added = new Set(axes.map((axis) => op.fromFront(axis, rank)));
  if (added.size < axes.length) throw op.badModel(`names an axis twice: ${axes.join(', ')}`);
  const dims = [...op.dims(0)];
  const result = Array.from({ length: rank }, (_, axis) => (added.has(axis) ? 1 : dims.shift()!));
  return [reshaped(op, result)];
};

const flatten: Rule = (op) => {
  const dims = op.dims(0);
  const axis = op.axis('axis', 1, dims.length, dims.length);
  return [reshaped(op, [product(dims.slice(0, axis)), product(dims.slice(axis))])];
};

const transpose: Rule = (op) => {
  const dims = op.dims(0);
  const order = op.ints('perm') ?? dims.map((_, axis) => dims.length - 1 - axis);
  if (order.length !== dims.length || !dims.every((_, axis) => order.includes(axis))) {
    throw op.badModel(`puts ${dims.length} dimensions in the order ${order.join(', ')}`);
  }
  const { values } = op.facts(0);
  const keepsOrder = values && dims.length < 2;
  return [
    { dtype: op.dtype(0), dims: order.map((axis) => dims[axis]!), ...(keepsOrder && { values }) },
  ];
};

const concat: Rule = (op) => {
  const parts = op.node.inputs.map((_, input) => op.facts(input));
  const axis = op.axis('axis', 0, op.rank(0));
  const dims = op.dims(0).with(axis, sum(parts.map((part) => part.dims[axis]!)));
  for (const part of parts) {
    part.dims.forEach((dim, at) => {
      if (at !== axis) op.requireSame(dim, dims[at]!);
    });
  }
  const listed = dims.length === 1 && parts.some(({ values }) => values);
  if (!listed || !parts.every((part) => typeof part.dims[0] === 'number')) {
    return [{ dtype: op.dtype(0), dims }];
  }
  const values = parts.flatMap(
    (part) => part.values ?? Array<undefined>(part.dims[0] as number).fill(undefined),
  );
  return [{ dtype: op.dtype(0), dims, values }];
};

/** Parts of given sizes; of equal size, the last one smaller where that does not come out even. */
const split: Rule = (op) => {
  const { dtype, dims, values } = op.facts(0);
  const axis = op.axis('axis', 0, dims.length);
  const whole = dims[axis]!;
  const given = op.ints('split') ?? (op.has(1) ? op.values(1) : undefined);
  const count = op.outputs;
  const part = floorDivide(add(whole, count - 1), count);
  const exact = quotient(whole, count);
  if (given?.every((size) => size !== undefined)) op.requireSame(sum(given), whole);
  if (!given && op.opset < 18) op.requireSame(multiply(floorDivide(whole, count), count), whole);
  let start = 0;
  return op.node.outputs.map((_, output) => {
    const last = add(whole, multiply(part, 1 - count));
    const size = given?.[output] ?? exact ?? (output < count - 1 ? part : last);
    const listed = values && dims.length === 1 && typeof size === 'number';
    const own = listed ? values.slice(start, (start += size)) : undefined;
    return { dtype, dims: dims.with(axis, size), ...(own && { values: own }) };
  });
};

const slice: Rule = (op) => [sliced(op)];

const gather: Rule = (op) => {
  const data = op.facts(0);
  const axis = op.axis('axis', 0, data.dims.length);
  const indices = op.facts(1);
  const dims = [...data.dims.slice(0, axis), ...indices.dims, ...data.dims.slice(axis + 1)];
  const whole = data.dims[axis]!;
  const numbers = (indices.values ?? []).filter((index) => typeof index === 'number');
  const most = Math.max(0, ...numbers.map((index) => (index < 0 ? -index : index + 1)));
  const left = `dimension ${axis} of its input`;
  op.requireAtLeast(whole, most, { left, right: 'so that its indices lie inside' });
  if (!data.values || data.dims.length !== 1 || !indices.values) {
    return [{ dtype: data.dtype, dims }];
  }
  const list = data.values;
  const values = indices.values.map((index) =>
    typeof index === 'number' ? list[fromFront(index, list.length)] : undefined,
  );
  return [{ dtype: data.dtype, dims, values }];
};

/** Target sizes of Expand: a size of the input that is 1 takes the target's, and the other way round. */
const expand: Rule = (op) => {
  const length = op.dims(1)[0];
  if (typeof length !== 'number') throw new NotDerivable('the number of dimensions is computed');
  const rank = Math.max(op.rank(0), length);
  const target = op.facts(1).values;
  const input = op.dims(0);
  const dims = Array.from({ length: rank }, (_, axis) => {
    const own = input[axis - rank + input.length] ?? 1;
    const at = axis - rank + length;
    const wanted = at < 0 ? 1 : target?.[at];
    if (wanted !== undefined) return op.broadcastSizes(own, wanted);
    return typeof own === 'number' && own !== 1 ? own : op.open(0, axis);
  });
  const { dtype, values } = op.facts(0);
  const first = values?.length === 1 ? values[0] : undefined;
  const count = product(dims);
  if (first === undefined || typeof count !== 'number' || count > 1024) return [{ dtype, dims }];
  return [{ dtype, dims, values: Array<Dim>(count).fill(first) }];
};

/** Sizes of an output whose shape is an input, its known elements as they are. */
function shapeFrom(op: Operation, input: number): Dim[] {
  const [rank] = op.dims(input);
  if (typeof rank !== 'number') throw new NotDerivable('the number of dimensions is computed');
  const { values } = op.facts(input);
  return Array.from({ length: rank }, (_, axis) => values?.[axis] ?? op.open(0, axis));
}

const constantOfShape: Rule = (op) => {
  const value = op.attribute('value');
  const constant = value?.kind === 'tensor' ? value.value : undefined;
  const dims = shapeFrom(op, 0);
  const dtype = constant?.dtype ?? 'float32';
  const count = product(dims);
  const isWhole = dtype === 'int64' || dtype === 'int32';
  if (!isWhole || typeof count !== 'number' || count > 1024) return [{ dtype, dims }];
  const [number = 0] = constant ? allInts(constant) : [0];
  return [{ dtype, dims, values: Array<Dim>(count).fill(number) }];
};

const range: Rule = (op) => {
  const dtype = op.dtype(0);
  const [start, limit, delta] = [0, 1, 2].map((input) => op.facts(input).values?.[0]);
  if (start === undefined || limit === undefined || typeof delta !== 'number' || delta === 0) {
    return [{ dtype, dims: [op.open(0, 0)] }];
  }
  const span = add(limit, multiply(start, -1));
  const [length, step] = delta > 0 ? [span, delta] : [multiply(span, -1), -delta];
  const count = floorDivide(add(length, step - 1), step);
  const size = maximum(count, 0);
  if (typeof size !== 'number' || size > 1024) return [{ dtype, dims: [size] }];
  const values = Array.from({ length: size }, (_, index) => add(start, index * delta));
  return [{ dtype, dims: [size], values }];
};

/** Pads before each axis, then after each; since operator set 18 only for the axes named. */
const pad: Rule = (op) => {
  const dims = op.dims(0);
  const pads = op.ints('pads') ?? op.facts(1).values;
  const axes = op.has(3) ? op.numbers(3).map((axis) => op.fromFront(axis, dims.length)) : undefined;
  const reflects = op.string('mode', 'constant') === 'reflect';
  const padded = axes ?? dims.map((_, axis) => axis);
  const result = dims.map((dim, axis) => {
    const at = padded.indexOf(axis);
    if (at < 0) return dim;
    const [before, after] = [pads?.[at], pads?.[at + padded.length]];
    for (const size of reflects ? [before, after] : []) {
      if (size === undefined || size === 0) continue;
      const what = {
        left: `dimension ${axis} of its input`,
        right: 'so that there is enough to reflect',
      };
      op.requireAtLeast(dim, add(size, 1), what);
    }
    return before === undefined || after === undefined
      ? op.open(0, axis)
      : sum([dim, before, after]);
  });
  return [{ dtype: op.dtype(0), dims: result }];
};

const tile: Rule = (op) => {
  const repeats = op.facts(1).values;
  const dims = op.dims(0).map((dim, axis) => {
    const times = repeats?.[axis];
    return times === undefined ? op.open(0, axis) : multiply(dim, times);
  });
  return [{ dtype: op.dtype(0), dims }];
};

/** A constant from an attribute other than a tensor. */
const constant: Rule = (op) => {
  for (const [name, { kind, ...attribute }] of op.node.attributes) {
    const value = (attribute as { value?: unknown }).value;
    const list = (Array.isArray(value) ? value : [value]) as number[];
    const dims = name.endsWith('s') ? [list.length] : [];
    if (kind === 'int' || kind === 'ints') return [{ dtype: 'int64', dims, values: list }];
    if (kind === 'float' || kind === 'floats') return [{ dtype: 'float32', dims }];
  }
  const tensor = op.attribute('value');
  if (tensor?.kind !== 'tensor') throw new NotDerivable('it holds no numbers');
  const { dtype, dims } = tensor.value;
  return [{ dtype, dims }];
};

/** Most elements of an f32 constant that are followed: factors of sizes, not weights. */
const mostFloats = 16;

/** Whole numbers of a small constant, a bool as 0 or 1, an f32 where it is whole. */
export function constantFacts(value: {
  dtype: DTypeName;
  dims: readonly number[];
  read(start: number, length: number): Uint8Array;
}): Facts {
  const { dtype, dims } = value;
  const count = dims.reduce((total, dim) => total * dim, 1);
  if (count > 1024) return { dtype, dims };
  if (dtype === 'int64' || dtype === 'int32') return { dtype, dims, values: allInts(value) };
  if (dtype === 'bool') return { dtype, dims, values: [...value.read(0, count)] };
  if (dtype !== 'float32' || count > mostFloats) return { dtype, dims };
  const values = Array.from(allFloats(value), (number) =>
    Number.isSafeInteger(number) ? number : undefined,
  );
  return { dtype, dims, values };
}

export const shapes: Record<string, Rule> = {
  Reshape: reshape,
  Shape: shape,
  Size: (op) => [{ dtype: 'int64', dims: [], values: [elements(op.dims(0))] }],
  Squeeze: squeeze,
  Unsqueeze: unsqueeze,
  Flatten: flatten,
  Transpose: transpose,
  Concat: concat,
  Split: split,
  Slice: slice,
  Gather: gather,
  Expand: expand,
  ConstantOfShape: constantOfShape,
  Range: range,
  Pad: pad,
  Tile: tile,
  Constant: constant,
  Trilu: likeFirst(),
  CumSum: likeFirst(),
  ReverseSequence: likeFirst(),
};
