import type { BundleTensor } from '@canopy/protocol';
import type { Graph } from './graph/graph.js';
import { hasRows, sampleFeeds } from './graph/measure.js';
import { withModel } from './onnx/runtime.js';

/** Most that the same row may differ when other rows are beside it; sums are in another order. */
const tolerance = 1e-4;

function row(tensor: BundleTensor, index: number, rows: number): BundleTensor {
  const bytes = tensor.data.length / rows;
  return {
    ...tensor,
    dims: [1, ...tensor.dims.slice(1)],
    data: tensor.data.subarray(index * bytes, (index + 1) * bytes),
  };
}

function same(left: BundleTensor, right: BundleTensor): boolean {
  if (left.dtype !== right.dtype || left.data.length !== right.data.length) return false;
  if (left.dtype !== 'float32') return Buffer.compare(left.data, right.data) === 0;
  const a = new Float32Array(left.data.slice().buffer);
  const b = new Float32Array(right.data.slice().buffer);
  return a.every((value, index) => {
    const other = b[index]!;
    return Object.is(value, other) || Math.abs(value - other) <= tolerance * (1 + Math.abs(other));
  });
}

/**
 * Whether each row of the model's inputs is worked on by itself: three rows together give what each
 * gives alone. Only then may a request be cut into micro-batches.
 */
export async function rowsAreIndependent(
  model: string | Uint8Array,
  graph: Graph,
  sizes: Readonly<Record<string, number>>,
  samples: readonly BundleTensor[] = [],
): Promise<boolean> {
  if (!hasRows(graph)) return false;
  const rows = 3;
  const feeds = sampleFeeds(graph, sizes, rows, 7, samples);
  try {
    return await withModel(model, async (run) => {
      const together = await run(feeds);
      for (const output of together.values()) if (output.dims[0] !== rows) return false;
      for (let index = 0; index < rows; index++) {
        const alone = await run(feeds.map((feed) => row(feed, index, rows)));
        for (const [name, output] of together) {
          const single = alone.get(name);
          if (single?.dims[0] !== 1 || !same(row(output, index, rows), single)) return false;
        }
      }
      return true;
    });
  } catch {
    return false;
  }
}
