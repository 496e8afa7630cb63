import { floatAttribute, type GraphNode, intAttribute, intsAttribute } from '../graph/graph.js';
import { AttentionSteps, lowest } from '../graph/lower/attention.js';
import { type Lowering, UnsupportedNode } from '../graph/lower/lowering.js';
import { product } from '../graph/lower/product.js';
import {
  attention as attentionShape,
  groupQueryAttention as groupQueryShape,
  multiHeadAttention as multiHeadShape,
  standardAttention as standardShape,
} from '../graph/shapes/attention.js';
import { same, type Dim } from '../graph/shapes/dim.js';
import type { OperatorFamily } from './operator.js';
import { rotate } from './rotary-embedding.js';

/** Refuses inputs of a node that are there. */
export function refuse(node: GraphNode, inputs: Readonly<Record<number, string>>): void {
  for (const [input, what] of Object.entries(inputs)) {
    if ((node.inputs[Number(input)] ?? '') === '') continue;
    throw new UnsupportedNode(`has ${what}`, 'export it without');
  }
}

function outputsBehindFirst(node: GraphNode): [string, string] {
  return [node.outputs[1] ?? '', node.outputs[2] ?? ''];
}

/** The scale of scores: what the node says, or one over the root of the size of heads. */
function scaleOf(steps: AttentionSteps, query: string): number {
  const given = floatAttribute(steps.node, 'scale', 0);
  if (given !== 0) return given;
  return 1 / Math.sqrt(steps.fixed(steps.to.dims(query)[3], 'size of its heads'));
}

/** How query, key and value that lie side by side become attention. */
interface Projected {
  /** Widths of query, key and value. */
  sizes: readonly number[];
  mask: string;
  /** Added to the scores. */
  added: string;
}

/** Attention of query, key and value side by side [batch, sequence, width]. */
export function attendProjected(
  steps: AttentionSteps,
  projected: string,
  { sizes, mask, added }: Projected,
): void {
  const { compute, node } = steps;
  const heads = intAttribute(node, 'num_heads', 1);
  let at = 0;
  const [query, key, value] = sizes.map((size) => {
    const part = compute.slice(projected, 2, at, at + size);
    at += size;
    return steps.split(part, heads);
  }) as [string, string, string];
  const biases = added === '' ? [] : [added];
  if (mask !== '')
    biases.push(steps.keyMask(mask, key, floatAttribute(node, 'mask_filter_value', -10000)));
  if (intAttribute(node, 'unidirectional', 0) === 1) biases.push(steps.causal(query, key));
  const scale = scaleOf(steps, query);
  steps.join(steps.attend({ query, key, value, scale, cap: 0, biases }), node.outputs[0]);
}

/** Refuses what attention with weights of its own may have and no worker runs. */
export function requirePlain(node: GraphNode): void {
  if (intAttribute(node, 'do_rotary', 0) === 1) {
    throw new UnsupportedNode('turns its heads', 'use RotaryEmbedding in the model');
  }
  if (outputsBehindFirst(node)[0] !== '') {
    throw new UnsupportedNode('gives a cache', 'export it without');
  }
}

/** X [batch, sequence, hidden], weights of query, key and value side by side, bias, mask, past, added to scores. */
function attention(node: GraphNode, to: Lowering): void {
  refuse(node, { 4: 'a cache', 6: 'a cache' });
  requirePlain(node);
  const [x, weights, bias = '', mask = '', , added = ''] = node.inputs as string[] &
    Record<0 | 1, string>;
  const steps = new AttentionSteps(node, to);
  const [batch, sequence] = to.dims(x) as [Dim, Dim];
  const width = steps.fixed(to.dims(weights)[1], 'width');
  const sizes = intsAttribute(node, 'qkv_hidden_sizes') ?? [width / 3, width / 3, width / 3];
  const all = to.temporary(`${node.name}/projected`, 'float32', [batch, sequence, width]);
  const values = bias === '' ? undefined : to.constantFloats(bias);
  const plain = { ...node, inputs: [x, weights] };
  const options = { transA: false, transB: false, scale: 1 };
  const packs = to.constant(weights) !== undefined;
  product(plain, to, all, { ...options, ...(packs && values && { bias: values }) });
  const biased = bias === '' || (packs && values) ? all : steps.compute.binary('add', all, bias);
  attendProjected(steps, biased, { sizes, mask, added });
}

