import type { DTypeName } from '@canopy/protocol';
import { type GraphNode, stringAttribute } from '../graph/graph.js';
import { epilogue, type Lowering, UnsupportedNode } from '../graph/lower/lowering.js';
import { type Dim, product, same } from '../graph/shapes/dim.js';
import { broadcastDims } from '../graph/shapes/facts.js';
import type { Rule } from '../graph/shapes/operation.js';
import type { OperatorFamily } from './operator.js';

/** Letters of each operand of an Einsum, `...` spelt out. */
const shape: Rule = (op) => {
  const equation = op.string('equation', '').replaceAll(' ', '');
  const [left, right] = equation.split('->') as [string, string | undefined];
  const sizes = new Map<string, Dim>();
  let ellipsis: Dim[] = [];
  left.split(',').forEach((letters, input) => {
    const dims = op.dims(input);
    const named = letters.replace('...', '').length;
    const free = dims.length - named;
    if (letters.includes('...')) {
      const start = letters.indexOf('...');
      ellipsis = broadcastDims(ellipsis, dims.slice(start, start + free));
    }
    Array.from(letters.replace('...', '.')).reduce((axis, letter) => {
      if (letter === '.') return axis + free;
      const known = sizes.get(letter);
      const size = dims[axis]!;
      if (known !== undefined && known !== 1 && size !== 1) op.requireSame(known, size);
      if (known === undefined || known === 1) sizes.set(letter, size);
      return axis + 1;
    }, 0);
  });
  const count = (letter: string): number => left.split(letter).length - 1;
  const implied = [...sizes.keys()].sort().filter((letter) => count(letter) === 1);
  const output = right ?? (left.includes('...') ? '...' : '') + implied.join('');
  const dims = Array.from(output.replace('...', '.')).flatMap((letter) =>
    letter === '.' ? ellipsis : [sizes.get(letter)!],
  );
  return [{ dtype: op.dtype(0), dims }];
};

/** A value whose dimensions have names: letters of the equation, or places of what `...` stands for. */
interface Named {
  value: string;
  axes: readonly string[];
}

/** Names of an operand's dimensions; places of `...` are counted from the last. */
function axesOf(letters: string, rank: number): string[] {
  const free = rank - letters.replace('...', '').length;
  return Array.from(letters.replace('...', '.')).flatMap((letter) =>
    letter === '.' ? Array.from({ length: free }, (_, index) => `.${free - index}`) : [letter],
  );
}

/** Dimensions in the order of `axes`, with 1 in place of those that the value has not. */
function arranged(node: GraphNode, to: Lowering, from: Named, axes: readonly string[]): string {
  const own = axes.filter((axis) => from.axes.includes(axis));
  const permutation = own.map((axis) => from.axes.indexOf(axis));
  let { value } = from;
  if (permutation.some((axis, index) => axis !== index)) {
    const dims = permutation.map((axis) => to.dims(value)[axis]!);
    const moved = to.temporary(`${node.name}/moved`, to.dtype(value), dims);
    to.add('Transpose', node, [value], [moved], { permutation });
    value = moved;
  }
  const missing = axes.flatMap((axis, index) => (own.includes(axis) ? [] : [index]));
  if (missing.length === 0) return value;
  const known = to.dims(value);
  const dims = axes.map((axis) => (own.includes(axis) ? known[own.indexOf(axis)]! : 1));
  const wide = to.temporary(`${node.name}/wide`, to.dtype(value), dims);
  to.add('Unsqueeze', node, [value, to.ints(`${node.name}/axes`, missing)], [wide], {});
  return wide;
}

/** The sum over all dimensions but some. */
function summed(node: GraphNode, to: Lowering, from: Named, kept: readonly string[]): Named {
  const axes = from.axes.flatMap((axis, index) => (kept.includes(axis) ? [] : [index]));
  if (axes.length === 0) return from;
  const left = from.axes.filter((axis) => kept.includes(axis));
  const dims = left.map((axis) => to.dims(from.value)[from.axes.indexOf(axis)]!);
  const value = to.temporary(`${node.name}/sum`, to.dtype(from.value), dims);
  to.add('Reduce', node, [from.value], [value], { kind: 'sum', keepDims: false, axes });
  return { value, axes: left };
}

/** Each pair of elements multiplied. */
function multiplied(node: GraphNode, to: Lowering, left: Named, right: Named): Named {
  const axes = [...left.axes, ...right.axes.filter((axis) => !left.axes.includes(axis))];
  const inputs = [left, right].map((operand) => arranged(node, to, operand, axes));
  const dims = broadcastDims(to.dims(inputs[0]!), to.dims(inputs[1]!));
  const value = to.temporary(`${node.name}/product`, to.dtype(left.value), dims);
  to.add('Binary', node, inputs, [value], { kind: 'mul', epilogue: epilogue() });
  return { value, axes };
}

