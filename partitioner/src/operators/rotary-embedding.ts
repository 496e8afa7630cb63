import { type GraphNode, intAttribute } from '../graph/graph.js';
import { AttentionSteps } from '../graph/lower/attention.js';
import { type Lowering, UnsupportedNode } from '../graph/lower/lowering.js';
import type { Dim } from '../graph/shapes/dim.js';
import { likeFirst } from '../graph/shapes/operation.js';
import type { OperatorFamily } from './operator.js';

/** Turns pairs of numbers of heads by angles whose cosines and sines are given. */
export interface Rotation {
  /** [batch, heads, places, size] */
  x: string;
  /** [batch or 1, places, size / 2] */
  cos: string;
  sin: string;
  /** Neighbours are pairs; else the first half goes with the second. */
  interleaved: boolean;
  /** Numbers of a head that are turned. */
  size: number;
}

export function rotate(
  steps: AttentionSteps,
  { x, cos, sin, interleaved, size }: Rotation,
  output?: string,
): string {
  const { compute, to, node } = steps;
  const dims = to.dims(x);
  const whole = steps.fixed(dims[3], 'size of its heads');
  const half = size / 2;
  const angles = (cache: string): string => {
    const [batch, places, width] = to.dims(cache) as [Dim, Dim, Dim];
    const result = to.temporary(`${node.name}/angles`, 'float32', [batch, 1, places, width]);
    to.add('Unsqueeze', node, [cache, to.ints(`${node.name}/axes`, [1])], [result], {});
    return result;
  };
  const [cosines, sines] = [angles(cos), angles(sin)];
  const turned = size === whole ? x : compute.slice(x, 3, 0, size);
  const [a, b] = interleaved
    ? [compute.slice(turned, 3, 0, size, 2), compute.slice(turned, 3, 1, size, 2)]
    : [compute.slice(turned, 3, 0, half), compute.slice(turned, 3, half, size)];
  const real = compute.binary(
    'sub',
    compute.binary('mul', a, cosines),
    compute.binary('mul', b, sines),
  );
  const other = compute.binary(
    'add',
    compute.binary('mul', b, cosines),
    compute.binary('mul', a, sines),
  );
  const rest = size === whole ? [] : [compute.slice(x, 3, size, whole)];
  if (!interleaved) return compute.concat([real, other, ...rest], 3, output);
  const pairs = [real, other].map((part) => {
    const result = to.temporary(`${node.name}/pair`, 'float32', [...to.dims(part), 1]);
    to.add('Unsqueeze', node, [part, to.ints(`${node.name}/axes`, [4])], [result], {});
    return result;
  });
  const joined = compute.concat(pairs, 4);
  const last = rest.length > 0 ? undefined : output;
  const flat = compute.reshape(joined, [0, 0, 0, size], [...dims.slice(0, 3), size], last);
  return rest.length === 0 ? flat : compute.concat([flat, ...rest], 3, output);
}

/** Rows of a table of angles for the places: [batch or 1, places, size / 2]. */
function anglesAt(steps: AttentionSteps, table: string, places: string): string {
  const { compute, to } = steps;
  const rows = compute.gather(table, places);
  const dims = to.dims(rows);
  if (dims.length === 3) return rows;
  const width = steps.fixed(dims[1], 'size of its heads');
  return compute.reshape(rows, [1, -1, width], [1, dims[0]!, width]);
}

/** X as heads, and how many; `undo` gives it the shape that it had. */
function headsOf(node: GraphNode, to: Lowering, x: string, cos: string) {
  const steps = new AttentionSteps(node, to);
  const rank = to.rank(x);
  const turned = intAttribute(node, 'rotary_embedding_dim', 0);
  if (rank === 4) return { steps, heads: x, turned };
  let heads = intAttribute(node, 'num_heads', 0);
  if (heads === 0) {
    if (turned > 0)
      throw new UnsupportedNode('does not say how many heads it has', 'set num_heads');
    const half = steps.fixed(to.dims(cos).at(-1), 'size of its heads');
    heads = steps.fixed(to.dims(x)[2], 'width') / (half * 2);
  }
  return { steps, heads: steps.split(x, heads), turned };
}

function run(
  node: GraphNode,
  to: Lowering,
  x: string,
  cos: string,
  sin: string,
  places: string,
): void {
  if (intAttribute(node, 'is_packed_batching', 0) === 1) {
    throw new UnsupportedNode('has packed batches', 'export it without');
  }
  const { steps, heads, turned } = headsOf(node, to, x, cos);
  const size = turned > 0 ? turned : steps.fixed(to.dims(heads)[3], 'size of its heads');
  const at = (table: string): string => (places === '' ? table : anglesAt(steps, table, places));
  const interleaved = intAttribute(node, 'interleaved', 0) === 1;
  const rotation = { x: heads, cos: at(cos), sin: at(sin), interleaved, size };
  const output = node.outputs[0]!;
  if (heads === x) rotate(steps, rotation, output);
  else steps.join(rotate(steps, rotation), output);
}

/** Of the standard: X, cosines, sines, places?. */
function standard(node: GraphNode, to: Lowering): void {
  const [x, cos, sin, places = ''] = node.inputs as [string, string, string, string?];
  run(node, to, x, cos, sin, places);
}

/** X, places, cosines, sines; one place is that of the first. */
function microsoft(node: GraphNode, to: Lowering): void {
  const [x, given, cos, sin] = node.inputs as [string, string, string, string];
  if (to.rank(given) === 2) {
    run(node, to, x, cos, sin, given);
    return;
  }
  const { compute } = new AttentionSteps(node, to);
  const places = compute.binary('add', compute.places(x, to.rank(x) === 4 ? 2 : 1), given);
  run(node, to, x, cos, sin, places);
}

const types = ['float32'] as const;

export const rotaryEmbeddingFamily: OperatorFamily = {
  model: {
    RotaryEmbedding: { shape: likeFirst(), lower: standard, types },
    'com.microsoft.RotaryEmbedding': {
      shape: likeFirst(),
      lower: microsoft,
      types,
      limits: 'batches that are not packed',
    },
  },
  program: {},
};
