import type { BundleTensor, DTypeName } from '@canopy/protocol';
import { errorText, PartitionError } from '../error.js';
import { sampleTensor, withModel } from '../onnx/runtime.js';
import { saveOnnx } from '../onnx/save-model.js';
import type { Graph, NamedValue } from './graph.js';
import { mapShapes, type Shapes } from './program.js';

/** Type and size of a value at the typical sizes of the open dimensions. */
export interface Measured {
  dtype: DTypeName;
  shapes: Shapes;
}

/** Size taken for an open dimension that is neither the batch nor named in the options. */
const usualSequence = 128;
const usualImage = 224;

/** Name of a dimension: its own, or made from its place where the model gives none. */
export function dimensionName(input: NamedValue, axis: number): string {
  const dim = input.dims?.[axis];
  return typeof dim === 'string' ? dim : `${input.name}_${axis}`;
}

/** Channels that the first convolution wants of an image input. */
function channelsOf(graph: Graph, input: string): number | undefined {
  const conv = graph.nodes.find(
    (node) =>
      /Conv$/.test(node.op) && node.inputs[0] === input && graph.constants.has(node.inputs[1]!),
  );
  if (!conv) return undefined;
  const group = conv.attributes.get('group');
  const perGroup = graph.constants.get(conv.inputs[1]!)?.dims[1];
  return perGroup === undefined ? undefined : perGroup * (group?.kind === 'int' ? group.value : 1);
}

/**
 * Sizes to plan with for every open dimension: those given, 1 for the batch (dimension 0), the
 * channels of an image as its convolution wants them, 224 for the sides of an image and 128 otherwise.
 */
export function typicalDims(
  graph: Graph,
  given: Readonly<Record<string, number>>,
): Record<string, number> {
  const sizes: Record<string, number> = {};
  for (const input of graph.inputs) {
    for (const [axis, dim] of (input.dims ?? []).entries()) {
      if (typeof dim === 'number') continue;
      const name = dimensionName(input, axis);
      if (sizes[name] !== undefined) continue;
      const isImage = input.dims?.length === 4 && input.dtype === 'float32';
      const usual =
        axis === 0
          ? 1
          : isImage && axis === 1
            ? (channelsOf(graph, input.name) ?? 3)
            : isImage
              ? usualImage
              : usualSequence;
      sizes[name] = given[name] ?? usual;
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
  return sizes;
}

/** Shape of an input for so many rows; dimension 0 stays as it is where the model fixes it. */
function inputShape(
  input: NamedValue,
  sizes: Readonly<Record<string, number>>,
  rows: number,
): number[] {
  return (input.dims ?? []).map((dim, axis) => {
    if (typeof dim === 'number') return dim;
    return axis === 0 ? rows : sizes[dimensionName(input, axis)]!;
  });
}

/** The same row so many times. */
function repeated(tensor: BundleTensor, rows: number): BundleTensor {
  const [own = 1, ...rest] = tensor.dims;
  const rowBytes = tensor.data.length / Math.max(1, own);
  const data = new Uint8Array(rowBytes * rows);
  for (let row = 0; row < rows; row++) {
    const from = (row % Math.max(1, own)) * rowBytes;
    data.set(tensor.data.subarray(from, from + rowBytes), row * rowBytes);
  }
  return { ...tensor, dims: [rows, ...rest], data };
}

/** Inputs of so many rows: those given, their rows repeated, and made-up ones for the rest. */
export function sampleFeeds(
  graph: Graph,
  sizes: Readonly<Record<string, number>>,
  rows: number,
  seed = 1,
  given: readonly BundleTensor[] = [],
): BundleTensor[] {
  const several = hasRows(graph);
  return graph.inputs.map((input, index) => {
    const sample = given.find(({ name }) => name === input.name);
    if (sample) return several ? repeated(sample, rows) : sample;
    return sampleTensor(input.name, input.dtype, inputShape(input, sizes, rows), seed + index);
  });
}

/** Whether dimension 0 of every input is open, so that a request may hold several rows. */
export function hasRows(graph: Graph): boolean {
  return graph.inputs.every((input) => {
    const dims = input.dims ?? [];
    return dims.length > 0 && typeof dims[0] !== 'number';
  });
}

/**
 * Type and size of every value, found by running the graph in onnxruntime on one row and on two,
 * with every intermediate value as an output.
 *
 * @param folder for intermediate files
 * @param samples inputs whose values matter; made up where missing
 *
 * Throws {@link PartitionError} `cannot-run` where the model does not run at these sizes.
 */
export async function measureGraph(
  graph: Graph,
  sizes: Readonly<Record<string, number>>,
  folder: string,
  samples: readonly BundleTensor[] = [],
): Promise<Map<string, Measured>> {
  const named = new Set(graph.outputs.map((output) => output.name));
  const extra = graph.nodes
    .flatMap((node) => node.outputs)
    .filter((output) => output !== '' && !named.has(output));
  const model = saveOnnx(graph, folder, 'measured', extra);
  const [one, two] = await runOnRows(model, graph, sizes, samples);
  const measured = new Map<string, Measured>();
  for (const [name, { dtype, dims }] of one ?? []) {
    measured.set(name, { dtype, shapes: { one: dims, two: two?.get(name)?.dims ?? dims } });
  }
  for (const [name, { dtype, dims }] of graph.constants) {
    measured.set(name, { dtype, shapes: { one: dims, two: dims } });
  }
  return measured;
}

function advice(sizes: Readonly<Record<string, number>>): string {
  const open = Object.keys(sizes);
  const fit = open.length > 0 ? `dims that fit for "${open.join('", "')}", or ` : '';
  return `Give ${fit}samples where the values of inputs matter`;
}

/** All values for one row and, where the model takes several, for two. */
async function runOnRows(
  model: string,
  graph: Graph,
  sizes: Readonly<Record<string, number>>,
  samples: readonly BundleTensor[],
): Promise<Map<string, BundleTensor>[]> {
  const results: Map<string, BundleTensor>[] = [];
  let given = '';
  try {
    await withModel(model, async (run) => {
      for (const rows of hasRows(graph) ? [1, 2] : [1]) {
        const feeds = sampleFeeds(graph, sizes, rows, 1, samples);
        given = feeds.map((feed) => `"${feed.name}" [${feed.dims.join(',')}]`).join(', ');
        const values = await run(feeds);
        for (const feed of feeds) values.set(feed.name, feed);
        results.push(values);
      }
    });
  } catch (error) {
    throw new PartitionError(
      'cannot-run',
      `the model does not run with inputs ${given}: ${errorText(error)}. ` + advice(sizes),
      { cause: error },
    );
  }
  return results;
}

/** Shapes after a permutation of the dimensions. */
export function permuted(shapes: Shapes, permutation: readonly number[]): Shapes {
  return mapShapes(shapes, (dims) => permutation.map((axis) => dims[axis]!));
}
