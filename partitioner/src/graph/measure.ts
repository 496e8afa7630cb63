import type { BundleTensor } from '@canopy/protocol';
import { errorText, PartitionError } from '../error.js';
import { sampleTensor, withModel } from '../onnx/runtime.js';
import { saveOnnx } from '../onnx/save-model.js';
import type { Graph } from './graph.js';
import { evaluate } from './shapes/dim.js';
import { inputSizes, rowsDimension } from './shapes/open-dimensions.js';

/** Values of a run by name. */
export type Run = ReadonlyMap<string, BundleTensor>;

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
  const dims = inputSizes(graph);
  const counts = rowsDimension(graph);
  return graph.inputs.map((input, index) => {
    const sample = given.find(({ name }) => name === input.name);
    if (sample) return counts === undefined ? sample : repeated(sample, rows);
    const shape = dims
      .get(input.name)!
      .map((dim) => evaluate(dim, (name) => (name === counts ? rows : sizes[name]!)));
    return sampleTensor(input.name, input.dtype, shape, seed + index);
  });
}

/**
 * All values of a graph when onnxruntime runs it on each of these numbers of rows, with every
 * intermediate value as an output: for sizes that depend on data, and for tests.
 *
 * @param folder for intermediate files
 * @param samples inputs whose values matter; made up where missing
 *
 * Throws {@link PartitionError} `cannot-run` where the model does not run at these sizes.
 */
export async function measureGraph(
  graph: Graph,
  sizes: Readonly<Record<string, number>>,
  rowCounts: readonly number[],
  folder: string,
  samples: readonly BundleTensor[] = [],
): Promise<Run[]> {
  const named = new Set(graph.outputs.map((output) => output.name));
  const extra = graph.nodes
    .flatMap((node) => node.outputs)
    .filter((output) => output !== '' && !named.has(output));
  const model = saveOnnx(graph, folder, 'measured', extra);
  const runs: Run[] = [];
  let given = '';
  try {
    await withModel(model, async (run) => {
      for (const rows of rowCounts) {
        const feeds = sampleFeeds(graph, sizes, rows, 1, samples);
        given = feeds.map((feed) => `"${feed.name}" [${feed.dims.join(',')}]`).join(', ');
        const values = await run(feeds);
        for (const feed of feeds) values.set(feed.name, feed);
        runs.push(values);
      }
    });
  } catch (error) {
    throw new PartitionError(
      'cannot-run',
      `the model does not run with inputs ${given}: ${errorText(error)}. ${advice(sizes)}`,
      { cause: error },
    );
  }
  return runs;
}

/** What helps where the model does not run at these sizes. */
export function advice(sizes: Readonly<Record<string, number>>): string {
  const open = Object.keys(sizes);
  const fit = open.length > 0 ? `dims that fit for "${open.join('", "')}", or ` : '';
  return `Give ${fit}samples where the values of inputs matter`;
}