/** [batch, .., rest.., depth..] as [batch, .., rest, depth]; undefined where too many sizes are open. */
function asMatrix(
  node: GraphNode,
  to: Lowering,
  from: Named,
  [batch, rest, depth]: readonly [readonly string[], readonly string[], readonly string[]],
): string | undefined {
  const value = arranged(node, to, from, [...batch, ...rest, ...depth]);
  if (rest.length === 1 && depth.length === 1) return value;
  const dims = to.dims(value);
  const sizes = [
    product(dims.slice(batch.length, batch.length + rest.length)),
    product(dims.slice(batch.length + rest.length)),
  ];
  if (sizes.every((size) => typeof size !== 'number')) return undefined;
  const matrix = to.temporary(`${node.name}/matrix`, to.dtype(value), [
    ...dims.slice(0, batch.length),
    ...sizes,
  ]);
  // 0 is the size that is there.
  const shape = [
    ...batch.map(() => 0),
    ...sizes.map((size) => (typeof size === 'number' ? size : -1)),
  ];
  const target = to.ints(`${node.name}/shape`, shape);
  to.add('Reshape', node, [value, target], [matrix], { allowZero: false });
  return matrix;
}

/** A product of matrices, where that is what two operands are; undefined otherwise. */
function matrixProduct(
  node: GraphNode,
  to: Lowering,
  left: Named,
  right: Named,
  kept: readonly string[],
): Named | undefined {
  const size = (operand: Named, axis: string): Dim =>
    to.dims(operand.value)[operand.axes.indexOf(axis)]!;
  const common = left.axes.filter((axis) => right.axes.includes(axis));
  const depth = common.filter((axis) => !kept.includes(axis));
  const batch = common.filter((axis) => kept.includes(axis));
  const isWhole = common.every((axis) => same(size(left, axis), size(right, axis)));
  const hasZero = [left, right].some(({ value }) => to.dims(value).includes(0));
  if (depth.length === 0 || !isWhole || hasZero || to.dtype(left.value) !== 'float32') {
    return undefined;
  }
  const rests = [left, right].map(({ axes }) => axes.filter((axis) => !common.includes(axis)));
  const dims = [
    ...batch.map((axis) => size(left, axis)),
    ...rests[0]!.map((axis) => size(left, axis)),
    ...rests[1]!.map((axis) => size(right, axis)),
  ];
  const tail = dims.slice(batch.length);
  const isPlain = rests.every(({ length }) => length === 1);
  if (!isPlain && tail.filter((dim) => typeof dim !== 'number').length > 1) return undefined;
  const a = asMatrix(node, to, left, [batch, rests[0]!, depth]);
  const b = asMatrix(node, to, right, [batch, rests[1]!, depth]);
  if (a === undefined || b === undefined) return undefined;
  const rows = to.dims(a).at(-2)!;
  const columns = to.dims(b).at(-2)!;
  const matrix = to.temporary(`${node.name}/matrix`, 'float32', [
    ...dims.slice(0, batch.length),
    rows,
    columns,
  ]);
  to.add('MatMul', node, [a, b], [matrix], { transA: false, transB: true, alpha: 1 });
  const axes = [...batch, ...rests[0]!, ...rests[1]!];
  if (isPlain) return { value: matrix, axes };
  const value = to.temporary(`${node.name}/product`, 'float32', dims);
  const sizes = tail.map((dim) => (typeof dim === 'number' ? dim : -1));
  const shape = to.ints(`${node.name}/shape`, [...batch.map(() => 0), ...sizes]);
  to.add('Reshape', node, [matrix, shape], [value], { allowZero: false });
  return { value, axes };
}

function lower(node: GraphNode, to: Lowering): void {
  const equation = stringAttribute(node, 'equation', '').replaceAll(' ', '');
  const [left, right] = equation.split('->') as [string, string | undefined];
  const letters = left.split(',');
  const operands = node.inputs.map((value, index) => {
    const axes = axesOf(letters[index] ?? '', to.rank(value));
    if (new Set(axes).size !== axes.length) {
      throw new UnsupportedNode(
        'takes a diagonal: a letter twice in one operand',
        'take it before',
      );
    }
    return { value, axes };
  });
  const output = node.outputs[0]!;
  const count = (letter: string): number => left.split(letter).length - 1;
  const all = [...new Set(operands.flatMap(({ axes }) => axes))];
  const implied = all.filter((axis) => axis.length === 1 && count(axis) === 1).sort();
  const free = all.filter((axis) => axis.length > 1).length;
  const whole = right ?? (free > 0 ? '...' : '') + implied.join('');
  const wanted = axesOf(whole, whole.replace('...', '').length + free);
  let result: Named | undefined;
  operands.forEach((operand, index) => {
    const later = operands.slice(index + 1).flatMap(({ axes }) => axes);
    const kept = [...wanted, ...later];
    const before = result?.axes ?? [];
    const next = summed(node, to, operand, [...kept, ...before]);
    if (!result) {
      result = next;
      return;
    }
    const earlier = summed(node, to, result, [...kept, ...next.axes]);
    result =
      matrixProduct(node, to, earlier, next, kept) ??
      summed(node, to, multiplied(node, to, earlier, next), kept);
  });
  const last = arranged(node, to, result!, wanted);
  to.add('Identity', node, [last], [output], {});
}

const types: readonly DTypeName[] = ['float32', 'float64', 'int64', 'int32'];

export const einsumFamily: OperatorFamily = {
  model: { Einsum: { shape, lower, types, limits: 'no diagonals' } },
  program: {},
};