/** Query, key, value, bias, mask, added to scores, past key, past value. */
function multiHeadAttention(node: GraphNode, to: Lowering): void {
  refuse(node, { 8: 'a cache in a buffer', 9: 'a cache of beams' });
  const [q, k, v, bias = '', mask = '', added = '', pastKey = '', pastValue = ''] =
    node.inputs as string[] & Record<0 | 1 | 2, string>;
  const steps = new AttentionSteps(node, to);
  const { compute } = steps;
  const heads = intAttribute(node, 'num_heads', 1);
  let at = 0;
  const prepared = (x: string, like: string): string => {
    if (to.rank(x) === 4) return x;
    const size = steps.fixed(to.dims(like)[2], 'width');
    const own = bias === '' ? x : compute.binary('add', x, compute.slice(bias, 0, at, at + size));
    at += size;
    return steps.split(own, heads);
  };
  const query = prepared(q, q);
  const [newKey, newValue] = [prepared(k, k), prepared(v, v)];
  const [presentKey, presentValue] = outputsBehindFirst(node);
  const key = steps.extended(pastKey, newKey, presentKey);
  const value = steps.extended(pastValue, newValue, presentValue);
  const biases = added === '' ? [] : [added];
  if (mask !== '')
    biases.push(steps.keyMask(mask, key, floatAttribute(node, 'mask_filter_value', -10000)));
  if (intAttribute(node, 'unidirectional', 0) === 1) {
    if (!same(to.dims(query)[2]!, to.dims(newKey)[2]!)) {
      throw new UnsupportedNode(
        'looks back only, over keys that are not as many as its queries',
        'give their lengths the same name in the model',
      );
    }
    biases.push(steps.causal(query, key, steps.firstPlace(pastKey)));
  }
  const scale = scaleOf(steps, query);
  steps.join(steps.attend({ query, key, value, scale, cap: 0, biases }), node.outputs[0]);
}

/** Refuses a cache that holds anything. */
function requireEmptyPast(node: GraphNode, to: Lowering): void {
  for (const input of [3, 4]) {
    const past = node.inputs[input] ?? '';
    if (past === '' || to.dims(past)[2] === 0) continue;
    throw new UnsupportedNode('has a cache', 'export it without, or with one of length 0');
  }
}

/** Cosines and sines [1, sequence, size / 2] of the places from 0 on. */
function angles(steps: AttentionSteps, query: string, tables: [string, string]) {
  const { compute, to } = steps;
  const half = steps.fixed(to.dims(tables[0])[1], 'size of its heads');
  const places = compute.places(query, 2);
  const [cos, sin] = tables.map((table) => {
    const rows = compute.gather(table, places);
    return compute.reshape(rows, [1, -1, half], [1, to.dims(rows)[0]!, half]);
  }) as [string, string];
  return { cos, sin, size: half * 2 };
}

/**
 * Query, key, value, past key and value, lengths, whole length, cosines, sines, added to scores behind; heads
 * share keys and values. Without a past a query sees the keys up to its own place, so that lengths change rows
 * of padding only.
 */
