import type { BinaryName, DTypeName, ReduceName, UnaryName } from '@canopy/protocol';
import type { GraphNode } from '../graph.js';
import { subtract, sum, type Dim } from '../shapes/dim.js';
import { broadcastDims } from '../shapes/facts.js';
import { epilogue, type Lowering } from './lowering.js';

const comparisons: ReadonlySet<BinaryName> = new Set([
  ...(['equal', 'less', 'lessOrEqual', 'greater', 'greaterOrEqual'] as const),
]);

/** Makes nodes of a program one after the other; each step gives the name of its result. */
export class Compute {
  constructor(
    private readonly node: GraphNode,
    private readonly to: Lowering,
  ) {}

  private result(name: string, dtype: DTypeName, dims: readonly Dim[], output?: string): string {
    return output ?? this.to.temporary(`${this.node.name}/${name}`, dtype, dims);
  }

  /** A constant of one number. */
  number(value: number): string {
    return this.to.floats(`${this.node.name}/number`, [], [value]);
  }
  unary(kind: UnaryName, x: string, output?: string, alpha = 0, beta = 0): string {
    const result = this.result(kind, this.to.dtype(x), this.to.dims(x), output);
    this.to.add('Unary', this.node, [x], [result], { kind, alpha, beta });
    return result;
  }
  /** `factor * x + offset`. */
  affine(x: string, factor: number, offset: number, output?: string): string {
    return this.unary('affine', x, output, factor, offset);
  }
  binary(kind: BinaryName, a: string, b: string, output?: string): string {
    const dims = broadcastDims(this.to.dims(a), this.to.dims(b));
    const dtype = comparisons.has(kind) ? 'bool' : this.to.dtype(a);
    const result = this.result(kind, dtype, dims, output);
    this.to.add('Binary', this.node, [a, b], [result], { kind, epilogue: epilogue() });
    return result;
  }
  /** Over axes, which stay with a size of 1. */
  reduce(kind: ReduceName, x: string, axes: readonly number[], output?: string): string {
    const dims = this.to.dims(x).map((dim, axis) => (axes.includes(axis) ? 1 : dim));
    const result = this.result(kind, this.to.dtype(x), dims, output);
    this.to.add('Reduce', this.node, [x], [result], { kind, keepDims: true, axes });
    return result;
  }
  cast(x: string, dtype: DTypeName, output?: string): string {
    const result = this.result(dtype, dtype, this.to.dims(x), output);
    this.to.add('Cast', this.node, [x], [result], { to: dtype });
    return result;
  }
  transpose(x: string, permutation: readonly number[], output?: string): string {
    const dims = this.to.dims(x);
    const moved = permutation.map((axis) => dims[axis]!);
    const result = this.result('transposed', this.to.dtype(x), moved, output);
    this.to.add('Transpose', this.node, [x], [result], { permutation });
    return result;
  }
  /** To a shape of constant sizes, where 0 is the size of X at the same place and -1 what is left. */
  reshape(x: string, sizes: readonly number[], dims: readonly Dim[], output?: string): string {
    const shape = this.to.ints(`${this.node.name}/shape`, sizes);
    return this.reshapeTo(x, shape, dims, output);
  }
  /** To a shape that is computed. */
  reshapeTo(x: string, shape: string, dims: readonly Dim[], output?: string): string {
    const result = this.result('reshaped', this.to.dtype(x), dims, output);
    this.to.add('Reshape', this.node, [x, shape], [result], { allowZero: false });
    return result;
  }
  /** The shape of a value. */
  shapeOf(x: string, start = 0, end = this.to.rank(x)): string {
    const result = this.result('sizes', 'int64', [end - start]);
    this.to.add('Shape', this.node, [x], [result], { start, end });
    return result;
  }
  /** Lists of sizes one behind the other; numbers are constants. */
  sizes(...parts: (string | number)[]): string {
    const names = parts.map((part) =>
      typeof part === 'string' ? part : this.to.ints(`${this.node.name}/size`, [part]),
    );
    const total = names.reduce((sum, name) => sum + Number(this.to.dims(name)[0]), 0);
    if (names.length === 1) return names[0]!;
    const result = this.result('sizes', 'int64', [total]);
    this.to.add('Concat', this.node, names, [result], { axis: 0 });
    return result;
  }
  /** Places `[start, end)` along an axis, each `step`-th of them; `end` may be a size that is open. */
  slice(x: string, axis: number, start: number, end: Dim, step = 1, output?: string): string {
    const ints = (name: string, value: number): string =>
      this.to.ints(`${this.node.name}/${name}`, [value]);
    const length = typeof end === 'number' ? Math.ceil((end - start) / step) : subtract(end, start);
    const last = typeof end === 'number' ? end : 0x7fffffff;
    const dims = this.to.dims(x).with(axis, length);
    const result = this.result('part', this.to.dtype(x), dims, output);
    const bounds = [
      ints('start', start),
      ints('end', last),
      ints('axis', axis),
      ints('step', step),
    ];
    this.to.add('Slice', this.node, [x, ...bounds], [result], {});
    return result;
  }
  /** Values one behind the other along an axis. */
  concat(parts: readonly string[], axis: number, output?: string): string {
    const sizes = parts.map((part) => this.to.dims(part)[axis]!);
    const dims = this.to.dims(parts[0]!).with(axis, sum(sizes));
    const result = this.result('joined', this.to.dtype(parts[0]!), dims, output);
    this.to.add('Concat', this.node, [...parts], [result], { axis });
    return result;
  }
  /** Rows of a table, or its places along another axis. */
  gather(table: string, indices: string, axis = 0): string {
    const given = this.to.dims(table);
    const dims = [...given.slice(0, axis), ...this.to.dims(indices), ...given.slice(axis + 1)];
    const result = this.result('rows', this.to.dtype(table), dims);
    this.to.add('Gather', this.node, [table, indices], [result], { axis });
    return result;
  }
  /** A product of matrices, times `alpha`. */
  matMul(a: string, b: string, { transB = false, alpha = 1 } = {}): string {
    const [left, right] = [this.to.dims(a), this.to.dims(b)];
    const outer = broadcastDims(left.slice(0, -2), right.slice(0, -2));
    const dims = [...outer, left.at(-2)!, right.at(transB ? -2 : -1)!];
    const result = this.result('product', 'float32', dims);
    this.to.add('MatMul', this.node, [a, b], [result], { transA: false, transB, alpha });
    return result;
  }
  /** Over the last dimension. */
  softmax(x: string): string {
    const result = this.result('softmax', 'float32', this.to.dims(x));
    this.to.add('Softmax', this.node, [x], [result], { axis: this.to.rank(x) - 1 });
    return result;
  }
  /** 0, 1, … below the size of an axis of a value, as int64. */
  places(x: string, axis: number): string {
    const size = this.to.dims(x)[axis]!;
    const limit = this.result('size', 'int64', []);
    this.to.add('Squeeze', this.node, [this.shapeOf(x, axis, axis + 1)], [limit], {});
    const [start, step] = [0, 1].map((value) =>
      this.to.numbers(`${this.node.name}/number`, 'int64', [], [value]),
    ) as [string, string];
    const result = this.result('places', 'int64', [size]);
    this.to.add('Range', this.node, [start, limit, step], [result], {});
    return result;
  }

  /** X less its mean over axes, divided by its deviation. */
  normalised(x: string, axes: readonly number[], epsilon: number): Normalised {
    const mean = this.reduce('mean', x, axes);
    const centred = this.binary('sub', x, mean);
    const variance = this.reduce('mean', this.binary('mul', centred, centred), axes);
    const deviation = this.unary('sqrt', this.affine(variance, 1, epsilon));
    return { mean, centred, variance, deviation };
  }
}

interface Normalised {
  mean: string;
  centred: string;
  variance: string;
  deviation: string;
}
