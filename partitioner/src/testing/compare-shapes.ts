import { expect } from 'vitest';
import type { Graph } from '../graph/graph.js';
import { measureGraph } from '../graph/measure.js';
import { deriveShapes } from '../graph/shapes/derive.js';
import { typicalDims } from '../graph/shapes/open-dimensions.js';
import { PlanSizes } from '../graph/shapes/plan-sizes.js';
import { makeTemporary, removeTemporary } from '../onnx/temporary.js';

/**
 * Tests only: derives all shapes of a graph without running it and compares type and shape of every
 * value with what onnxruntime makes at these sizes and rows. Returns how many values were compared.
 *
 * @param mayFail whether onnxruntime may refuse sizes, which are then passed over
 */
export async function compareShapes(
  graph: Graph,
  cases: readonly { dims: Record<string, number>; rows: number }[],
  mayFail = false,
): Promise<number> {
  const folder = makeTemporary();
  let compared = 0;
  try {
    const usual = typicalDims(graph, {});
    const { inference, rows: rowsName, seen } = await deriveShapes(graph, usual, folder);
    expect(seen.size, 'sizes that only a run tells').toBe(0);
    for (const { dims, rows } of cases) {
      const sizes = { ...usual, ...dims };
      const [run] = await measureGraph(graph, sizes, [rows], folder).catch((error: unknown) => {
        if (mayFail) return [];
        throw error;
      });
      if (!run) continue;
      const planned = new PlanSizes(sizes, rowsName);
      for (const [name, tensor] of run) {
        const facts = inference.facts.get(name)!;
        const shape = facts.dims.map((dim) => planned.at(dim, rows));
        const what = `"${name}" [${facts.dims.map(String).join(', ')}] at ${rows} rows`;
        expect([facts.dtype, ...shape], what).toEqual([tensor.dtype, ...tensor.dims]);
        if (facts.values && tensor.dtype === 'int64') {
          const given = new BigInt64Array(tensor.data.slice().buffer);
          facts.values.forEach((value, index) => {
            if (value === undefined) return;
            expect(planned.at(value, rows), what).toBe(Number(given[index]));
          });
        }
        compared++;
      }
    }
  } finally {
    removeTemporary(folder);
  }
  return compared;
}
