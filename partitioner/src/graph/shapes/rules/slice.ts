import {
  add,
  ceilDivide,
  isAtLeastZero,
  maximum,
  minimum,
  multiply,
  same,
  subtract,
  type Dim,
} from '../dim.js';
import { NotDerivable, type Facts } from '../facts.js';
import type { Operation } from '../operation.js';

/** Bounds from here on mean "to the end"; exporters write the largest i32 or i64. */
const toTheEnd = 2 ** 31 - 2;

/** A bound counted from the front; undefined where its sign is not known. */
function counted(bound: Dim, size: Dim): Dim | undefined {
  if (isAtLeastZero(bound)) return bound;
  const isNegative = isAtLeastZero(multiply(bound, -1));
  return isNegative ? add(size, bound) : undefined;
}

/** Elements from `start` to `end` in steps of `step` along a dimension; undefined where not known. */
function length(size: Dim, start: Dim, end: Dim, step: number): Dim | undefined {
  if (step > 0) {
    const first = counted(start, size);
    const last = typeof end === 'number' && end >= toTheEnd ? size : counted(end, size);
    if (first === undefined || last === undefined) return undefined;
    const from = minimum(maximum(first, 0), size);
    const to = minimum(maximum(last, 0), size);
    const ordered = from === 0 || same(to, size);
    return ceilDivide(ordered ? subtract(to, from) : maximum(subtract(to, from), 0), step);
  }
  const first = typeof start === 'number' && start >= toTheEnd ? size : counted(start, size);
  const last = typeof end === 'number' && end <= -toTheEnd ? -1 : counted(end, size);
  if (first === undefined || last === undefined) return undefined;
  const from = minimum(maximum(first, -1), subtract(size, 1));
  const to = minimum(maximum(last, -1), subtract(size, 1));
  return ceilDivide(maximum(subtract(from, to), 0), -step);
}

/** Starts, ends and axes are attributes until operator set 9, inputs since. */
export function sliced(op: Operation): Facts {
  const { dtype, dims, values } = op.facts(0);
  const starts = op.ints('starts') ?? op.facts(1).values;
  const ends = op.ints('ends') ?? op.facts(2).values;
  const count = starts?.length ?? op.dims(1)[0];
  if (typeof count !== 'number') throw new NotDerivable('the number of axes is computed');
  const axes = op.numbersOf('axes', 3) ?? Array.from({ length: count }, (_, axis) => axis);
  const steps = op.has(4) ? op.numbers(4) : axes.map(() => 1);
  const result = [...dims];
  axes.forEach((given, index) => {
    const axis = op.fromFront(given, dims.length);
    const [start, end] = [starts?.[index], ends?.[index]];
    const size =
      start === undefined || end === undefined
        ? undefined
        : length(dims[axis]!, start, end, steps[index]!);
    result[axis] = size ?? op.open(0, axis);
  });
  const [start, end] = [starts?.[0], ends?.[0]];
  const listed = values && dims.length === 1 && typeof start === 'number' && axes.length === 1;
  if (!listed || typeof end !== 'number' || steps[0] !== 1) return { dtype, dims: result };
  return { dtype, dims: result, values: values.slice(start, end) };
}
