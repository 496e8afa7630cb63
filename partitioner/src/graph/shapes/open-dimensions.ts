import { PartitionError } from '../../error.js';
import { evaluate, same, symbol, type Dim } from './dim.js';
import { readNamedSize } from './named-size.js';
import { intAttribute, type Graph, type NamedValue } from '../graph.js';

/** Size taken for an open dimension that is neither the batch nor named in the options. */
const usualSequence = 128;
const usualImage = 224;

/** What exporters write for a dimension of which they know nothing: no name that ties anything. */
const nameless = new Set(['', '?', '-1', 'None']);

/**
 * Dimensions of values, a name for each open one. Dimensions share a name where the model gives them
 * the same; one without a name gets its own, made from its value and place.
 */
export function nameDimensions(
  values: readonly Pick<NamedValue, 'name' | 'dims'>[],
): (number | string)[][] {
  const own = (dim: number | string | undefined): dim is string =>
    typeof dim === 'string' && !nameless.has(dim);
  const taken = new Set(values.flatMap(({ dims }) => (dims ?? []).filter(own)));
  return values.map(({ name, dims }) =>
    (dims ?? []).map((dim, axis) => {
      if ((typeof dim === 'number' && dim >= 0) || own(dim)) return dim;
      let made = `${name}_${axis}`;
      while (taken.has(made)) made += '_';
      taken.add(made);
      return made;
    }),
  );
}

/** Dimensions of each input by its name, as {@link nameDimensions} gives them. */
export function inputDimensions(graph: Graph): Map<string, (number | string)[]> {
  const unknown = graph.inputs.find(({ dims }) => dims === undefined);
  if (unknown) {
    throw new PartitionError(
      'unsupported',
      `input "${unknown.name}" does not say how many dimensions it has: export the model with the ` +
        'shapes of its inputs, open sizes named',
    );
  }
  const dims = nameDimensions(graph.inputs);
  return new Map(graph.inputs.map(({ name }, index) => [name, dims[index]!]));
}

/**
 * Sizes of each input by its name: an open dimension is a symbol of its name, or what the name spells
 * where it is an expression of others.
 */
export function inputSizes(graph: Graph): Map<string, Dim[]> {
  const dims = inputDimensions(graph);
  const names = new Set([...dims.values()].flat().filter((dim) => typeof dim === 'string'));
  const sizeOf = (dim: number | string): Dim =>
    typeof dim === 'number' ? dim : (readNamedSize(dim, names) ?? symbol(dim));
  return new Map([...dims].map(([name, list]) => [name, list.map(sizeOf)]));
}

/**
 * The name of dimension 0 of all inputs, where they share it and it is open: a request may then hold
 * several rows. Undefined where there is none.
 */
export function rowsDimension(graph: Graph): string | undefined {
  const [first, ...others] = [...inputDimensions(graph).values()].map(([dim]) => dim);
  if (typeof first !== 'string') return undefined;
  return others.every((dim) => dim === first) ? first : undefined;
}

/** Sizes of open dimensions that samples of inputs have, but for their number of rows. */
export function sizesOfSamples(
  graph: Graph,
  samples: readonly { name: string; dims: readonly number[] }[],
): Record<string, number> {
  const [expressions, rows] = [inputSizes(graph), rowsDimension(graph)];
  const sizes: Record<string, number> = {};
  for (const [input, dims] of inputDimensions(graph)) {
    const sample = samples.find(({ name }) => name === input);
    for (const [axis, name] of dims.entries()) {
      const size = sample?.dims[axis];
      if (typeof name === 'number' || name === rows || size === undefined) continue;
      if (same(expressions.get(input)![axis]!, symbol(name))) sizes[name] = size;
    }
  }
  return sizes;
}

/** Channels that the first convolution wants of an image input. */
function channelsOf(graph: Graph, input: string): number | undefined {
  const conv = graph.nodes.find(
    (node) =>
      /Conv$/.test(node.op) && node.inputs[0] === input && graph.constants.has(node.inputs[1]!),
  );
  if (!conv) return undefined;
  const perGroup = graph.constants.get(conv.inputs[1]!)?.dims[1];
  return perGroup === undefined ? undefined : perGroup * intAttribute(conv, 'group', 1);
}

/** Size to plan with for an open dimension, where the options name none. */
function usualSize(graph: Graph, input: NamedValue, axis: number): number {
  const isImage = input.dims?.length === 4 && input.dtype === 'float32';
  if (axis === 0) return 1;
  if (isImage && axis === 1) return channelsOf(graph, input.name) ?? 3;
  return isImage ? usualImage : usualSequence;
}

/**
 * Sizes to plan with for every open dimension: those given, 1 for the batch (dimension 0), the
 * channels of an image as its convolution wants them, 224 for the sides of an image and 128 otherwise.
 * A dimension whose name is an expression of others has the size that it spells.
 */
export function typicalDims(
  graph: Graph,
  given: Readonly<Record<string, number>>,
): Record<string, number> {
  const sizes: Record<string, number> = {};
  const spelt = new Map<string, Dim>();
  const [dims, expressions] = [inputDimensions(graph), inputSizes(graph)];
  for (const input of graph.inputs) {
    for (const [axis, name] of dims.get(input.name)!.entries()) {
      const size = expressions.get(input.name)![axis]!;
      if (typeof name === 'number') continue;
      if (same(size, symbol(name))) sizes[name] ??= given[name] ?? usualSize(graph, input, axis);
      else spelt.set(name, size);
    }
  }
  const unknown = Object.keys(given).filter((name) => !(name in sizes));
  if (unknown.length > 0) {
    const open = Object.keys(sizes);
    throw new PartitionError(
      'bad-option',
      `dims: the model has no open dimension "${unknown.join('", "')}"; it has ` +
        (open.length > 0 ? `"${open.join('", "')}"` : 'none'),
    );
  }
  for (const [name, size] of Object.entries(given)) {
    if (Number.isInteger(size) && size >= 0) continue;
    throw new PartitionError('bad-option', `dims: "${name}" is ${size}, not a whole number`);
  }
  for (const [name, size] of spelt) sizes[name] = evaluate(size, (part) => sizes[part]!);
  return sizes;
}