function groupQueryAttention(node: GraphNode, to: Lowering): void {
  requireEmptyPast(node, to);
  refuse(node, {
    ...{ 9: 'places of its own', 11: 'sinks', 12: 'a quantized cache', 13: 'a quantized cache' },
  });
  const forms = ['qk_output', 'kv_cache_bit_width', 'smooth_softmax'];
  const odd = forms.find((name) => intAttribute(node, name, 0) > 0);
  if (odd !== undefined) throw new UnsupportedNode(`has ${odd}`, 'export it without');
  const [q, k = '', v = '', , , , , cos = '', sin = '', , added = ''] = node.inputs as string[] &
    Record<0, string>;
  const steps = new AttentionSteps(node, to);
  const { compute } = steps;
  const heads = intAttribute(node, 'num_heads', 1);
  const pairs = intAttribute(node, 'kv_num_heads', heads);
  let parts = [q, k, v];
  if (k === '') {
    const size = steps.fixed(to.dims(q)[2], 'width') / (heads + 2 * pairs);
    const ends = [heads, heads + pairs, heads + 2 * pairs].map((count) => count * size);
    parts = ends.map((end, index) => compute.slice(q, 2, ends[index - 1] ?? 0, end));
  }
  let [query, key] = [steps.split(parts[0]!, heads), steps.split(parts[1]!, pairs)];
  if (intAttribute(node, 'do_rotary', 0) === 1) {
    const turn = angles(steps, query, [cos, sin]);
    const interleaved = intAttribute(node, 'rotary_interleaved', 0) === 1;
    [query, key] = [query, key].map((x) => rotate(steps, { x, ...turn, interleaved })) as [
      string,
      string,
    ];
  }
  const [presentKey, presentValue] = outputsBehindFirst(node);
  key = steps.extended('', key, presentKey);
  const value = steps.extended('', steps.split(parts[2]!, pairs), presentValue);
  const window = intAttribute(node, 'local_window_size', -1);
  const biases = [steps.causal(query, key), ...(added === '' ? [] : [added])];
  if (window > 0) biases.push(steps.beforeWindow(query, key, window));
  const scale = scaleOf(steps, query);
  const cap = floatAttribute(node, 'softcap', 0);
  steps.join(steps.attend({ query, key, value, scale, cap, biases }), node.outputs[0]);
}

/** Of the standard: query, key, value of 3 or 4 dimensions, mask, past key and value. */
function standardAttention(node: GraphNode, to: Lowering): void {
  refuse(node, { 6: 'lengths of keys' });
  if ((node.outputs[3] ?? '') !== '')
    throw new UnsupportedNode('gives its scores', 'export it without');
  const [q, k, v, mask = '', pastKey = '', pastValue = ''] = node.inputs as string[] &
    Record<0 | 1 | 2, string>;
  const steps = new AttentionSteps(node, to);
  const flat = to.rank(q) === 3;
  const heads = intAttribute(node, 'q_num_heads', 1);
  const pairs = intAttribute(node, 'kv_num_heads', heads);
  const query = flat ? steps.split(q, heads) : q;
  const [presentKey, presentValue] = outputsBehindFirst(node);
  const key = steps.extended(pastKey, flat ? steps.split(k, pairs) : k, presentKey);
  const value = steps.extended(pastValue, flat ? steps.split(v, pairs) : v, presentValue);
  const biases: string[] = [];
  // A mask of numbers cannot tell what may not be seen from what counts little.
  const mayBeBlind = mask !== '' && to.dtype(mask) === 'bool';
  if (mayBeBlind) {
    const forbidden = to.temporary(`${node.name}/forbidden`, 'bool', to.dims(mask));
    to.add('Unary', node, [mask], [forbidden], { kind: 'not', alpha: 0, beta: 0 });
    biases.push(steps.forbidden(forbidden, lowest));
  } else if (mask !== '') biases.push(mask);
  if (intAttribute(node, 'is_causal', 0) === 1)
    biases.push(steps.causal(query, key, steps.firstPlace(pastKey)));
  const scale = scaleOf(steps, query);
  const cap = floatAttribute(node, 'softcap', 0);
  const sees = mayBeBlind ? { sees: steps.sees(biases) } : {};
  const parts = { query, key, value, scale, cap, biases, ...sees };
  if (flat) steps.join(steps.attend(parts), node.outputs[0]);
  else steps.attend(parts, node.outputs[0]);
}

const types = ['float32'] as const;

export const attentionFamily: OperatorFamily = {
  model: {
    Attention: {
      shape: standardShape,
      lower: standardAttention,
      types,
      limits: 'without its scores as an output',
    },
    'com.microsoft.Attention': {
      shape: attentionShape,
      lower: attention,
      types,
      limits: 'without a cache',
    },
    'com.microsoft.MultiHeadAttention': {
      shape: multiHeadShape,
      lower: multiHeadAttention,
      types,
      limits: 'query, key and value each by itself',
    },
    'com.microsoft.GroupQueryAttention': {
      shape: groupQueryShape,
      lower: groupQueryAttention,
      types,
      limits: 'without a cache, or with an empty one',
    },
  },
  program: {},
};
