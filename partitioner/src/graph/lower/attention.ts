import type { GraphNode } from '../graph.js';
import { multiply, same, type Dim } from '../shapes/dim.js';
import { Compute } from './compute.js';
import { type Lowering, UnsupportedNode } from './lowering.js';

/** The lowest f32, which masks a score whatever it is. */
export const lowest = -3.4028234663852886e38;

/** Query [batch, heads, queries, size], key and value [batch, pairs, keys, size]; heads share pairs in groups. */
export interface Heads {
  query: string;
  key: string;
  value: string;
  /** What scores are multiplied by. */
  scale: number;
  /** Scores go through `cap * tanh(score / cap)`; 0: they do not. */
  cap: number;
  /** Added to the scores [batch, heads, queries, keys], to which they broadcast. */
  biases: readonly string[];
  /** 1 for queries that see a key, 0 for those that see none, whose result is 0; left out where all see one. */
  sees?: string;
}

/** Lowers attention, step by step. */
export class AttentionSteps {
  readonly compute: Compute;
  constructor(
    readonly node: GraphNode,
    readonly to: Lowering,
  ) {
    this.compute = new Compute(node, to);
  }

  /** A size that is fixed; throws where it is open. */
  fixed(dim: Dim | undefined, what: string): number {
    if (typeof dim === 'number') return dim;
    throw new UnsupportedNode(`has an open ${what}`, 'fix it in the model');
  }

  /** [batch, places, heads * size] as [batch, heads, places, size]. */
  split(x: string, heads: number): string {
    const [batch, places, hidden] = this.to.dims(x) as [Dim, Dim, Dim];
    const size = this.fixed(hidden, 'width') / heads;
    if (!Number.isInteger(size)) {
      throw new UnsupportedNode(
        `has ${heads} heads in a width of ${hidden as number}`,
        'report it',
      );
    }
    const parts = this.compute.reshape(x, [0, 0, heads, size], [batch, places, heads, size]);
    return this.compute.transpose(parts, [0, 2, 1, 3]);
  }

  /** Undoes {@link split}. */
  join(x: string, output?: string): string {
    const [batch, heads, places, size] = this.to.dims(x) as [Dim, Dim, Dim, Dim];
    const moved = this.compute.transpose(x, [0, 2, 1, 3]);
    const width = this.fixed(multiply(heads, size), 'width');
    return this.compute.reshape(moved, [0, 0, width], [batch, places, width], output);
  }

  /** Softmax of the scores, times the values: [batch, heads, queries, size]. */
  attend(heads: Heads, output?: string): string {
    const { compute, to } = this;
    const [batch, count, queries, size] = to.dims(heads.query) as [Dim, Dim, Dim, Dim];
    const [, pairs, keys] = to.dims(heads.key) as [Dim, Dim, Dim];
    const [all, shared] = [
      this.fixed(count, 'number of heads'),
      this.fixed(pairs, 'number of heads'),
    ];
    const grouped = all !== shared;
    const groups = all / shared;
    if (!Number.isInteger(groups)) {
      throw new UnsupportedNode(`has ${all} heads for ${shared} pairs`, 'report it');
    }
    const pair = (x: string): string => {
      const dims = to.dims(x);
      if (!grouped) return x;
      const width = this.fixed(dims[3], 'size of its heads');
      return compute.reshape(x, [0, shared, 1, -1, width], [dims[0]!, shared, 1, dims[2]!, width]);
    };
    const width = this.fixed(size, 'size of its heads');
    const query = grouped
      ? compute.reshape(
          heads.query,
          [0, shared, groups, -1, width],
          [batch, shared, groups, queries, width],
        )
      : heads.query;
    let scores = compute.matMul(query, pair(heads.key), { transB: true, alpha: heads.scale });
    if (grouped) {
      const whole = compute.sizes(
        compute.shapeOf(heads.query, 0, 3),
        compute.shapeOf(heads.key, 2, 3),
      );
      scores = compute.reshapeTo(scores, whole, [batch, all, queries, keys]);
    }
    if (heads.cap > 0) {
      scores = compute.affine(
        compute.unary('tanh', compute.affine(scores, 1 / heads.cap, 0)),
        heads.cap,
        0,
      );
    }
    for (const bias of heads.biases) scores = compute.binary('add', scores, bias);
    let weights = compute.softmax(scores);
    if (heads.sees !== undefined) weights = compute.binary('mul', weights, heads.sees);
    if (!grouped) return this.named(compute.matMul(weights, heads.value), output);
    const shape = compute.sizes(
      compute.shapeOf(heads.query, 0, 1),
      shared,
      groups,
      compute.shapeOf(scores, 2, 4),
    );
    const parted = compute.reshapeTo(weights, shape, [batch, shared, groups, queries, keys]);
    const result = compute.matMul(parted, pair(heads.value));
    const depth = to.dims(heads.value)[3]!;
    const last = compute.sizes(
      compute.shapeOf(heads.query, 0, 3),
      compute.shapeOf(heads.value, 3, 4),
    );
    return compute.reshapeTo(result, last, [batch, all, queries, depth], output);
  }

