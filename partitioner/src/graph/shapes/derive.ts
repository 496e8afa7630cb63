import type { BundleTensor } from '@canopy/protocol';
import { PartitionError } from '../../error.js';
import type { Graph } from '../graph.js';
import { advice, measureGraph, type Run } from '../measure.js';
import type { Dim } from './dim.js';
import { inferShapes, type Inference } from './infer.js';
import { inputSizes, rowsDimension } from './open-dimensions.js';
import { PlanSizes, type Seen } from './plan-sizes.js';

/** Types and sizes of all values of a graph, and what open sizes are taken for. */
export interface Derived {
  inference: Inference;
  /** Name of the dimension that counts rows. */
  rows: string | undefined;
  /** Sizes that were seen in a run; empty where all sizes follow from the graph. */
  seen: ReadonlyMap<string, Seen>;
  /** @param rowsOfOne size of the rows' dimension where one row is planned for */
  planSizes: (rowsOfOne: number) => PlanSizes;
}

/**
 * Derives types and sizes of all values. Only where some depend on data does onnxruntime run the
 * model, at the sizes given, to have numbers to plan with.
 *
 * @param sizes of open dimensions to plan with
 * @param folder for intermediate files
 * @param samples inputs whose values matter
 */
export async function deriveShapes(
  graph: Graph,
  sizes: Readonly<Record<string, number>>,
  folder: string,
  samples: readonly BundleTensor[] = [],
): Promise<Derived> {
  const dims = inputSizes(graph);
  const rows = rowsDimension(graph);
  const first = rows === undefined ? 1 : Math.max(1, sizes[rows]!);
  let inference = inferShapes(graph, dims);
  let seen: ReadonlyMap<string, Seen> = new Map();
  if (inference.unknown.length > 0 || inference.open.size > 0) {
    const counts = rows === undefined ? [first] : [first, 2 * first];
    const runs = await measureGraph(graph, sizes, counts, folder, samples);
    const observed = [...runs[0]!].map(
      ([name, { dtype, dims }]) => [name, { dtype, rank: dims.length }] as const,
    );
    inference = inferShapes(graph, dims, new Map(observed));
    seen = seenSizes(inference, runs, first);
  }
  const planSizes = (rowsOfOne: number): PlanSizes => new PlanSizes(sizes, rows, rowsOfOne, seen);
  return { inference, rows, seen, planSizes };
}

/** Sizes of the open dimensions in the runs on `first` rows and, where there is one, on twice as many. */
function seenSizes({ open }: Inference, runs: readonly Run[], first: number): Map<string, Seen> {
  return new Map(
    [...open].map(([name, { value, axis }]) => {
      const [size = 1, other = size] = runs.map((run) => run.get(value)?.dims[axis] ?? 1);
      return [name, { rows: first, size, perRow: (other - size) / first }];
    }),
  );
}

/**
 * Throws {@link PartitionError} `cannot-run` where the model cannot run at the sizes to plan with:
 * sizes that have to be the same are not, one is below 0, or a window is larger than its image.
 */
export function requireRunnable(
  graph: Graph,
  { inference }: Derived,
  planned: PlanSizes,
  sizes: Readonly<Record<string, number>>,
): void {
  const sizeOf = (dim: Dim): number => planned.at(dim, 1);
  const refuse = (op: string, name: string, why: string, ...dims: Dim[]): never => {
    const isFixed = dims.every((dim) => typeof dim === 'number');
    const inputs = graph.inputs.map((input) => {
      const dims = inference.facts.get(input.name)!.dims.map(sizeOf);
      return `"${input.name}" [${dims.join(',')}]`;
    });
    throw new PartitionError(
      'cannot-run',
      `the model does not run with inputs ${inputs.join(', ')}: ${op} "${name}" ${why}. ` +
        (isFixed ? 'These sizes are fixed in the model: export it with others' : advice(sizes)),
    );
  };
  for (const { node, kind, left, right, what } of inference.conditions) {
    const [a, b] = [sizeOf(left), sizeOf(right)];
    if (kind === 'atLeast') {
      if (a >= b) continue;
      const needs = `needs ${what?.left} to be at least ${both(right, b)}, ${what?.right}`;
      refuse(node.op, node.name, `${needs}; it is ${both(left, a)}`, left, right);
    }
    if (a === b || (kind === 'broadcast' && (a === 1 || b === 1))) continue;
    const needs = `needs ${both(left, a)} and ${both(right, b)} to be the same`;
    refuse(node.op, node.name, needs, left, right);
  }
  for (const node of graph.nodes) {
    for (const output of node.outputs) {
      const negative = inference.facts.get(output)?.dims.find((dim) => sizeOf(dim) < 0);
      if (negative === undefined) continue;
      refuse(node.op, node.name, `gives a size of ${both(negative, sizeOf(negative))}`, negative);
    }
  }
}

/** A size and, where it is an expression, what it is. */
function both(dim: Dim, size: number): string {
  return typeof dim === 'number' ? `${size}` : `${size} (${dim.text})`;
}
