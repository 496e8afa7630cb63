import { add, multiply, type Dim } from './dim.js';
import { NotDerivable, type Facts } from './facts.js';
import type { Operation, Rule } from './operation.js';

/** Past and present of a cache: `[batch, heads, past + sequence, size]`. */
function grown(past: readonly Dim[], by: Dim): Dim[] {
  return past.with(2, add(past[2]!, by));
}

/** X [batch, sequence, hidden], weights [hidden, 3 * size]; past [2, batch, heads, past, size]. */
export const attention: Rule = (op) => {
  const [batch, sequence] = op.dims(0);
  const given = op.ints('qkv_hidden_sizes');
  const width = op.dims(1)[1];
  const size = given?.[2] ?? (typeof width === 'number' ? width / 3 : undefined);
  if (size === undefined) throw new NotDerivable('the size of its heads is open');
  const result: Facts = { dtype: op.dtype(0), dims: [batch!, sequence!, size] };
  if (op.outputs < 2) return [result];
  if (op.has(4)) {
    const past = op.dims(4);
    return [result, { dtype: op.dtype(0), dims: past.with(3, add(past[3]!, sequence!)) }];
  }
  const heads = op.int('num_heads', 1);
  return [result, { dtype: op.dtype(0), dims: [2, batch!, heads, sequence!, size / heads] }];
};

/** Caches that an output gives, with `past` inputs or from the keys of this step alone. */
function presents(op: Operation, past: number, steps: Dim, heads: Dim, size: Dim): Facts[] {
  const dtype = op.dtype(0);
  const [batch] = op.dims(0);
  return [past, past + 1].map((input) => ({
    dtype,
    dims: op.has(input) ? grown(op.dims(input), steps) : [batch!, heads, steps, size],
  }));
}

/** Query [batch, sequence, hidden]; key and value alike, or [batch, heads, sequence, size]. */
export const multiHeadAttention: Rule = (op) => {
  if (op.rank(0) !== 3 || !op.has(2)) throw new NotDerivable('query, key and value are packed');
  const heads = op.int('num_heads', 1);
  const [batch, sequence] = op.dims(0);
  const value = op.dims(2);
  const hidden = value.length === 4 ? multiply(value[1]!, value[3]!) : value[2]!;
  const result: Facts = { dtype: op.dtype(0), dims: [batch!, sequence!, hidden] };
  if (op.outputs < 2) return [result];
  if (typeof hidden !== 'number') throw new NotDerivable('the size of its heads is open');
  const steps = value.length === 4 ? value[2]! : value[1]!;
  return [result, ...presents(op, 6, steps, heads, hidden / heads)];
};

/** The past may lie in a buffer of its whole length, so that its sizes are those of the buffer. */
export const groupQueryAttention: Rule = (op) => {
  const [batch, sequence, hidden] = op.dims(0);
  const heads = op.int('num_heads', 1);
  const pairs = op.int('kv_num_heads', heads);
  if (typeof hidden !== 'number') throw new NotDerivable('the size of its heads is open');
  const size = op.has(1) ? hidden / heads : hidden / (heads + 2 * pairs);
  const result: Facts = { dtype: op.dtype(0), dims: [batch!, sequence!, heads * size] };
  const grows = op.has(3) && op.dims(3)[2] !== 0;
  const cache = (output: number): Facts => ({
    dtype: op.dtype(0),
    dims: [batch!, pairs, grows ? op.open(output, 2) : sequence!, size],
  });
  return op.outputs < 2 ? [result] : [result, cache(1), cache(2)];
};

/** Attention of the standard, operator set 23: Q, K, V of 3 or 4 dimensions, past key and value. */
export const standardAttention: Rule = (op) => {
  const query = op.dims(0);
  const value = op.dims(2);
  const dtype = op.dtype(0);
  if (query.length === 4) {
    const keys = op.has(4) ? grown(op.dims(1), op.dims(4)[2]!) : op.dims(1);
    const values = op.has(5) ? grown(value, op.dims(5)[2]!) : value;
    const scores = [query[0]!, query[1]!, query[2]!, keys[2]!];
    return [query.with(3, value[3]!), keys, values, scores].map((dims) => ({ dtype, dims }));
  }
  const heads = op.int('q_num_heads', 1);
  const pairs = op.int('kv_num_heads', heads);
  const [batch, sequence] = query;
  const width = value[2]!;
  const depth = op.dims(1)[2]!;
  if (typeof width !== 'number' || typeof depth !== 'number') {
    throw new NotDerivable('the size of its heads is open');
  }
  const cache = (input: number, steps: Dim, size: number): Dim[] => {
    const now: Dim[] = [batch!, pairs, steps, size];
    return op.has(input) ? grown(now, op.dims(input)[2]!) : now;
  };
  const keys = cache(4, op.dims(1)[1]!, depth / pairs);
  const values = cache(5, value[1]!, width / pairs);
  const result: Dim[] = [batch!, sequence!, (width / pairs) * heads];
  const scores: Dim[] = [batch!, heads, sequence!, keys[2]!];
  return [result, keys, values, scores].map((dims) => ({ dtype, dims }));
};
