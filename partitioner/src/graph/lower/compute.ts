import type { BinaryName, DTypeName, ReduceName, UnaryName } from '@canopy/protocol';
import type { GraphNode } from '../graph.js';
import type { Dim } from '../shapes/dim.js';
import { broadcastDims } from '../shapes/facts.js';
import { epilogue, type Lowering } from './lowering.js';

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
    const dtype = kind === 'equal' ? 'bool' : this.to.dtype(a);
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
