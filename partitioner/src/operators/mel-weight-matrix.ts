import type { BinaryName, DTypeName } from '@canopy/protocol';
import type { GraphNode } from '../graph/graph.js';
import { Compute } from '../graph/lower/compute.js';
import type { Lowering } from '../graph/lower/lowering.js';
import { add, type Dim, floorDivide, sum } from '../graph/shapes/dim.js';
import type { Rule } from '../graph/shapes/operation.js';
import { readDType } from '../onnx/read-tensor.js';
import type { OperatorFamily } from './operator.js';

const float32Code = 1;

const shape: Rule = (op) => {
  const code = op.int('output_datatype', float32Code);
  const dtype = readDType(code, op.node.op, op.node.name);
  const [bands, length] = [0, 1].map((input) => op.facts(input).values?.[0]);
  const places = length === undefined ? op.open(0, 0) : add(floorDivide(length, 2), 1);
  return [{ dtype, dims: [places, bands ?? op.open(0, 1)] }];
};

/** Steps in f64 with numbers beside values. */
class Reals {
  private readonly compute: Compute;
  constructor(
    private readonly node: GraphNode,
    private readonly to: Lowering,
  ) {
    this.compute = new Compute(node, to);
  }
  private named(value: string | number, dtype: DTypeName): string {
    return typeof value === 'string'
      ? value
      : this.to.numbers(`${this.node.name}/number`, dtype, [], [value]);
  }
  binary(kind: BinaryName, a: string | number, b: string | number): string {
    return this.compute.binary(kind, this.named(a, 'float64'), this.named(b, 'float64'));
  }
  /** A value of one number, as f64. */
  scalar(name: string): string {
    const real = this.compute.cast(name, 'float64');
    return this.to.rank(real) === 0 ? real : this.compute.reshape(real, [], []);
  }
  /** 0, 1, … below a number. */
  count(limit: string, size: Dim): string {
    const places = this.to.temporary(`${this.node.name}/places`, 'int64', [size]);
    const whole = this.compute.cast(limit, 'int64');
    const [start, step] = [0, 1].map((value) => this.named(value, 'int64')) as [string, string];
    this.to.add('Range', this.node, [start, whole, step], [places], {});
    return this.compute.cast(places, 'float64');
  }
  /** The mel of a frequency. */
  mel(frequency: string): string {
    const ratio = this.binary('add', this.binary('div', frequency, 700), 1);
    return this.binary('mul', this.compute.unary('log', ratio), 2595 / Math.LN10);
  }
  floor(x: string): string {
    return this.compute.unary('floor', x);
  }
  /** Numbers of a list from `start` on, `size` of them, up to `end` from behind. */
  part(list: string, start: number, end: number, size: Dim): string {
    const bounds = [start, end, 0, 1].map((value) =>
      this.to.ints(`${this.node.name}/bound`, [value]),
    );
    const result = this.to.temporary(`${this.node.name}/part`, 'float64', [size]);
    this.to.add('Slice', this.node, [list, ...bounds], [result], {});
    return result;
  }
  where(condition: string, a: string | number, b: string | number, dims: readonly Dim[]): string {
    const result = this.to.temporary(`${this.node.name}/chosen`, 'float64', dims);
    const inputs = [condition, this.named(a, 'float64'), this.named(b, 'float64')];
    this.to.add('Where', this.node, inputs, [result], {});
    return result;
  }
}

/** A triangle over the places of a spectrum for each band: as high as 1 at the band's middle. */
function lower(node: GraphNode, to: Lowering): void {
  const reals = new Reals(node, to);
  const compute = new Compute(node, to);
  const output = node.outputs[0]!;
  const dims = to.dims(output) as [Dim, Dim];
  const [bands, length, rate, lowest, highest] = node.inputs.map((name) => reals.scalar(name)) as [
    string,
    string,
    string,
    string,
    string,
  ];
  const [from, until] = [reals.mel(lowest), reals.mel(highest)];
  const edges = reals.binary('add', bands, 2);
  const step = reals.binary('div', reals.binary('sub', until, from), edges);
  const mels = reals.binary('mul', reals.count(edges, sum([dims[1], 2])), step);
  const exponents = reals.binary('div', reals.binary('add', mels, from), 2595);
  const powers = reals.binary('pow', 10, exponents);
  const frequencies = reals.binary('mul', reals.binary('sub', powers, 1), 700);
  const spread = reals.binary('mul', frequencies, reals.binary('add', length, 1));
  const found = reals.floor(reals.binary('div', spread, rate));
  const first = reals.part(found, 0, -2, dims[1]);
  const middle = reals.part(found, 1, -1, dims[1]);
  const last = reals.part(found, 2, 0x7fffffff, dims[1]);

  const half = reals.binary('add', reals.floor(reals.binary('div', length, 2)), 1);
  const at = compute.reshape(reals.count(half, dims[0]), [-1, 1], [dims[0], 1]);
  const side = (one: string, other: string): string =>
    reals.binary('max', reals.binary('sub', other, one), 1);
  const rise = reals.binary('div', reals.binary('sub', at, first), side(first, middle));
  const fall = reals.binary('div', reals.binary('sub', last, at), side(middle, last));
  const slope = reals.where(reals.binary('less', at, middle), rise, fall, dims);
  const top = reals.binary('equal', at, middle);
  const values = reals.where(top, 1, reals.binary('max', slope, 0), dims);
  compute.cast(values, to.dtype(output), output);
}

export const melWeightMatrixFamily: OperatorFamily = {
  model: { MelWeightMatrix: { shape, lower, types: ['int32', 'int64'] } },
  program: {},
};