  /** The value under another name, where one is given. */
  named(x: string, output: string | undefined): string {
    if (output === undefined) return x;
    this.to.add('Identity', this.node, [x], [output], {});
    return output;
  }

  /** Where the first query stands, behind a past, which may be left out. */
  firstPlace(past: string): string | undefined {
    return past === '' ? undefined : this.compute.shapeOf(past, 2, 3);
  }

  /** What keeps a query from the keys behind its own, which for the first is that at `first`: [queries, keys]. */
  causal(query: string, key: string, first?: string): string {
    const { compute, to } = this;
    const rows = compute.reshape(compute.places(query, 2), [-1, 1], [to.dims(query)[2]!, 1]);
    const last = first === undefined ? rows : compute.binary('add', rows, first);
    return this.forbidden(compute.binary('greater', compute.places(key, 2), last), lowest);
  }

  /** What keeps a query from keys that are `window` places or more before it: [places, places]. */
  beforeWindow(query: string, key: string, window: number): string {
    const { compute, to } = this;
    const rows = compute.reshape(compute.places(query, 2), [-1, 1], [to.dims(query)[2]!, 1]);
    const size = to.numbers(`${this.node.name}/window`, 'int64', [], [window]);
    const first = compute.binary('sub', rows, size);
    return this.forbidden(compute.binary('lessOrEqual', compute.places(key, 2), first), lowest);
  }

  /** Whether a query sees a key past what is added to its scores, the lowest f32 for one that it may not see. */
  sees(biases: readonly string[]): string {
    const { compute, to } = this;
    const sum = biases.reduce((all, bias) => compute.binary('add', all, bias));
    const most = compute.reduce('max', sum, [to.rank(sum) - 1]);
    const limit = to.numbers(`${this.node.name}/limit`, 'float32', [], [lowest / 2]);
    return compute.cast(compute.binary('greater', most, limit), 'float32');
  }

  /** `value` where a bool is true, and 0 elsewhere. */
  forbidden(mask: string, value: number): string {
    return this.compute.affine(this.compute.cast(mask, 'float32'), value, 0);
  }

  /** `value` where a mask of numbers is not above 0. */
  masked(mask: string, value: number): string {
    const { compute, to } = this;
    const zero = to.numbers(`${this.node.name}/zero`, to.dtype(mask), [], [0]);
    return this.forbidden(compute.binary('lessOrEqual', mask, zero), value);
  }

  /** A mask [batch, keys], [batch, queries, keys], or lengths [batch], for scores of four dimensions. */
  keyMask(mask: string, key: string, value: number): string {
    const { compute, to } = this;
    const dims = to.dims(mask);
    const [batch] = to.dims(key);
    if (dims.length === 1) {
      if (!same(dims[0]!, batch!)) {
        throw new UnsupportedNode('has a mask of starts and ends', 'give it one of each key');
      }
      const lengths = compute.reshape(
        compute.cast(mask, 'int64'),
        [-1, 1, 1, 1],
        [batch!, 1, 1, 1],
      );
      return this.forbidden(compute.binary('lessOrEqual', lengths, compute.places(key, 2)), value);
    }
    const bias = this.masked(mask, value);
    if (dims.length === 4) return bias;
    const [first, ...rest] = dims as [Dim, ...Dim[]];
    const axes = rest.length === 1 ? [1, 2] : [1];
    const result = to.temporary(`${this.node.name}/mask`, 'float32', [
      first,
      ...axes.map(() => 1),
      ...rest,
    ]);
    to.add('Unsqueeze', this.node, [bias, to.ints(`${this.node.name}/axes`, axes)], [result], {});
    return result;
  }

  /** A cache with what is new behind it, or that alone, under the name of an output where there is one. */
  extended(past: string, x: string, output: string): string {
    const named = output === '' ? undefined : output;
    if (past !== '') return this.compute.concat([past, x], 2, named);
    return this.named(x, named);
  }
}
